"""JSON documents found in a model's text, among prose and fences; cut ones are never completed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from headrace.output_parsers.loose import strictly

_FENCE = re.compile(r"^[ \t]*```[ \t]*[\w-]*[ \t]*\r?\n?", re.MULTILINE)
_OPENING = re.compile(r"[{\[]")
_TRIES = 64  # brackets of prose that are looked at before the search is given up


@dataclass(slots=True)
class Found:
    """The whole documents of a text, in order; `cut`: another one begins and does not end.

    `loose`: one of them was not written in strict JSON.
    """

    values: list[Any] = field(default_factory=list)
    cut: bool = False
    loose: bool = False


def _no_constant(word: str) -> Any:
    raise ValueError(f"`{word}` is not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)


def documents_in(text: str) -> Found:
    """Objects and arrays that stand whole in a text."""
    found, position = Found(), 0
    for _ in range(_TRIES):
        opening = _OPENING.search(text, position)
        if opening is None:
            break
        end = whole_end(text, opening.start())
        if end is not None:
            try:
                found.values.append(from_json(text[opening.start() : end].encode()))
            except ValueError:  # a lone surrogate
                position = end
                continue
            position = end
        elif (read := _loosely(text, opening.start())) is not None:
            value, position = read
            found.values.append(value)
            found.loose = True
        elif _begins(text[opening.start() :]):
            found.cut = True
            break
        else:
            position = opening.end()
    return found


def _loosely(text: str, start: int) -> tuple[Any, int] | None:
    """(value, end) of a document that is whole and only misspelt."""
    found = strictly(text, start)
    try:
        return None if found is None else (from_json(found[0], allow_inf_nan=False), found[1])
    except ValueError:
        return None


def whole_end(text: str, start: int) -> int | None:
    """Where the JSON value that starts there ends; None if it is cut or no JSON."""
    try:
        return _decoder.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None


def _begins(text: str) -> bool:
    """Whether a text is the beginning of JSON that ends too early."""
    try:
        from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return False
    return True


def growing_document(text: str) -> str:
    """Where a text that still grows seems to hold its JSON: in a fence, else at a bracket."""
    stripped = text.lstrip()
    if stripped[:1] in ("{", "["):
        return text
    fence = _FENCE.search(text)
    start = fence.end() if fence else 0
    opening = _OPENING.search(text, start)
    if opening is None:
        return ""
    rest = text[opening.start() :]
    end = whole_end(rest, 0)
    return rest if end is None else rest[:end]


class ArrayReader:
    """The items of an array in a growing text, each once and as soon as it is whole.

    `wrapped` is the one key of an object that may stand around the array.
    """

    __slots__ = ("_at", "_opening", "done")

    def __init__(self, wrapped: str = "value") -> None:
        self._opening = re.compile(r'(?:\{\s*"' + re.escape(wrapped) + r'"\s*:\s*)?\[')
        self._at: int | None = None
        self.done = False

    def feed(self, text: str) -> Iterator[Any]:
        """The items that are whole in `text` and were not before; it begins as it did then."""
        if self._at is None:
            opening = self._opening.search(text)
            if opening is None:
                return
            self._at = opening.end()
        while not self.done:
            start = _skip(text, self._at)
            if text[start : start + 1] == ",":
                start = _skip(text, start + 1)
            end = None if text[start : start + 1] == "]" else whole_end(text, start)
            if end is None:
                self.done = text[start : start + 1] == "]"
                return
            after = text[_skip(text, end) :][:1]
            if after not in (",", "]") and (after or text[end - 1] not in '}]"'):
                return  # more digits may follow
            try:
                item = from_json(text[start:end].encode(), allow_inf_nan=False)
            except ValueError:
                self.done = True  # the end of the stream will say what is wrong
                return
            self._at = end
            yield item


def _skip(text: str, start: int) -> int:
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    return start
