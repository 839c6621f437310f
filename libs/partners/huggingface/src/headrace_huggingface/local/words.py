"""Tokens as text, one by one, and the texts that end an answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_UNFINISHED = "\ufffd"  # of a character whose other bytes are to come
_PATIENCE = 8  # tokens to wait for them: a character has four bytes at most


class Detokenizer:
    """Token ids to text as they come; special tokens leave none, but for the `kept` ones.

    Each text is what the tokens add to the few before them, for a token's text depends on these.
    """

    __slots__ = ("_done", "_from", "_ids", "_skipped", "_tokenizer")

    def __init__(self, tokenizer: Any, skipped: Iterable[int], kept: Iterable[str] = ()) -> None:
        self._tokenizer = tokenizer
        special = zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True)
        named = set(kept)
        self._skipped = {id for id, text in special if text not in named} | set(skipped)
        self._ids: list[int] = []
        self._from = self._done = 0  # where decoding begins, and what of it was given

    def feed(self, id: int) -> str:
        if id in self._skipped:
            return ""
        self._ids.append(id)
        text = self._new()
        waiting = text.endswith(_UNFINISHED) and len(self._ids) - self._done < _PATIENCE
        if not text or waiting:
            return ""
        self._from, self._done = self._done, len(self._ids)
        return text

    def flush(self) -> str:
        """What never became whole characters."""
        text = self._new()
        self._from = self._done = len(self._ids)
        return text

    def _new(self) -> str:
        before = self._decode(self._ids[self._from : self._done])
        return self._decode(self._ids[self._from :])[len(before) :]

    def _decode(self, ids: list[int]) -> str:
        if not ids:
            return ""
        text: str = self._tokenizer.decode(
            ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text


class StopWords:
    """Text up to the first of some words, which is left out; `found` says which one it was.

    What may be the beginning of one is held back.
    """

    __slots__ = ("_held", "_words", "found")

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(word for word in words if word)
        self._held = ""
        self.found: str | None = None

    def feed(self, text: str) -> str:
        if not self._words:
            return text
        text, self._held = self._held + text, ""
        places = [(at, word) for word in self._words if (at := text.find(word)) >= 0]
        if places:
            at, self.found = min(places)
            return text[:at]
        kept = beginning(text, self._words)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def flush(self) -> str:
        held, self._held = self._held, ""
        return "" if self.found else held


def beginning(text: str, marks: Iterable[str]) -> int:
    """How many characters at the end of a text may be the beginning of one of the marks."""
    known = tuple(marks)
    longest = min(len(text), max(map(len, known)) - 1)
    sizes = range(longest, 0, -1)
    return next((n for n in sizes if any(mark.startswith(text[-n:]) for mark in known)), 0)
