"""How long an answer may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from headrace.engine.strands import Scope, Stopped
from headrace.errors import InputError, ModelTimeoutError, suggestion


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds; None means no bound.

    Of each attempt: `connect`, to a connection; `first_chunk`, from the request to the first
    content; `idle`, between pieces of content, of which keep-alives are none. `total`: of the
    whole answer with all attempts and waits; a sync run looks at it at each read.
    """

    connect: float | None = 10
    first_chunk: float | None = 120
    idle: float | None = 120
    total: float | None = 1800

    def __post_init__(self) -> None:
        for field in fields(self):
            check_seconds(f"timeout.{field.name}", getattr(self, field.name))

    @classmethod
    def read(cls, value: Any) -> Timeout:
        """A Timeout from one, from seconds, or from a dict of its fields."""
        if isinstance(value, Timeout):
            return value
        if value is None:
            return cls()
        if isinstance(value, Mapping):
            known = [field.name for field in fields(cls)]
            for name in value:
                if name not in known:
                    told = ", ".join(f"`{one}`" for one in known)
                    raise InputError(
                        f"`timeout` has no `{name}`{suggestion(str(name), known)}; it has {told}"
                    )
            return cls(**value)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return cls(min(float(value), 10.0), value, value, None)
        raise InputError(f"`timeout` is a number of seconds above 0 or a Timeout, not {value!r}")

    def for_invoke(self) -> float | None:
        """The bound of an answer that comes whole: `first_chunk` where no `total` is less."""
        return _least(self.total, self.first_chunk)


def check_seconds(name: str, value: Any) -> None:
    """Raises InputError for what is no number of seconds above 0, and not None either."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and value > 0):
        raise InputError(f"`{name}` is a number of seconds above 0 or None, not {value!r}")


class Watch:
    """Checks one attempt against its timeout at each read; no timer a chunk.

    `left`: the seconds that are left of the total, where that is less than the timeout's own.
    `headers`: of the response, names in lower case, as soon as there is one; also of a refusal.
    `source`: what a sync attempt reads from.
    """

    __slots__ = (
        "_bound", "_cut", "_last", "_total", "begun", "first", "headers", "scope", "source",
        "timeout",
    )  # fmt: skip

    def __init__(
        self, timeout: Timeout, scope: Scope | None = None, left: float | None = None
    ) -> None:
        self.timeout, self.scope = timeout, scope
        self._total = _least(timeout.total, left)
        self._bound = timeout.first_chunk  # of what is waited for now
        self.begun = self._last = time.perf_counter()
        self.first: float | None = None
        self.headers: Mapping[str, str] | None = None
        self.source: object = None
        self._cut: Callable[[], object] | None = None

    def read_from(self, source: object, cut: Callable[[], object] | None) -> None:
        """From now on `source` is read, and `cut` called if the run is called off; or nothing."""
        if self.scope is not None:
            if self._cut is not None:
                self.scope.unwatch(self._cut)
            if cut is not None:
                self.scope.watch(cut)
        self.source, self._cut = source, cut

    def saw(self, content: bool) -> None:
        """A read came back; `content`: with something to show for it.

        Raises ModelTimeoutError when it is late, Stopped in a sync run that was called off.
        """
        if self.scope is not None and self.scope.stopped:
            raise Stopped
        now, bound, total = time.perf_counter(), self._bound, self._total
        if bound is not None and now - self._last > bound:
            raise self.error()
        if total is not None and now - self.begun > total:
            raise self.error()
        if content:
            self._last = now
            if self.first is None:
                self.first, self._bound = now, self.timeout.idle

    def resume(self) -> None:
        """The consumer is back from work of its own, which is no delay of the model's."""
        self._last = time.perf_counter()

    @property
    def left(self) -> float | None:
        """Seconds until the answer is late, below 0 after that; None where nothing bounds it."""
        return _least(self._left_of_chunk(), self.left_of_total)

    @property
    def left_of_total(self) -> float | None:
        """Seconds until the time for the whole answer is over."""
        return None if self._total is None else self.begun + self._total - time.perf_counter()

    @property
    def in_time(self) -> bool:
        """Whether the attempt is not late; clocks of loops may be ahead by a little."""
        left = self.left
        return left is None or left > 0.005

    def error(self) -> ModelTimeoutError:
        """The error that says which bound was passed."""
        chunk, total = self._left_of_chunk(), self.left_of_total
        if chunk is None or (total is not None and total < chunk):
            said = "the `total` of its timeout"
        elif self.first is None:
            said = f"`timeout.first_chunk` = {self.timeout.first_chunk:g} s"
        else:
            said = f"`timeout.idle` = {self.timeout.idle:g} s"
        return ModelTimeoutError(f"the model took longer than {said}; raise it, or ask for less")

    @property
    def figures(self) -> dict[str, float]:
        """`duration_s`, and `first_chunk_s` if there was one."""
        figures = {"duration_s": time.perf_counter() - self.begun}
        if self.first is not None:
            figures["first_chunk_s"] = self.first - self.begun
        return figures

    def _left_of_chunk(self) -> float | None:
        bound = self._bound
        return None if bound is None else self._last + bound - time.perf_counter()


def _least(one: float | None, other: float | None) -> float | None:
    return other if one is None or (other is not None and other < one) else one
