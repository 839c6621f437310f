"""Adds up the chunks of a stream in linear time.

Text and lists join; chunks with a `+` of their own add by it; dicts add per key; of what
does not add, the last one stands. Nothing in, nothing out. A class whose chunks add up many at
a time says so by `__headrace_sum__`, a function of a list of them that is equal to their `+`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"

    def __reduce__(self) -> str:
        return "NOTHING"


NOTHING: Final = _Nothing()


class Accumulator:
    """A running sum: `feed(chunk)`, then `total()`, which may be asked midway."""

    __slots__ = ("_join", "_kind", "_parts")

    def __init__(self) -> None:
        self._join: Any = None  # makes one chunk of all that are in `_parts`
        self._kind: Any = None  # the class whose chunks `_parts` joins; None: it is the value
        self._parts: Any = NOTHING

    def feed(self, chunk: Any) -> None:
        kind = chunk.__class__
        if kind is self._kind and kind is not dict:
            self._parts.extend(chunk) if kind is list else self._parts.append(chunk)
        elif self._parts is NOTHING or self._parts is None:
            self._start(kind, chunk)
        elif _by_key(kind):
            self._feed_dict(chunk)
        else:
            total = self.total()
            try:
                total = total + chunk
            except TypeError:
                total = chunk
            self._start(total.__class__, total)

    def _start(self, kind: Any, chunk: Any) -> None:
        self._join = "".join if kind is str else getattr(kind, "__headrace_sum__", None)
        if self._join is not None:
            self._kind, self._parts = kind, [chunk]
        elif kind is list:
            self._kind, self._parts = list, list(chunk)
        elif _by_key(kind):
            self._kind, self._parts = dict, {}
            self._feed_dict(chunk)
        else:
            self._kind, self._parts = None, chunk

    def _feed_dict(self, chunk: dict[Any, Any]) -> None:
        if self._kind is not dict:
            before = self._parts if isinstance(self._parts, dict) else {}
            self._join, self._kind, self._parts = None, dict, {}
            self._feed_dict(before)  # a total that had a `+` of its own
        for key, value in chunk.items():
            part = self._parts.get(key)
            if part is None:
                part = self._parts[key] = Accumulator()
            if value is not None or part.empty:
                part.feed(value)

    @property
    def empty(self) -> bool:
        return self._parts is NOTHING

    def total(self) -> Any:
        """The sum so far, or NOTHING."""
        if self._join is not None:
            if len(self._parts) > 1:
                self._parts = [self._join(self._parts)]
            return self._parts[0]
        if self._kind is dict:
            return {key: part.total() for key, part in self._parts.items()}
        return list(self._parts) if self._kind is list else self._parts


class AddableDict(dict[str, Any]):
    """A dict whose `+` adds value by value; what does not add, the right one replaces."""

    __slots__ = ()

    def __add__(self, other: Mapping[str, Any]) -> AddableDict:
        total = Accumulator()
        total.feed(self)
        total.feed(dict(other))
        return AddableDict(total.total())

    def __radd__(self, other: Any) -> AddableDict:
        return AddableDict(other) + self if isinstance(other, Mapping) else NotImplemented


def _by_key(kind: type[Any]) -> bool:
    """Whether chunks of this class add per key, having no `+` of another meaning."""
    return kind is AddableDict or (issubclass(kind, dict) and not hasattr(kind, "__add__"))
