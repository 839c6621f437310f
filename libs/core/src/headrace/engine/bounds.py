"""What the steps around a run have settled for it: until when, and whose an error is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Taker = Callable[[BaseException], bool]


class Bounds:
    """A deadline (of `time.monotonic`), and the errors that a retry further out takes.

    So one error is never tried again at two places, and no attempt outlives the whole.
    """

    __slots__ = ("_takers", "deadline")

    def __init__(self, deadline: float | None = None, takers: tuple[Taker, ...] = ()) -> None:
        self.deadline, self._takers = deadline, takers

    @property
    def left(self) -> float | None:
        """Seconds until the deadline, below 0 after it; None where there is none."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def taken(self, error: BaseException) -> bool:
        """Whether a retry further out tries again after this error."""
        return any(takes(error) for takes in self._takers)

    def within(self, seconds: float | None) -> Bounds:
        """These, ending in so many seconds at the latest."""
        if seconds is None:
            return self
        end = time.monotonic() + seconds
        if self.deadline is not None and self.deadline <= end:
            return self
        return Bounds(end, self._takers)

    def taking(self, taker: Taker) -> Bounds:
        """These, and a retry that takes the errors it wants."""
        return Bounds(self.deadline, (*self._takers, taker))

    def untaken(self) -> Bounds:
        """These, for requests that are tried again by themselves whatever stands around."""
        return Bounds(self.deadline) if self._takers else self


NO_BOUNDS = Bounds()
