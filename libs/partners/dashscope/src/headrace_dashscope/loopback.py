"""DashScope's API the other way round, for `headrace.testing.loopback`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headrace.messages import AIMessage, AIMessageChunk
from headrace.testing.loopback import Asked, Received
from headrace_dashscope.place import MULTIMODAL, TEXT

_FINISH = {"length": "length", "tool_calls": "tool_calls"}


class DashScopeWire:
    """Reads requests to both endpoints and writes answers and their events."""

    base = "/api/v1"
    stream_type = "text/event-stream;charset=UTF-8"

    def read(self, request: Received) -> Asked | None:
        if request.path not in (self.base + TEXT, self.base + MULTIMODAL):
            return None
        asked = request.body.get("parameters") or {}
        form = asked.get("response_format") or {}
        schema = None
        if form.get("type") == "json_schema":
            schema = {"title": form["json_schema"]["name"], **form["json_schema"]["schema"]}
        return Asked(
            messages=[_message(message) for message in request.body["input"]["messages"]],
            tools=asked.get("tools") or [],
            tool_choice=asked.get("tool_choice"),
            stop=asked.get("stop"),
            max_tokens=asked.get("max_tokens"),
            schema=schema,
            stream=request.headers.get("x-dashscope-sse") == "enable",
        )

    def whole(self, request: Received, message: AIMessage) -> dict[str, Any]:
        pieces: list[Any] = [
            {"name": call["name"], "id": call["id"], "args": json.dumps(call["args"])}
            for call in message.tool_calls
        ]
        pieces += [{k: c[k] for k in ("name", "id", "args")} for c in message.invalid_tool_calls]
        for place, piece in enumerate(pieces):
            piece["index"] = place
        return _event(request, message, pieces, _finish(message))

    def events(self, request: Received, chunks: Iterable[AIMessageChunk]) -> Iterator[bytes]:
        ended = False
        for number, chunk in enumerate(chunks, 1):
            finish = "null"
            if chunk.response_metadata.get("finish_reason"):
                finish, ended = _finish(chunk), True
            yield _bytes(number, _event(request, chunk, chunk.tool_call_chunks, finish))
        if not ended:
            yield _bytes(0, _event(request, AIMessageChunk(), [], "stop"))

    def error(self, status: int, message: str) -> dict[str, Any]:
        code = {401: "InvalidApiKey", 404: "ModelNotFound", 429: "Throttling"}.get(status)
        return {"code": code or "InvalidParameter", "message": message, "request_id": "loopback"}


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content") or ""
    if isinstance(content, list):
        content = [{"type": "text", **p} if "text" in p else p for p in content]
    found = {"role": message["role"], "content": content}
    for key in ("tool_calls", "tool_call_id"):
        if message.get(key):
            found[key] = message[key]
    return found


def _finish(message: AIMessage) -> str:
    return _FINISH.get(message.response_metadata.get("finish_reason", ""), "stop")


def _event(
    request: Received, message: AIMessage, pieces: Iterable[Any], finish: str
) -> dict[str, Any]:
    media = request.path.endswith(MULTIMODAL)
    blocks: Any = message.content_blocks
    text = message.text
    said: dict[str, Any] = {
        "role": "assistant",
        "content": ([{"text": text}] if text else []) if media else text,
    }
    thought = "".join(b.get("reasoning", "") for b in blocks if b["type"] == "reasoning")
    if thought:
        said["reasoning_content"] = thought
    if calls := [_call(piece) for piece in pieces]:
        said["tool_calls"] = calls
    event: dict[str, Any] = {
        "output": {"choices": [{"message": said, "index": 0, "finish_reason": finish}]},
        "request_id": message.id or "loopback",
    }
    if message.usage_metadata is not None:
        names = ("input_tokens", "output_tokens", "total_tokens")
        event["usage"] = {name: message.usage_metadata[name] for name in names}  # type: ignore[literal-required]  # its keys
    return event


def _call(piece: Mapping[str, Any]) -> dict[str, Any]:
    function = {"arguments": piece["args"]} if piece.get("args") is not None else {}
    if piece.get("name"):
        function["name"] = piece["name"]
    return {
        "index": piece.get("index") or 0, "id": piece.get("id") or "", "type": "function",
        "function": function,
    }  # fmt: skip


def _bytes(number: int, event: Mapping[str, Any]) -> bytes:
    data = json.dumps(event, ensure_ascii=False)
    return f"id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:{data}\n\n".encode()
