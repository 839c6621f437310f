"""Ollama's chat API the other way round, for `headrace.testing.loopback`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message, sum_chunks
from headrace.testing.loopback import Asked, Received


class OllamaWire:
    """Reads requests to `/api/chat` and writes answers and their lines.

    Arguments of calls come whole: a call that was cut off cannot be said.
    """

    base = ""
    stream_type = "application/x-ndjson"
    carries_cut_arguments = False

    def read(self, request: Received) -> Asked | None:
        body = request.body
        if request.path != "/api/chat":
            return None
        form, options = body.get("format"), body.get("options") or {}
        return Asked(
            messages=[_message(message) for message in body["messages"]],
            tools=body.get("tools") or [],
            stop=options.get("stop"),
            max_tokens=options.get("num_predict"),
            schema=form if isinstance(form, dict) else None,
            stream=bool(body.get("stream")),
        )

    def whole(self, request: Received, message: AIMessage) -> dict[str, Any]:
        return _line(request.body, _said(message), message)

    def events(self, request: Received, chunks: Iterable[AIMessageChunk]) -> Iterator[bytes]:
        """Text and reasoning as they come; calls when the answer is whole."""
        seen: list[AIMessageChunk] = []
        for chunk in chunks:
            seen.append(chunk)
            said = {k: v for k, v in _said(chunk).items() if k != "tool_calls"}
            if said["content"] or "thinking" in said:
                yield _bytes({"model": request.body["model"], "message": said, "done": False})
        whole = message_chunk_to_message(sum_chunks(seen))
        assert isinstance(whole, AIMessage)
        last = {k: v for k, v in _said(whole).items() if k != "thinking"}
        yield _bytes(_line(request.body, {**last, "content": ""}, whole))

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"error": message}


def _bytes(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line).encode() + b"\n"


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    calls = [
        {"id": c.get("id"), "name": c["function"]["name"], "args": c["function"]["arguments"]}
        for c in message.get("tool_calls") or ()
    ]
    found: dict[str, Any] = {"role": message["role"], "content": message["content"]}
    if calls:
        found["tool_calls"] = calls
    if message["role"] == "tool":
        found["tool_call_id"] = message.get("tool_call_id") or ""
    return found


def _said(message: AIMessage) -> dict[str, Any]:
    blocks: Any = message.content_blocks
    said: dict[str, Any] = {"role": "assistant", "content": message.text}
    thought = "".join(b["reasoning"] for b in blocks if b["type"] == "reasoning")
    if thought:
        said["thinking"] = thought
    if message.tool_calls:
        said["tool_calls"] = [
            {"id": call["id"], "function": {"name": call["name"], "arguments": call["args"]}}
            for call in message.tool_calls
        ]
    return said


def _line(body: Mapping[str, Any], said: Mapping[str, Any], message: AIMessage) -> dict[str, Any]:
    used: Any = message.usage_metadata or {}
    cut = message.response_metadata.get("finish_reason") == "length"
    return {
        "model": body["model"], "message": said, "done": True,
        "done_reason": "length" if cut else "stop",
        "prompt_eval_count": used.get("input_tokens", 0),
        "eval_count": used.get("output_tokens", 0),
    }  # fmt: skip
