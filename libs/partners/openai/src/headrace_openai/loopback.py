"""A server on loopback that speaks Chat Completions and answers with any headrace model.

For demos and tests: the real SDK, real HTTP and real server-sent events, without a provider.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from headrace.errors import HeadraceError
from headrace.messages import AIMessage, AIMessageChunk, convert_to_messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from headrace.chat_models import Model

_FINISH = {"length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"}


class LoopbackServer:
    """Serves `model` at `base_url` (a port of 127.0.0.1) inside a `with` block."""

    def __init__(self, model: Model[AIMessage], *, chunk_delay: float = 0) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.model, self._server.chunk_delay = model, chunk_delay
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies received so far."""
        return self._server.requests

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    model: Model[AIMessage]
    chunk_delay: float

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.requests: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *args: Any) -> None:
        """Says nothing: the terminal belongs to the caller."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(body)
        if not self.path.endswith("/chat/completions"):
            self._send(404, {"error": {"message": f"nothing at {self.path}", "code": None}})
            return
        try:
            if body.get("stream"):
                self._stream(body)
            else:
                self._send(200, _completion(body, _asked(self.server.model, body)))
        except HeadraceError as error:
            self._send(400, {"error": {"message": str(error), "type": "invalid_request_error"}})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(self, status: int, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, body: dict[str, Any]) -> None:
        model, messages = _bound(self.server.model, body)
        with model.stream(messages) as chunks:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for event in _events(body, chunks):
                time.sleep(self.server.chunk_delay)
                self._piece(b"data: " + json.dumps(event).encode() + b"\n\n")
        self._piece(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _piece(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))


def _bound(model: Model[Any], body: dict[str, Any]) -> tuple[Model[Any], list[Any]]:
    """The model as the request asks for it, and the messages of the request."""
    if body.get("tools"):
        model = model.bind_tools(body["tools"], tool_choice=body.get("tool_choice"))
    if body.get("stop"):
        model = model.bind(stop=body["stop"])
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit:
        model = model.bind(max_tokens=limit)
    form = body.get("response_format") or {}
    messages = convert_to_messages(body["messages"])
    if form.get("type") == "json_schema":
        schema = {"title": form["json_schema"]["name"], **form["json_schema"]["schema"]}
        model = model.with_structured_output(schema, method="json_schema", include_raw=True)
    return model, messages


def _asked(model: Model[Any], body: dict[str, Any]) -> AIMessage:
    bound, messages = _bound(model, body)
    answer = bound.invoke(messages)
    message: AIMessage = answer["raw"] if isinstance(answer, dict) else answer
    return message


def _usage(message: AIMessage) -> dict[str, int] | None:
    used = message.usage_metadata
    if used is None:
        return None
    return {
        "prompt_tokens": used["input_tokens"],
        "completion_tokens": used["output_tokens"],
        "total_tokens": used["total_tokens"],
    }


def _finish(message: AIMessage) -> str:
    return _FINISH.get(message.response_metadata.get("finish_reason", ""), "stop")


def _completion(body: dict[str, Any], message: AIMessage) -> dict[str, Any]:
    said: dict[str, Any] = {"role": "assistant", "content": message.text or None}
    if message.tool_calls:
        said["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["args"])},
            }
            for call in message.tool_calls
        ]
    return {
        **_head(body, message, "chat.completion"),
        "choices": [{"index": 0, "message": said, "finish_reason": _finish(message)}],
        "usage": _usage(message),
    }


def _head(body: dict[str, Any], message: AIMessage, kind: str) -> dict[str, Any]:
    return {
        "id": message.id or "chatcmpl-loopback",
        "object": kind,
        "created": 0,
        "model": body.get("model", "loopback"),
    }


def _events(body: dict[str, Any], chunks: Any) -> Iterator[dict[str, Any]]:
    for chunk in chunks:
        message: AIMessageChunk = (
            chunk if isinstance(chunk, AIMessageChunk) else _whole(chunk["raw"])
        )
        head = _head(body, message, "chat.completion.chunk")
        delta: dict[str, Any] = {}
        if message.text:
            delta["content"] = message.text
        if message.tool_call_chunks:
            delta["tool_calls"] = [_delta(piece) for piece in message.tool_call_chunks]
        finish = message.response_metadata.get("finish_reason") and _finish(message)
        if delta or finish:
            yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        if message.usage_metadata and (body.get("stream_options") or {}).get("include_usage"):
            yield {**head, "choices": [], "usage": _usage(message)}


def _whole(message: AIMessage) -> AIMessageChunk:
    return AIMessageChunk(
        message.content,
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        id=message.id,
    )


def _delta(piece: Any) -> dict[str, Any]:
    function = {k: piece[k] for k in ("name", "args") if piece.get(k) is not None}
    if "args" in function:
        function["arguments"] = function.pop("args")
    head = {"id": piece["id"], "type": "function"} if piece.get("id") else {}
    return {"index": piece.get("index") or 0, **head, "function": function}
