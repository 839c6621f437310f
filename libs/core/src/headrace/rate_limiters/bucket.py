"""A level that fills with time: how much of one kind may be used, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass

_SCARCE = 0.1  # only when less than this is left do figures of a provider say its pace well
_DUST = 1e-9  # rounding


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider says of one of its limits; `reset` in seconds from now, until it is full."""

    limit: float | None
    remaining: float
    reset: float | None


class Bucket:
    """Fills at `rate` a second up to `size`; who claims more than `size` waits for a full one.

    In any time t no more than rate * t + size is let out, or one claim larger than that. What
    was used beyond the claim is owed. `pace` slows it.
    """

    __slots__ = ("_at", "level", "pace", "rate", "size")

    def __init__(self, rate: float = math.inf, size: float = math.inf) -> None:
        self.rate, self.size, self.level = rate, size, size
        self.pace = 1.0
        self._at: float | None = None

    @property
    def bounded(self) -> bool:
        """Whether there is anything to wait for."""
        return self.speed < math.inf or self.level < math.inf

    @property
    def speed(self) -> float:
        return self.rate * self.pace

    def delay(self, amount: float, now: float) -> float:
        """Seconds until `amount` may be taken."""
        self._fill(now)
        missing = min(amount, self.size) - self.level
        return missing / self.speed if missing > _DUST else 0.0

    def take(self, amount: float) -> None:
        """Takes it; a negative amount gives back."""
        self.level = min(self.level - amount, self.size)

    def learn(self, told: Told, now: float) -> None:
        """Takes over what a provider says is left, and its pace, while little is left."""
        self._fill(now)
        limit = told.limit or max(told.remaining, 1)
        if told.remaining >= max(limit * _SCARCE, 1):
            self.rate = self.size = self.level = math.inf
            return
        self.size, self.level = limit, min(self.level, told.remaining)
        if told.reset:
            self.rate = max(limit - told.remaining, 1) / told.reset

    def _fill(self, now: float) -> None:
        if self._at is not None and self.level < self.size and now > self._at:
            self.level = min(self.level + (now - self._at) * self.speed, self.size)
        self._at = now
