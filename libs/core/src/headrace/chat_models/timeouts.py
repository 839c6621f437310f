"""How long an answer may take."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.engine.strands import Scope, Stopped
from headrace.errors import InputError, ModelTimeoutError


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds, for each attempt; None means no bound.

    `connect`: to a connection. `first_chunk`: from the request to the first content. `idle`:
    between pieces of content; keep-alives do not count. `total`: for the whole answer. In a
    sync run `total` is checked between reads.
    """

    connect: float | None = 10
    first_chunk: float | None = 120
    idle: float | None = 120
    total: float | None = 1800

    @classmethod
    def read(cls, value: Any) -> Timeout:
        """A Timeout from one, from seconds, or from a dict of its fields."""
        if isinstance(value, Timeout):
            return value
        if value is None:
            return cls()
        if isinstance(value, dict):
            return cls(**value)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return cls(min(float(value), 10.0), value, value, None)
        raise InputError(f"`timeout` is a number of seconds above 0 or a Timeout, not {value!r}")

    def for_invoke(self) -> float | None:
        """The bound of an answer that comes whole: `first_chunk` where no `total` is set."""
        bounds = [value for value in (self.total, self.first_chunk) if value is not None]
        return min(bounds) if bounds else None


class Watch:
    """Checks one attempt against its timeout at each read; no timer a chunk.

    `headers`: of the response, names in lower case, as soon as there is one; also of a refusal.
    """

    __slots__ = ("_last", "_scope", "begun", "first", "headers", "timeout")

    def __init__(self, timeout: Timeout, scope: Scope | None = None) -> None:
        self.timeout, self._scope = timeout, scope
        self.begun = self._last = time.perf_counter()
        self.first: float | None = None
        self.headers: Mapping[str, str] | None = None

    def saw(self, content: bool) -> None:
        """A read came back; `content`: with something to show for it.

        Raises ModelTimeoutError when it is late, Stopped in a sync run that was called off.
        """
        if self._scope is not None and self._scope.stopped:
            raise Stopped
        now, limits = time.perf_counter(), self.timeout
        bound, name = (limits.idle, "idle") if self.first else (limits.first_chunk, "first_chunk")
        if bound is not None and now - self._last > bound:
            raise ModelTimeoutError(_late(name, bound))
        if limits.total is not None and now - self.begun > limits.total:
            raise ModelTimeoutError(_late("total", limits.total))
        if content:
            self._last = now
            self.first = self.first or now

    @property
    def figures(self) -> dict[str, float]:
        """`duration_s`, and `first_chunk_s` if there was one."""
        figures = {"duration_s": time.perf_counter() - self.begun}
        if self.first is not None:
            figures["first_chunk_s"] = self.first - self.begun
        return figures


def _late(name: str, bound: float) -> str:
    return f"the model took longer than `timeout.{name}` = {bound:g} s; raise it, or ask for less"
