"""Blocking work in an async run: one worker thread goes ahead of the consumer of its items."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from headrace.engine.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

AHEAD = 64  # items that may wait for the consumer


class Ahead(Generic[T]):
    """`await next()` gives all items that wait, at least one; none when the work has ended.

    `work(put)` runs in the thread; `put` waits for room and is False once nobody reads. `await
    end()` calls `stop`, which must wake the thread where it waits, and comes back when the work
    has returned.
    """

    def __init__(
        self, work: Callable[[Callable[[T], bool]], object], stop: Callable[[], None]
    ) -> None:
        self._work, self._stop = work, stop
        self._loop = asyncio.get_running_loop()
        self._room = threading.Condition()
        self._ready: list[T] = []
        self._told = self._ended = self._closing = self._started = False
        self._error: BaseException | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] = self._loop.create_future()

    async def next(self) -> list[T]:
        if not self._started:
            self._started = True
            WORKERS.submit(self._serve)
        while True:
            with self._room:
                items, self._ready = self._ready, []
                ended, self._told = self._ended, False
                self._room.notify()
            if items:
                return items
            if ended:
                if self._error is not None:
                    raise self._error
                return []
            self._waiting = self._loop.create_future()
            await self._waiting

    async def end(self) -> None:
        if not self._started:
            return
        with self._room:
            self._closing = True
            ended = self._ended
            self._room.notify()
        if not ended:
            self._stop()
        interrupted = False
        while not self._gone.done():
            try:
                await asyncio.wait([self._gone])
            except asyncio.CancelledError:
                interrupted = True
        if interrupted:
            raise asyncio.CancelledError

    def _serve(self) -> None:
        error: BaseException | None = None
        try:
            self._work(self._keep)
        except BaseException as raised:
            error = raised
        with self._room:
            self._error, self._ended = error, True
        self._tell(self._finish)

    def _keep(self, item: T) -> bool:
        with self._room:
            self._room.wait_for(lambda: len(self._ready) < AHEAD or self._closing)
            if self._closing:
                return False
            self._ready.append(item)
            told, self._told = self._told, True
        return told or self._tell(self._wake)

    def _tell(self, function: Callable[[], None]) -> bool:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            return False  # the loop was closed while the thread read
        return True

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _finish(self) -> None:
        self._gone.set_result(None)
        self._wake()


def read(source: Any, put: Callable[[T], bool]) -> None:
    """Puts the items of an iterator, and closes it; the `work` of a source that is pulled."""
    for item in source:
        if not put(item):
            break
    if hasattr(source, "close"):
        source.close()
