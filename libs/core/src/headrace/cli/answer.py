"""An answer as it comes: for a person on a terminal, for a pipe, and as JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, Protocol

from headrace.cli.output import as_json, is_terminal, put
from headrace.messages import AIMessage, AIMessageChunk

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"
_SPOKEN = frozenset({"text", "reasoning", "refusal"})
_SILENT = frozenset({"tool_call_chunk", "non_standard"})


class View(Protocol):
    """What shows the pieces of one answer, then its end."""

    def show(self, chunk: AIMessageChunk) -> None: ...

    def end(self, message: AIMessage | None) -> None:
        """`message`: the whole answer, None if it broke off."""


class Text:
    """The text; on a terminal also the reasoning before it, dimmed."""

    def __init__(self) -> None:
        self._reasons = is_terminal(sys.stdout)
        self._dims = self._reasons and not os.environ.get("NO_COLOR") and _has_styles()
        self._kind = ""  # of what was shown last
        self._last = "\n"

    def show(self, chunk: AIMessageChunk) -> None:
        for kind, text in _pieces(chunk):
            if text and (kind != "reasoning" or self._reasons):
                self._turn_to(kind)
                self._put(text)

    def end(self, message: AIMessage | None) -> None:
        self._turn_to("")
        if self._last != "\n":
            self._put("\n")
        for note in _notes(message) if message is not None else ():
            print(f"headrace: {note}", file=sys.stderr)

    def _turn_to(self, kind: str) -> None:
        before, self._kind = self._kind, kind
        if kind == before:
            return
        if before == "reasoning":
            if self._dims:
                put(_PLAIN, styled=True)
            if kind:
                self._put("\n" if self._last == "\n" else "\n\n")
        if kind == "reasoning" and self._dims:
            put(_DIM, styled=True)

    def _put(self, text: str) -> None:
        put(text)
        self._last = text[-1]


class Lines:
    """JSON lines: {"event": "text" | "reasoning" | "refusal", "text"}, then one "message"."""

    def show(self, chunk: AIMessageChunk) -> None:
        for kind, text in _pieces(chunk):
            if text:
                put(as_json({"event": kind, "text": text}) + "\n")

    def end(self, message: AIMessage | None) -> None:
        if message is not None:
            put(as_json({"event": "message", "message": message}) + "\n")


def _pieces(chunk: AIMessageChunk) -> Iterator[tuple[str, str]]:
    content = chunk.content
    if isinstance(content, str):
        yield "text", content
        return
    for block in chunk.content_blocks:
        kind: str = block["type"]
        if kind in _SPOKEN:
            said: Any = block.get(kind)
            yield kind, said if isinstance(said, str) else ""


def _notes(message: AIMessage) -> Iterator[str]:
    """What a person should know of an answer and would not see."""
    finish = message.response_metadata.get("finish_reason")
    if finish == "length":
        yield "the answer is cut off: it has reached `max_tokens`, or what the model can say"
    elif finish == "content_filter":
        yield "the provider's content filter has ended the answer"
    kinds = {block["type"] for block in message.content_blocks} - _SPOKEN - _SILENT
    if kinds:
        yield f"the answer also holds {', '.join(sorted(kinds))}; `--json` shows all of it"


def _has_styles() -> bool:
    return os.environ.get("TERM", "") not in ("", "dumb")
