"""The content blocks of a stream: starts, deltas and stops in, chunks out.

Text goes out as bare runs, but for blocks that will carry sources: those, like reasoning and
calls, have an index, by which the sum finds them again.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from headrace.messages import AIMessageChunk
from headrace_anthropic.incoming import Block, read_block, read_citation


class BlockDecoder:
    """Puts the events of content blocks together; `skipped` counts deltas of unknown kinds."""

    __slots__ = ("_cited", "_raw", "_server", "skipped")

    def __init__(self) -> None:
        self._cited: set[int] = set()  # blocks of text that have an index
        self._raw: dict[int, Block] = {}  # blocks that are given whole when they stop
        self._server: dict[int, tuple[Block, list[str]]] = {}  # server tool calls in the making
        self.skipped = 0

    def delta(self, index: int, delta: dict[str, Any]) -> AIMessageChunk | None:
        """The chunk of one delta, None if there is nothing to show yet."""
        kind = delta["type"]
        if kind == "text_delta":
            text = delta["text"]
            if text.__class__ is not str:
                raise TypeError(f"a text is {text!r}")
            if index not in self._cited:
                return AIMessageChunk(text)
            return AIMessageChunk([{"type": "text", "text": text, "index": index}])
        if kind == "input_json_delta":
            return self._input(index, delta["partial_json"])
        if kind == "thinking_delta":
            said = delta["thinking"]
            return AIMessageChunk([{"type": "reasoning", "reasoning": said, "index": index}])
        return self._other_delta(index, kind, delta)

    def start(self, index: int, raw: dict[str, Any]) -> list[AIMessageChunk]:
        """The chunks that a block begins with."""
        if index.__class__ is not int:
            raise TypeError(f"the index of a block is {index!r}")
        match raw["type"]:
            case "text":
                return self._start_text(index, raw)
            case "tool_use":
                return [AIMessageChunk([_call(index, raw)])]
            case "thinking":
                return self._start_thinking(index, raw)
            case "server_tool_use" | "mcp_tool_use":
                self._server[index] = (dict(raw), [])
                return []
            case "compaction":
                self._raw[index] = dict(raw)
                return []
        return [AIMessageChunk([read_block(raw)])]

    def stop(self, index: int) -> list[AIMessageChunk]:
        """The blocks that are given only when they are whole."""
        if index in self._raw:
            return [AIMessageChunk([read_block(self._raw.pop(index))])]
        if index not in self._server:
            return []
        raw, parts = self._server.pop(index)
        text = "".join(parts)
        return [AIMessageChunk([read_block({**raw, "input": _arguments(raw.get("input"), text)})])]

    def _input(self, index: int, text: Any) -> AIMessageChunk | None:
        if text.__class__ is not str:
            raise TypeError(f"a stretch of JSON is {text!r}")
        server = self._server.get(index)
        if server is not None:
            server[1].append(text)
            return None
        if not text:
            return None
        piece = {"type": "tool_call_chunk", "name": None, "args": text, "id": None, "index": index}
        return AIMessageChunk("", tool_call_chunks=[piece])

    def _other_delta(self, index: int, kind: Any, delta: dict[str, Any]) -> AIMessageChunk | None:
        match kind:
            case "signature_delta":
                extras = {"signature": delta["signature"]}
                block: Block = {"type": "reasoning", "reasoning": "", "extras": extras}
            case "citations_delta":
                self._cited.add(index)
                notes = [read_citation(delta["citation"])]
                block = {"type": "text", "text": "", "annotations": notes}
            case "compaction_delta":
                self._raw[index].update({k: v for k, v in delta.items() if k != "type"})
                return None
            case _:
                self.skipped += 1
                return None
        return AIMessageChunk([{**block, "index": index}])

    def _start_text(self, index: int, raw: dict[str, Any]) -> list[AIMessageChunk]:
        block = read_block(raw)
        if isinstance(raw.get("citations"), list) or len(block) > 2:
            self._cited.add(index)
            return [AIMessageChunk([{**block, "index": index}])]
        return [AIMessageChunk(block["text"])] if block["text"] else []

    def _start_thinking(self, index: int, raw: dict[str, Any]) -> list[AIMessageChunk]:
        block = {**read_block(raw), "index": index}
        extras = {k: v for k, v in block.pop("extras", {}).items() if v}
        return [AIMessageChunk([{**block, "extras": extras} if extras else block])]


def _call(index: int, raw: dict[str, Any]) -> Block:
    """The first piece of a call; it stands in the content, so that the sum keeps its place."""
    block = dict(read_block({**raw, "input": {}}))
    piece: Block = {
        "type": "tool_call_chunk",
        "name": block["name"],
        "args": None,
        "id": block["id"],
        "index": index,
    }
    if raw.get("input"):
        piece["args"] = raw["input"]  # as an object: a server that does not stream arguments
    if block.get("extras"):
        piece["extras"] = block["extras"]
    return piece


def _arguments(begun: Any, text: str) -> Any:
    """The input of a server tool call; broken JSON is kept under `partial_json`."""
    if not text:
        return begun or {}
    try:
        value = from_json(text)
    except ValueError:
        return {"partial_json": text}
    return value if isinstance(value, dict) else {"partial_json": text}
