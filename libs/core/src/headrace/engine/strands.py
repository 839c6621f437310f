"""One budget of strands for the whole tree of a call.

A strand is a line of control: a thread or a task. The caller is the first. A fan-out works in
its caller's strand and hires helpers only from what is spare; a strand given back is offered
to the fan-out that has waited longest. Nobody ever waits for a permit, so nothing deadlocks.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

DEFAULT_CONCURRENCY = 32
_WATCHING = threading.Lock()


class Stopped(BaseException):
    """Ends a sync strand whose sibling failed or whose stream was closed; like CancelledError."""


class Strand(NamedTuple):
    """Who runs here: a task of an event loop, or a thread itself."""

    thread: int
    task: object = None

    def stops(self, other: Strand) -> bool:
        """Whether the other one cannot go on while this one waits."""
        return self == other or (self.task is None and self.thread == other.thread)


class Scope:
    """Whether the work of one fan-out, or of one it stands in, has been called off."""

    __slots__ = ("_outer", "_stopped", "_watchers")

    def __init__(self, outer: Scope | None = None) -> None:
        self._outer, self._stopped = outer, False
        self._watchers: tuple[Callable[[], object], ...] = ()

    @property
    def nested(self) -> bool:
        """Whether this is the scope of a fan-out or stream, not that of a whole call."""
        return self._outer is not None

    def stop(self) -> None:
        self._stopped = True
        for tell in self._watchers:
            tell()

    def watch(self, tell: Callable[[], object]) -> None:
        """`tell()` is called when this or an outer scope is stopped; look at `stopped` after."""
        scope: Scope | None = self
        while scope is not None:
            with _WATCHING:
                scope._watchers = (*scope._watchers, tell)
            scope = scope._outer

    def unwatch(self, tell: Callable[[], object]) -> None:
        scope: Scope | None = self
        while scope is not None:
            with _WATCHING:
                scope._watchers = tuple(each for each in scope._watchers if each != tell)
            scope = scope._outer

    @property
    def stopped(self) -> bool:
        scope: Scope | None = self
        while scope is not None:
            if scope._stopped:
                return True
            scope = scope._outer
        return False


class Budget:
    """Strands that a tree may still start; `outer` is the budget of the run it is nested in."""

    __slots__ = ("_lock", "_outer", "_spare", "_wanting")

    def __init__(self, limit: int = DEFAULT_CONCURRENCY, outer: Budget | None = None) -> None:
        self._spare, self._outer = limit - 1, outer
        self._lock = threading.Lock()
        self._wanting: deque[Callable[[], bool]] = deque()

    def take(self) -> bool:
        with self._lock:
            if self._spare <= 0:
                return False
            self._spare -= 1
        if self._outer is None or self._outer.take():
            return True
        with self._lock:
            self._spare += 1
        return False

    def give(self) -> None:
        """Gives a strand back, and offers it to whoever has waited longest, here and outside."""
        self.put_back()
        budget: Budget | None = self
        while budget is not None:
            with budget._lock:
                wanting = tuple(budget._wanting)
            for hire in wanting:
                if hire():
                    break
            budget = budget._outer

    def put_back(self) -> None:
        """Undoes `take`, where nobody else could use the strand either."""
        budget: Budget | None = self
        while budget is not None:
            with budget._lock:
                budget._spare += 1
            budget = budget._outer

    def enlist(self, hire: Callable[[], bool]) -> None:
        budget: Budget | None = self
        while budget is not None:
            with budget._lock:
                budget._wanting.append(hire)
            budget = budget._outer

    def leave(self, hire: Callable[[], bool]) -> None:
        budget: Budget | None = self
        while budget is not None:
            with budget._lock:
                if hire in budget._wanting:
                    budget._wanting.remove(hire)
            budget = budget._outer


class Fan(Generic[T]):
    """A guarded source of work, and the hiring of helpers while there is work and budget.

    Each helper hires the next as it begins, so work that is done at once starts few.
    """

    def __init__(
        self, source: Iterable[T], budget: Budget, start: Callable[[], None], size: int | None
    ) -> None:
        self._items = iter(source)
        self._budget, self._start = budget, start
        self._turn = threading.Lock()  # held while the source works, which may take for ever
        self._lock = threading.Lock()
        self._left = size  # items not yet pulled, where it is known
        self._pulling, self._closed = 0, False
        self.open = size != 0
        self._hire = self.hire  # one bound method, so that `leave` finds the one enlisted

    def enlist(self) -> None:
        """From now on strands given back are offered here; `start` may be called any time."""
        if self._left is None or self._left > 1:
            self._budget.enlist(self._hire)

    def pull(self) -> tuple[T] | None:
        """The next item, or None when there is none left or the fan-out is closed."""
        with self._lock:
            if self.closed:  # else it might wait for a source that never answers
                return None
            self._pulling += 1
        item: tuple[T] | None = None
        try:
            with self._turn:
                item = self._next() if self.open else None
        finally:
            with self._lock:
                self._pulling -= 1
                item = None if self._closed else item
        return item

    def _next(self) -> tuple[T] | None:
        try:
            item = next(self._items)
        except StopIteration:
            self._end()
            return None
        except BaseException:
            self._end()
            raise
        if self._left is not None:
            self._left -= 1
            if not self._left:
                self._end()
        return (item,)

    def hire(self) -> bool:
        """Starts one helper, if there is work for it and a strand to spare."""
        if not (self.open and self._budget.take()):
            return False
        try:
            self._start()
        except RuntimeError:  # no thread can be started, or the loop is closed
            self._budget.put_back()
            return False
        return True

    def close(self) -> None:
        """No more work begins; does not wait for a source that works on its next item."""
        with self._lock:
            self._closed = True
        self._end()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def stuck(self) -> int:
        """How many threads wait for the source of a closed fan-out, and will then just leave."""
        return self._pulling if self._closed else 0

    def _end(self) -> None:
        if self.open:
            self.open = False
            self._budget.leave(self._hire)
