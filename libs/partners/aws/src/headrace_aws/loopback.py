"""Converse the other way round, for `headrace.testing.loopback`.

with LoopbackServer(init_chat_model("offline:demo"), ConverseWire()) as server:
    ChatBedrockConverse(model="amazon.nova-lite-v1:0", base_url=server.base_url, api_key="none")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from headrace.chat_models.frames import write_frame
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from headrace.testing.loopback import Asked, Received

_FINISH = {
    "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "content_filtered",
}  # fmt: skip
_MARKS = frozenset({"cachePoint"})  # no content
Part = dict[str, Any]


class ConverseWire:
    """Reads requests to `/model/…/converse` and `…/converse-stream`, and writes their answers."""

    base = ""
    stream_type = "application/vnd.amazon.eventstream"

    def read(self, request: Received) -> Asked | None:
        path, body = request.path.partition("?")[0], request.body
        if not path.endswith(("/converse", "/converse-stream")):
            return None
        config = body.get("toolConfig") or {}
        numbers = body.get("inferenceConfig") or {}
        return Asked(
            messages=[*_system(body.get("system")), *_messages(body.get("messages") or ())],
            tools=[tool for tool in config.get("tools") or () if "toolSpec" in tool],
            tool_choice=_choice(config.get("toolChoice")),
            stop=numbers.get("stopSequences"),
            max_tokens=numbers.get("maxTokens"),
            schema=_schema(body.get("outputConfig") or {}),
            stream=path.endswith("-stream"),
        )

    def whole(self, request: Received, message: AIMessage) -> dict[str, Any]:
        made: list[Any] = [*message.tool_calls, *message.invalid_tool_calls]
        calls = [
            {"toolUse": {"toolUseId": call["id"], "name": call["name"], "input": call["args"]}}
            for call in made
        ]
        content = [*(_part(block) for block in _said(message)), *calls]
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _stop_reason(message),
            "usage": _usage(message),
            "metrics": {"latencyMs": 1},
        }

    def events(self, request: Received, chunks: Iterable[AIMessageChunk]) -> Iterator[bytes]:
        for kind, event in _events(chunks):
            headers = {
                ":event-type": kind,
                ":content-type": "application/json",
                ":message-type": "event",
            }
            yield write_frame(headers, to_json(event))

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"message": message}


# A request, in neutral terms.


def _system(parts: Any) -> list[BaseMessage]:
    kept = [part for part in parts or () if not part.keys() & _MARKS]
    return [SystemMessage(kept)] if kept else []


def _schema(config: Mapping[str, Any]) -> dict[str, Any] | None:
    form = config.get("textFormat")
    if not form:
        return None
    found = form["structure"]["jsonSchema"]
    return {"title": found.get("name") or "answer", **from_json(found["schema"])}


def _choice(choice: Mapping[str, Any] | None) -> Any:
    if not choice:
        return None
    kind = next(iter(choice))
    return choice["tool"]["name"] if kind == "tool" else kind


def _messages(turns: Iterable[Mapping[str, Any]]) -> Iterator[BaseMessage]:
    """The turns, with each result of a tool as a message of its own."""
    for turn in turns:
        parts = [part for part in turn["content"] if not part.keys() & _MARKS]
        if turn["role"] == "assistant":
            yield AIMessage(parts)
            continue
        for part in parts:
            if (result := part.get("toolResult")) is not None:
                failed = result.get("status") == "error"
                yield ToolMessage(
                    result["content"], result["toolUseId"], status="error" if failed else "success"
                )
        rest = [part for part in parts if "toolResult" not in part]
        if rest:
            yield SystemMessage(rest) if turn["role"] == "system" else HumanMessage(rest)


# An answer.


def _said(message: AIMessage) -> list[Part]:
    """The blocks of text and reasoning."""
    blocks: list[Any] = list(message.content_blocks)
    return [block for block in blocks if block["type"] in ("text", "reasoning")]


def _part(block: Part) -> Part:
    if block["type"] == "text":
        return {"text": block["text"]}
    signature = (block.get("extras") or {}).get("signature")
    said = {"text": block.get("reasoning") or ""}
    return {
        "reasoningContent": {
            "reasoningText": {**said, "signature": signature} if signature else said
        }
    }


def _usage(message: AIMessage) -> dict[str, int]:
    used = message.usage_metadata or {}
    details: Mapping[str, Any] = used.get("input_token_details") or {}
    read, written = details.get("cache_read"), details.get("cache_creation")
    sent, said = used.get("input_tokens", 0), used.get("output_tokens", 0)
    found = {
        "inputTokens": sent - (read or 0) - (written or 0),
        "outputTokens": said,
        "totalTokens": sent + said,
    }
    kept = {"cacheReadInputTokens": read, "cacheWriteInputTokens": written}
    return found | {name: figure for name, figure in kept.items() if figure is not None}


def _stop_reason(message: AIMessage) -> str:
    return _FINISH.get(message.response_metadata.get("finish_reason", ""), "end_turn")


def _events(chunks: Iterable[AIMessageChunk]) -> Iterator[tuple[str, Part]]:
    yield "messageStart", {"role": "assistant"}
    blocks, reason, usage = _Blocks(), "end_turn", _usage(AIMessage(""))
    for chunk in chunks:
        for block in _said(chunk):
            yield from blocks.say(block)
        for piece in chunk.tool_call_chunks:
            yield from blocks.call(piece)
        if chunk.response_metadata.get("finish_reason"):
            reason = _stop_reason(chunk)
        if chunk.usage_metadata:
            usage = _usage(chunk)
    yield from blocks.close()
    yield "messageStop", {"stopReason": reason}
    yield "metadata", {"usage": usage, "metrics": {"latencyMs": 1}}


class _Blocks:
    """Which block is open, for its start, its deltas and its stop."""

    def __init__(self) -> None:
        self._index, self._open = -1, ""

    def say(self, block: Part) -> Iterator[tuple[str, Part]]:
        if self._open != block["type"]:
            yield from self.open(block["type"])
        if block["type"] == "text":
            yield self._delta({"text": block["text"]})
            return
        yield self._delta({"reasoningContent": {"text": block.get("reasoning") or ""}})
        if signature := (block.get("extras") or {}).get("signature"):
            yield self._delta({"reasoningContent": {"signature": signature}})

    def call(self, piece: Any) -> Iterator[tuple[str, Part]]:
        if piece["id"]:
            yield from self.open(piece["id"])
            start = {"toolUse": {"toolUseId": piece["id"], "name": piece["name"]}}
            yield "contentBlockStart", {"contentBlockIndex": self._index, "start": start}
        if piece["args"]:
            yield self._delta({"toolUse": {"input": piece["args"]}})

    def open(self, name: str) -> Iterator[tuple[str, Part]]:
        yield from self.close()
        self._index, self._open = self._index + 1, name

    def close(self) -> Iterator[tuple[str, Part]]:
        if self._open:
            yield "contentBlockStop", {"contentBlockIndex": self._index}
        self._open = ""

    def _delta(self, delta: Part) -> tuple[str, Part]:
        return "contentBlockDelta", {"contentBlockIndex": self._index, "delta": delta}
