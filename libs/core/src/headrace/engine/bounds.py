"""What the steps around a run have settled for it: until when, and whose an error is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Taker = Callable[[BaseException], bool]


class Bounds:
    """Until when, and which errors a retry further out takes.

    So one error is never tried again at two places, and no attempt outlives the whole. Times
    are of `time.monotonic`: `end` is that of `with_timeout`, `hope` that of a model's own
    timeout, which does not count the time that it waits for its turn.
    """

    __slots__ = ("_end", "_hope", "_takers")

    def __init__(
        self,
        end: float | None = None,
        hope: float | None = None,
        takers: tuple[Taker, ...] = (),
    ) -> None:
        self._end, self._hope, self._takers = end, hope, takers

    @property
    def left(self) -> float | None:
        """Seconds that are left, below 0 when the time is over; None where nothing bounds it."""
        return _until(_sooner(self._end, self._hope))

    @property
    def to_end(self) -> float | None:
        """Seconds to the end alone, which time in a queue does not put off."""
        return _until(self._end)

    def left_after(self, waited: float) -> float | None:
        """The same for a model that waited so many seconds for its turn."""
        hope = None if self._hope is None else self._hope + waited
        return _until(_sooner(self._end, hope))

    def taken(self, error: BaseException) -> bool:
        """Whether a retry further out tries again after this error."""
        return any(takes(error) for takes in self._takers)

    def within(self, seconds: float | None) -> Bounds:
        """These, ending in so many seconds at the latest."""
        if seconds is None:
            return self
        return Bounds(_sooner(self._end, time.monotonic() + seconds), self._hope, self._takers)

    def hoping(self, seconds: float | None) -> Bounds:
        """These, for a model that shall answer in so many seconds."""
        if seconds is None:
            return self
        return Bounds(self._end, _sooner(self._hope, time.monotonic() + seconds), self._takers)

    def taking(self, taker: Taker) -> Bounds:
        """These, and a retry that takes the errors it wants."""
        return Bounds(self._end, self._hope, (*self._takers, taker))

    def untaken(self) -> Bounds:
        """These, for requests that are tried again by themselves whatever stands around."""
        return Bounds(self._end, self._hope) if self._takers else self


def _sooner(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _until(end: float | None) -> float | None:
    return None if end is None else end - time.monotonic()


NO_BOUNDS = Bounds()
