"""Answers in channels, as gpt-oss writes them: thoughts, preambles, calls, the final text. Pure.

Source: docs/format.md of openai/harmony at 20cd04c (read 2026-11)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from headrace_huggingface.local.calls import Called
from headrace_huggingface.local.words import beginning

# Special tokens that structure an answer; a tokenizer with the first one writes in this form.
CHANNEL = "<|channel|>"
_START, _MESSAGE, _END, _CALL = "<|start|>", "<|message|>", "<|end|>", "<|call|>"
CHANNEL_MARKS = frozenset({CHANNEL, _START, _MESSAGE, _END, _CALL, "<|return|>", "<|constrain|>"})
_ENDS = (_END, _CALL, "<|return|>", _START)
_RECIPIENT = re.compile(r"\bto=(?:functions\.)?([^\s<]+)")
_IN_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)")


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of what the model thought."""

    text: str


class ChannelReader:
    """Text in pieces of any size to thoughts, texts and calls; see `CallReader`."""

    __slots__ = ("_call", "_channel", "_held", "_inside")

    def __init__(self) -> None:
        self._held = ""
        self._inside = False  # the content of a message, not its header
        self._channel = ""
        self._call: str | None = None

    def feed(self, text: str) -> list[str | Called | Thought]:
        """What is certain now."""
        self._held += text
        found: list[str | Called | Thought] = []
        while self._step(found):
            pass
        return found

    def flush(self) -> list[str | Called | Thought]:
        """The rest; a header without content is none."""
        held, self._held = self._held, ""
        return self._said(held, whole=True) if self._inside else []

    def _step(self, found: list[str | Called | Thought]) -> bool:
        if not self._inside:
            header, mark, rest = self._held.partition(_MESSAGE)
            if not mark:
                return False
            channel, recipient = _IN_CHANNEL.search(header), _RECIPIENT.search(header)
            self._channel = channel[1] if channel else ""
            self._call = recipient[1] if recipient else None
            self._held, self._inside = rest, True
            return True
        ends = [(at, mark) for mark in _ENDS if (at := self._held.find(mark)) >= 0]
        if ends:
            at, mark = min(ends)
            found += self._said(self._held[:at], whole=True)
            self._held, self._inside = self._held[at + len(mark) :], False
            return True
        if self._call is None:
            kept = beginning(self._held, _ENDS)
            found += self._said(self._held[: len(self._held) - kept])
            self._held = self._held[len(self._held) - kept :]
        return False

    def _said(self, text: str, whole: bool = False) -> list[str | Called | Thought]:
        if self._call is not None:
            return [Called(self._call, text.strip() or "{}")] if whole else []
        if not text:
            return []
        return [Thought(text) if self._channel == "analysis" else text]
