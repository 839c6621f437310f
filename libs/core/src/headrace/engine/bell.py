"""How one strand waits for another, in either world: a bell that any thread may ring."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from headrace.engine.strands import Stopped

if TYPE_CHECKING:
    from headrace.engine.strands import Scope


class Bell(Protocol):
    """Waited for by the strand that it was made for; a ring that nobody heard yet is kept."""

    def ring(self) -> bool:
        """Wakes who waits, from any thread; False if nobody will ever hear it."""

    async def wait(self, seconds: float | None, scope: Scope) -> None:
        """Until it rings, or for so many seconds; Stopped in a sync run that is called off."""


class ThreadBell:
    """The bell of a thread."""

    __slots__ = ("_rung",)

    def __init__(self) -> None:
        self._rung = threading.Lock()
        self._rung.acquire()

    def ring(self) -> bool:
        try:
            self._rung.release()
        except RuntimeError:
            return True  # it rings already
        return True

    async def wait(self, seconds: float | None, scope: Scope) -> None:
        scope.watch(self.ring)
        try:
            if not scope.stopped:
                patience = -1 if seconds is None else min(max(seconds, 0), threading.TIMEOUT_MAX)
                self._rung.acquire(timeout=patience)
        finally:
            scope.unwatch(self.ring)
        if scope.stopped:
            raise Stopped


class TaskBell:
    """The bell of a task of one event loop; who waits is cancelled as a task is."""

    __slots__ = ("_future", "_home", "_loop", "_rung")

    def __init__(self, loop: Any) -> None:
        self._loop, self._home = loop, threading.get_ident()
        self._future: Any = None
        self._rung = False

    def ring(self) -> bool:
        try:
            if threading.get_ident() == self._home:
                self._wake()
            else:
                self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            return False  # the loop was closed, and with it who waited there
        return True

    def _wake(self) -> None:
        self._rung = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float | None, scope: Scope) -> None:
        timer = None
        if not self._rung:
            self._future = self._loop.create_future()
            if seconds is not None:
                timer = self._loop.call_later(max(seconds, 0), self._wake)
            try:
                await self._future
            finally:
                self._future = None
                if timer is not None:
                    timer.cancel()
        self._rung = False
