"""One candidate of an answer: its parts in, chunks out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.messages import AIMessageChunk
from headrace_google.calls import CallReader, Piece
from headrace_google.finish import finish_reason
from headrace_google.grounding import citations, quoted, searches
from headrace_google.incoming import Block, PartReader
from headrace_google.logprobs import read_logprobs

_PLACED = frozenset({"content", "finishReason", "index", "groundingMetadata", "logprobsResult"})


class ChoiceDecoder:
    """Turns the parts of one candidate into chunks; `kept` is for candidates after the first.

    Text and thoughts go out as bare runs; what carries a signature stands alone, because the
    service wants it back in the part it came with. `grounded`: sources are to be expected, so
    text carries an index, by which they find it.
    """

    __slots__ = ("_calls", "_grounded", "_parts", "_run", "_searched", "_text", "finish", "kept")

    def __init__(self, *, grounded: bool = False) -> None:
        self.kept: list[AIMessageChunk] = []
        self.finish: str | None = None
        self._parts, self._calls = PartReader(), CallReader()
        self._grounded = grounded
        self._searched = False
        self._run = 0  # the stretch of text that is being written
        self._text: list[str] = []  # all of it, for the offsets of sources

    def feed(self, candidate: Mapping[str, Any]) -> tuple[Any, list[Piece], dict[str, Any]]:
        """Content, pieces of calls and metadata of one event."""
        content = candidate.get("content")
        parts = content.get("parts") if content else None
        grounding = candidate.get("groundingMetadata")
        pieces: list[Piece] = []
        if parts and len(parts) == 1 and parts[0].keys() == {"text"} and not self._grounded:
            said: Any = parts[0]["text"]
            if said.__class__ is not str:
                raise TypeError(f"the text of a part is {said!r}")
            self._text.append(said)
        else:
            said = self._blocks(parts or (), pieces)
        if grounding or candidate.get("citationMetadata"):
            said = self._with_sources(said, grounding or {}, candidate.get("citationMetadata"))
        meta = {}
        if not candidate.keys() <= {"content", "index"}:
            meta = self._meta(candidate)
        return said, pieces, meta

    def close(self) -> AIMessageChunk | None:
        """What can be said only at the end: a call that was never finished."""
        piece = self._calls.close()
        return None if piece is None else AIMessageChunk(tool_call_chunks=[piece])

    def _blocks(self, parts: Any, pieces: list[Piece]) -> list[Block]:
        blocks: list[Block] = []
        for part in parts:
            if "functionCall" in part:
                piece = self._calls.piece(part)
                if piece is not None:
                    pieces.append(piece)
                    if self._run:  # beside more than text its place matters
                        blocks.append(piece)
                continue
            block = self._parts.block(part)
            if block is None:
                continue
            if block["type"] != "text":
                self._run += 1
            else:
                self._text.append(block["text"])
                if self._grounded and "extras" not in block:
                    block["index"] = self._run
            blocks.append(block)
        return blocks

    def _with_sources(self, said: Any, grounding: Mapping[str, Any], cited: Any) -> list[Block]:
        """The blocks with the search before the text, if it is not out yet, and its sources."""
        blocks: list[Block] = said
        if said.__class__ is str:
            blocks = [{"type": "text", "text": said}] if said else []
        text = "".join(self._text)
        fresh = any(block["type"] == "text" and len(block["text"]) == len(text) for block in blocks)
        found = [] if self._searched else searches(grounding)
        if found:
            self._searched = True
            first = next((i for i, b in enumerate(blocks) if b["type"] == "text"), len(blocks))
            place = first if fresh else len(blocks)
            blocks = [*blocks[:place], *found, *blocks[place:]]
        notes = [*citations(grounding, text), *quoted(cited, text)]
        if notes:
            self._annotate(blocks, notes)
        return blocks

    def _annotate(self, blocks: list[Block], notes: list[Block]) -> None:
        """Puts sources on the last text of this event, or on that which is out already."""
        for block in reversed(blocks):
            if block["type"] == "text" and block["text"]:
                block["annotations"] = notes
                return
        later: Block = {"type": "text", "text": "", "annotations": notes}
        if self._grounded:
            later["index"] = self._run
        blocks.append(later)

    def _meta(self, candidate: Mapping[str, Any]) -> dict[str, Any]:
        meta = {
            _snake(key): value
            for key, value in candidate.items()
            if key not in _PLACED and value not in (None, "", [], {})
        }
        if grounding := candidate.get("groundingMetadata"):
            meta["grounding_metadata"] = grounding
        if (logprobs := read_logprobs(candidate.get("logprobsResult"))) is not None:
            meta["logprobs"] = logprobs
        raw = candidate.get("finishReason")
        if raw and raw != "FINISH_REASON_UNSPECIFIED":  # some say it until they know
            self.finish = raw
            meta["finish_reason"] = finish_reason(raw, calls=self._calls.count > 0)
            meta["finish_reason_raw"] = raw
        return meta


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
