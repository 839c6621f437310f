"""Chat Completions the other way round, for `headrace.testing.loopback`.

with LoopbackServer(init_chat_model("offline:demo"), ChatCompletionsWire()) as server:
    ChatOpenAI(model="m", base_url=server.base_url)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from headrace.messages import AIMessage, AIMessageChunk
from headrace.testing.loopback import Asked, Received

_FINISH = {"length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"}


class ChatCompletionsWire:
    """Reads requests to `/chat/completions` and writes completions and their chunks."""

    base = "/v1"
    stream_type = "text/event-stream"

    def read(self, request: Received) -> Asked | None:
        body = request.body
        if not request.path.partition("?")[0].endswith("/chat/completions"):
            return None
        form = body.get("response_format") or {}
        schema = None
        if form.get("type") == "json_schema":
            schema = {"title": form["json_schema"]["name"], **form["json_schema"]["schema"]}
        return Asked(
            messages=body["messages"],
            tools=body.get("tools") or [],
            tool_choice=_choice(body.get("tool_choice")),
            stop=body.get("stop"),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            schema=schema,
            stream=bool(body.get("stream")),
        )

    def whole(self, request: Received, message: AIMessage) -> dict[str, Any]:
        return _completion(request.body, message)

    def events(self, request: Received, chunks: Iterable[AIMessageChunk]) -> Iterator[bytes]:
        for event in _events(request.body, chunks):
            yield b"data: " + json.dumps(event).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = "invalid_request_error" if status == 400 else "not_found_error"
        return {"error": {"message": message, "type": kind, "code": None}}


def _choice(choice: Any) -> Any:
    """A choice in the neutral form: of a subset, the names."""
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        return [tool["function"]["name"] for tool in choice["allowed_tools"]["tools"]]
    return choice


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
    calls: list[tuple[Any, str]] = [
        (call, json.dumps(call["args"])) for call in message.tool_calls
    ] + [(call, call["args"] or "") for call in message.invalid_tool_calls]
    if calls:
        said["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": arguments},
            }
            for call, arguments in calls
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


def _events(body: dict[str, Any], chunks: Iterable[AIMessageChunk]) -> Iterator[dict[str, Any]]:
    for message in chunks:
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


def _delta(piece: Any) -> dict[str, Any]:
    function = {k: piece[k] for k in ("name", "args") if piece.get(k) is not None}
    if "args" in function:
        function["arguments"] = function.pop("args")
    head = {"id": piece["id"], "type": "function"} if piece.get("id") else {}
    return {"index": piece.get("index") or 0, **head, "function": function}
