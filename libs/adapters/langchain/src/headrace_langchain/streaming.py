"""headrace's chunks as LangChain's, so that LangChain's sum of them is headrace's sum.

LangChain joins blocks by `index` alone, adds up numbers and strings under equal keys, and cannot
add two floats: so each block gets an index of its own, whatever does not grow is said once, and
usage and metadata come at the end. Source: langchain_core/utils/_merge.py, 1.8.3 (read 2026-11)
"""

from __future__ import annotations

from typing import Any, cast

from langchain_core.messages import AIMessageChunk as LangChainChunk
from pydantic_core import to_json

from headrace.messages import AIMessageChunk
from headrace.messages.canonical import canonical_block
from headrace_langchain.blocks import CALL_EXTRAS, CALLS, VERSION, Block
from headrace_langchain.outgoing import write_usage

_RUNS = frozenset({"text", "reasoning", "refusal"})
# What LangChain may go on to concatenate or append to, in a block that was begun.
_GROWING = frozenset(
    {"text", "reasoning", "refusal", "args", "base64", "transcript", "annotations"}
)


class Writer:
    """One stream: `write` for each chunk, `end` for what is known at the end.

    The content is text while there is nothing else, and blocks from the first other block on;
    with `blocks` from the start.
    """

    def __init__(self, blocks: bool = False) -> None:
        self._blocks, self._texts = blocks, False
        self._total: AIMessageChunk | None = None
        self._places: dict[Any, int] = {}
        self._said: list[Block] = []
        self._run: str | None = None
        self._calls = 0

    def write(self, chunk: AIMessageChunk) -> LangChainChunk | None:
        """The chunk to pass on; None for one that says nothing yet."""
        self._total = chunk if self._total is None else self._total + chunk
        pieces = [dict(piece) for piece in chunk.tool_call_chunks]
        content = self._content(chunk, pieces)
        if not content and not pieces:
            return None
        return LangChainChunk(
            content=content,
            tool_call_chunks=[self._piece(piece) for piece in pieces],
            response_metadata=self._version(content),
            id=chunk.id,
        )

    def end(self) -> LangChainChunk:
        """The last chunk, with usage, metadata and what else is not summed."""
        total = self._total or AIMessageChunk()
        content: Any = [] if self._blocks else ""
        kwargs = dict(total.additional_kwargs)
        extras = {call["id"]: call["extras"] for call in total.tool_calls if call.get("extras")}
        if extras and not self._blocks:
            kwargs[CALL_EXTRAS] = extras
        metadata = {key: value for key, value in total.response_metadata.items() if value != []}
        return LangChainChunk(
            content=content,
            usage_metadata=write_usage(total.usage_metadata),
            response_metadata={**metadata, **self._version(content)},
            additional_kwargs=kwargs,
            id=total.id,
            name=total.name,
            chunk_position="last",
        )

    def _version(self, content: Any) -> dict[str, Any]:
        """The mark of standard blocks; not where a text without one has gone before."""
        return {VERSION: "v1"} if isinstance(content, list) and not self._texts else {}

    def _content(self, chunk: AIMessageChunk, pieces: list[Block]) -> Any:
        given = chunk.content
        if isinstance(given, str):
            if not self._blocks:
                self._texts = self._texts or bool(given)
                return given
            parts = [{"type": "text", "text": given}] if given else []
        else:
            parts = [cast("Block", canonical_block(part)) for part in given]
        for part in parts:
            if part["type"] == "tool_call":
                args = to_json(part["args"]).decode()
                pieces.append({**part, "type": "tool_call_chunk", "args": args, "index": None})
            elif part["type"] == "invalid_tool_call":
                pieces.append({**part, "type": "tool_call_chunk", "index": None})
        parts = [part for part in parts if part["type"] not in CALLS]
        if not self._blocks:
            if all(part["type"] == "text" and _is_bare(part) for part in parts):
                self._texts = self._texts or bool(parts)
                return "".join(part["text"] for part in parts)
            self._blocks = True
        return [self._block(part) for part in (*parts, *pieces)]

    def _block(self, part: Block) -> Block:
        """A block with an index of its own, and without what was said of it before."""
        place = self._place(part)
        if place == len(self._said):
            self._said.append({})
        said, found = self._said[place], {"type": part["type"], "index": place}
        for key, value in part.items():
            if key in found or value is None:
                continue
            if key == "extras":
                known = said.setdefault("extras", {})
                value = {name: one for name, one in value.items() if name not in known}
                known.update(value)
            elif key not in _GROWING:
                if key in said:
                    continue
                said[key] = value
            if value or key != "extras":
                found[key] = value
        return found

    def _place(self, part: Block) -> int:
        kind, index, id = part["type"], part.get("index"), part.get("id")
        run, self._run = self._run, None
        if index is None:
            if kind in _RUNS and _is_bare(part):
                self._run = kind
                if run == kind:
                    return len(self._said) - 1
            return len(self._said)
        place = self._places.get((kind, index))
        if place is None or (id and self._said[place].get("id") not in (None, id)):
            place = self._places[kind, index] = len(self._said)
        return place

    def _piece(self, piece: Block) -> Any:
        """A piece of a call; LangChain takes numbers alone for its index."""
        index = piece.get("index")
        if isinstance(index, str):
            index = self._places.setdefault(("call", index), 1000 + len(self._places))
        names = ("name", "args", "id")
        return {"type": "tool_call_chunk", "index": index, **{key: piece[key] for key in names}}


def _is_bare(part: Block) -> bool:
    return all(
        value is None for key, value in part.items() if key not in (part["type"], "type", "index")
    )
