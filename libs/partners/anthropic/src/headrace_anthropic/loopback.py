"""The Messages API the other way round, for `headrace.testing.loopback`.

with LoopbackServer(init_chat_model("offline:demo"), MessagesWire()) as server:
    ChatAnthropic(model="m", base_url=server.base_url, api_key="none-needed")
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headrace.messages import AIMessage, AIMessageChunk
from headrace.testing.loopback import Asked, Received

_FINISH = {"length": "max_tokens", "tool_calls": "tool_use", "refusal": "refusal"}
_SIGNATURE = "signed-on-loopback"
_MOST = 8000  # a bound that is required says nothing where it is this high


class MessagesWire:
    """Reads requests to `/v1/messages` and writes messages and the events of streams."""

    base = ""
    stream_type = "text/event-stream"

    def read(self, request: Received) -> Asked | None:
        body = request.body
        if not request.path.partition("?")[0].endswith("/v1/messages"):
            return None
        form = (body.get("output_config") or {}).get("format")
        return Asked(
            messages=[*_system(body.get("system")), *_messages(body["messages"])],
            tools=[tool for tool in body.get("tools") or [] if "input_schema" in tool],
            tool_choice=_choice(body.get("tool_choice")),
            stop=body.get("stop_sequences"),
            max_tokens=_bound(body.get("max_tokens")),
            schema={"title": "answer", **form["schema"]} if form else None,
            stream=bool(body.get("stream")),
        )

    def whole(self, request: Received, message: AIMessage) -> dict[str, Any]:
        return {
            **_head(request.body, message),
            "content": [_block(block) for block in message.content_blocks],
            "stop_reason": _stop_reason(message),
            "usage": _usage(message),
        }

    def events(self, request: Received, chunks: Iterable[AIMessageChunk]) -> Iterator[bytes]:
        for event in _events(request.body, chunks):
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = "invalid_request_error" if status == 400 else "not_found_error"
        return {"type": "error", "error": {"type": kind, "message": message}}


# A request, in neutral terms.


def _bound(tokens: int | None) -> int | None:
    return tokens if tokens is not None and tokens < _MOST else None


def _system(system: Any) -> list[Any]:
    return [{"role": "system", "content": system}] if system else []


def _choice(choice: Mapping[str, Any] | None) -> Any:
    if choice is None:
        return None
    return choice["name"] if choice["type"] == "tool" else choice["type"]


def _messages(turns: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The turns, with each result of a tool as a message of its own."""
    for turn in turns:
        if isinstance(turn["content"], str):
            yield dict(turn)
            continue
        rest = []
        for block in turn["content"]:
            if block["type"] == "tool_result":
                content = block.get("content") or ""
                yield {"role": "tool", "tool_call_id": block["tool_use_id"], "content": content}
            else:
                rest.append(block)
        if rest:
            yield {"role": turn["role"], "content": rest}


# An answer.


def _head(body: Mapping[str, Any], message: AIMessage) -> dict[str, Any]:
    return {
        "id": message.id or "msg_loopback",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", "loopback"),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _block(block: Any) -> dict[str, Any]:
    match block["type"]:
        case "text":
            return {"type": "text", "text": block["text"]}
        case "reasoning":
            return {"type": "thinking", "thinking": block["reasoning"], "signature": _SIGNATURE}
        case "tool_call":
            call = {"id": block["id"], "name": block["name"], "input": block["args"]}
            return {"type": "tool_use", **call}
    raise TypeError(f"a `{block['type']}` block has no place in an answer here")


def _usage(message: AIMessage) -> dict[str, int]:
    used = message.usage_metadata or {}
    return {
        "input_tokens": used.get("input_tokens", 0),
        "output_tokens": used.get("output_tokens", 0),
    }


def _stop_reason(message: AIMessage) -> str:
    return _FINISH.get(message.response_metadata.get("finish_reason", ""), "end_turn")


def _events(body: dict[str, Any], chunks: Iterable[AIMessageChunk]) -> Iterator[dict[str, Any]]:
    blocks = _Blocks()
    end: dict[str, Any] = {"stop_reason": "end_turn", "stop_sequence": None}
    usage, begun = {"input_tokens": 0, "output_tokens": 0}, False
    for chunk in chunks:
        if not begun:
            begun = True
            message = {**_head(body, chunk), "usage": dict(usage)}
            yield {"type": "message_start", "message": message}
        yield from blocks.said(chunk)
        if chunk.response_metadata.get("finish_reason"):
            end["stop_reason"] = _stop_reason(chunk)
        if chunk.usage_metadata:
            usage = _usage(chunk)
    if not begun:
        message = {**_head(body, AIMessageChunk()), "usage": dict(usage)}
        yield {"type": "message_start", "message": message}
    yield from blocks.close()
    yield {"type": "message_delta", "delta": end, "usage": usage}
    yield {"type": "message_stop"}


class _Blocks:
    """Which block is open, for its start, its deltas and its stop."""

    def __init__(self) -> None:
        self._index, self._open = -1, ""

    def say(self, name: str, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The events that open a block, if it is not the one that is open."""
        if name != self._open:
            yield from self.close()
            self._index, self._open = self._index + 1, name
            yield {"type": "content_block_start", "index": self._index, "content_block": block}

    def said(self, chunk: AIMessageChunk) -> Iterator[dict[str, Any]]:
        """The events of one chunk's content."""
        for block in chunk.content_blocks:
            if block["type"] == "reasoning":
                thought = {"type": "thinking", "thinking": "", "signature": ""}
                yield from self.say("thinking", thought)
                yield self.delta({"type": "thinking_delta", "thinking": block["reasoning"]})
            elif block["type"] == "text":
                yield from self.say("text", {"type": "text", "text": ""})
                yield self.delta({"type": "text_delta", "text": block["text"]})
        for piece in chunk.tool_call_chunks:
            if piece["id"]:
                call: dict[str, Any] = {"id": piece["id"], "name": piece["name"], "input": {}}
                yield from self.say(piece["id"], {"type": "tool_use", **call})
            if piece["args"]:
                yield self.delta({"type": "input_json_delta", "partial_json": piece["args"]})

    def delta(self, delta: dict[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def close(self) -> Iterator[dict[str, Any]]:
        if self._open == "thinking":
            yield self.delta({"type": "signature_delta", "signature": _SIGNATURE})
        if self._open:
            yield {"type": "content_block_stop", "index": self._index}
        self._open = ""
