"""The blocks of one streamed answer: starts, deltas and stops in, pieces of content out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from headrace.messages import AIMessageChunk
from headrace_aws.incoming import (
    Block,
    citation,
    joined_base64,
    read_block,
    server_call,
    server_result,
)


@dataclass(slots=True)
class _Open:
    """A block that is kept until it is whole, because only then it can be read."""

    start: Mapping[str, Any]
    parts: list[Any] = field(default_factory=list)


class Arriving:
    """Turns the events of content blocks into chunks.

    Text goes out as bare runs. Where sources may come to stand on it (`annotated`), its blocks
    carry their index, by which the sum finds them again; so do blocks of reasoning.
    """

    __slots__ = ("_annotated", "_cited", "_hidden", "_open")

    def __init__(self, *, annotated: bool) -> None:
        self._annotated = annotated
        self._cited: set[int] = set()
        self._hidden: dict[int, list[str]] = {}  # encrypted reasoning
        self._open: dict[int, _Open] = {}

    def start(self, index: int, start: Mapping[str, Any]) -> list[AIMessageChunk]:
        call = start.get("toolUse")
        if call is not None and call.get("type") != "server_tool_use":
            return [_piece(index, name=call.get("name"), id=call.get("toolUseId"))]
        self._open[index] = _Open(start)
        return []

    def delta(self, index: int, delta: Mapping[str, Any]) -> list[AIMessageChunk]:
        match delta:
            case {"text": str(text)}:
                return self._text(index, text)
            case {"toolUse": {"input": str(args)}}:
                if index not in self._open:
                    return [_piece(index, args=args)]
                self._open[index].parts.append(args)
                return []
            case {"reasoningContent": dict(inner)}:
                return [AIMessageChunk([self._reasoning(index, inner)])]
            case {"citation": dict(source)}:
                return [AIMessageChunk([self._citation(index, source)])]
        opened = self._open.setdefault(index, _Open({}))
        opened.parts.append(delta)
        return []

    def stop(self, index: int) -> list[AIMessageChunk]:
        """The block that was kept, if this one was."""
        opened = self._open.pop(index, None)
        block = None if opened is None else _whole(opened)
        return [] if block is None else [AIMessageChunk([block])]

    def close(self) -> list[AIMessageChunk]:
        """What never got its stop."""
        return [chunk for index in sorted(self._open) for chunk in self.stop(index)]

    def _text(self, index: int, text: str) -> list[AIMessageChunk]:
        if not text:
            return []
        if not self._annotated and index not in self._cited:
            return [AIMessageChunk(text)]
        return [AIMessageChunk([{"type": "text", "text": text, "index": index}])]

    def _citation(self, index: int, source: Mapping[str, Any]) -> Block:
        self._cited.add(index)
        return {"type": "text", "text": "", "index": index, "annotations": [citation(source)]}

    def _reasoning(self, index: int, inner: Mapping[str, Any]) -> Block:
        block: Block = {"type": "reasoning", "reasoning": "", "index": index}
        match inner:
            case {"text": str(text)}:
                block["reasoning"] = text
            case {"signature": str(signature)}:
                block["extras"] = {"signature": signature}
            case {"redactedContent": str(data)}:
                kept = self._hidden.setdefault(index, [])
                kept.append(data)
                block["extras"] = {"redactedContent": joined_base64(kept)}
        return block


def _whole(opened: _Open) -> Block | None:
    start, parts = opened.start, opened.parts
    if (call := start.get("toolUse")) is not None:
        return server_call(call, _args("".join(parts)))
    if (result := start.get("toolResult")) is not None:
        output = [item for part in parts for item in part.get("toolResult") or ()]
        return server_result(result, output)
    if (image := start.get("image")) is not None:
        return read_block({"image": {**image, **_source(parts)}})
    if not start and not parts:
        return None
    return {"type": "non_standard", "value": {"start": dict(start), "deltas": parts}}


def _source(deltas: list[Any]) -> dict[str, Any]:
    """The source of an image whose bytes came in pieces, or in one with a location."""
    sources = [delta.get("image", {}).get("source") or {} for delta in deltas]
    data = [source["bytes"] for source in sources if source.get("bytes")]
    if data:
        return {"source": {"bytes": joined_base64(data)}}
    return {"source": next((source for source in sources if source), {})}


def _args(text: str) -> Any:
    try:
        return from_json(text.encode()) if text.strip() else {}
    except ValueError:
        return text


def _piece(
    index: int, *, name: Any = None, id: Any = None, args: str | None = None
) -> AIMessageChunk:
    piece = {"type": "tool_call_chunk", "name": name, "args": args, "id": id, "index": index}
    return AIMessageChunk(tool_call_chunks=[piece])
