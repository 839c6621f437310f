"""A fair queue that threads and tasks of both worlds wait in: first come, first admitted.

Nobody polls and no thread keeps the time: the first in the line waits for as long as the rule
says, and whoever changes what the rule looks at admits as many as may go.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from headrace.engine.bell import Bell
    from headrace.engine.run import Run

C = TypeVar("C")
D = TypeVar("D", contravariant=True)


class Rule(Protocol[D]):
    """Who may go when; called under the lock of its line. An error it raises is the claim's."""

    def admit(self, claim: D, now: float) -> float | None:
        """0: it may go and has taken what it claims; else seconds to wait, None: to be told."""

    def withdraw(self, claim: D, now: float) -> None:
        """Undoes `admit`: whoever was to go has left."""

    def forked(self) -> None:
        """In a forked child: what the parent's strands hold is not held here."""


class _Spot(Generic[C]):
    __slots__ = ("admitted", "bell", "claim", "error", "gone", "until")

    def __init__(self, claim: C, bell: Bell) -> None:
        self.claim, self.bell = claim, bell
        self.admitted, self.gone = False, False
        self.error: Exception | None = None
        self.until = math.inf  # when it will look for itself again


class Line(Generic[C]):
    """Waits in order for what `rule` admits; `with line:` changes what the rule looks at."""

    def __init__(self, rule: Rule[C], clock: Callable[[], float] = time.monotonic) -> None:
        self._rule, self.clock = rule, clock
        self._lock = Lock()
        self._queue: deque[_Spot[C]] = deque()
        _LINES.add(self)

    def __len__(self) -> int:
        """How many wait; who has just left may be among them."""
        return len(self._queue)

    def try_enter(self, claim: C) -> bool:
        """Whether `claim` could go at once; it does not wait."""
        with self._lock:
            return not self._queue and self._rule.admit(claim, self.clock()) == 0

    async def enter(self, claim: C, run: Run) -> float:
        """Waits for its turn; the seconds waited. Who is cancelled leaves nothing behind.

        Raises TimeoutError when the time of the run ends first.
        """
        with self._lock:
            begun = self.clock()
            if not self._queue and self._rule.admit(claim, begun) == 0:
                return 0.0
            spot = _Spot(claim, run.io.bell())
            self._queue.append(spot)
        try:
            while not self._may_go(spot):
                left = run.bounds.to_end
                if left is not None and left <= 0:
                    raise TimeoutError("the time was over before it was its turn")
                seconds = min(spot.until - self.clock(), math.inf if left is None else left)
                await spot.bell.wait(None if seconds == math.inf else seconds, run.scope)
        except BaseException:
            self._leave(spot)
            raise
        if spot.error is not None:
            raise spot.error
        return self.clock() - begun

    def stir(self) -> None:
        """Has those who wait look at the rule again."""
        with self:
            return

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._admit()
        finally:
            self._lock.release()

    def _may_go(self, spot: _Spot[C]) -> bool:
        with self._lock:
            spot.until = math.inf
            if not spot.admitted:
                self._admit(spot)
            return spot.admitted

    def _leave(self, spot: _Spot[C]) -> None:
        with self:
            spot.gone = True
            if spot.admitted and spot.error is None:
                self._rule.withdraw(spot.claim, self.clock())

    def _admit(self, looking: _Spot[C] | None = None) -> None:
        """Lets go all that may; tells the first of the others when it is to look again."""
        while self._queue:
            spot, now = self._queue[0], self.clock()
            delay: float | None = 0.0
            if not spot.gone:
                try:
                    delay = self._rule.admit(spot.claim, now)
                except Exception as error:
                    spot.error = error
                if delay != 0:
                    until = math.inf if delay is None else now + delay
                    if self._tells(spot, until, looking):
                        return
                elif spot is looking or spot.bell.ring():
                    spot.admitted = True
                elif spot.error is None:  # its loop died while it waited
                    self._rule.withdraw(spot.claim, now)
            self._queue.popleft()

    @staticmethod
    def _tells(spot: _Spot[C], until: float, looking: _Spot[C] | None) -> bool:
        """Has the first in the line look again in time; False if it never will."""
        if spot is not looking:
            return until >= spot.until or spot.bell.ring()
        spot.until = until
        return True

    def forked(self) -> None:
        self._lock, self._queue = Lock(), deque()
        self._rule.forked()


_LINES: WeakSet[Line[Any]] = WeakSet()


def _after_fork() -> None:
    for line in list(_LINES):
        line.forked()


os.register_at_fork(after_in_child=_after_fork)
