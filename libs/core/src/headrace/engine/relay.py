"""What a task puts, in the order it does, for the consumer of an async generator."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator

    Put = Callable[[Any], "Room | None"]

AHEAD = 16  # items nobody took yet; then an async producer that awaits `put` pauses
_ENDED: Any = object()


async def relayed(work: Callable[[Put], Coroutine[Any, Any, None]]) -> AsyncGenerator[Any, None]:
    """The items that `work(put)` puts while it runs in a task; then its error, if it has one.

    Closing this cancels the task and waits for it. `put` may be called from any thread.
    """
    relay = _Relay(work)
    try:
        while (item := await relay.next()) is not _ENDED:
            yield item
    finally:
        await relay.end()


class Room:
    """Awaitable: there is room again. `optional`: who cannot wait need not."""

    __slots__ = ("_relay",)
    optional = True

    def __init__(self, relay: _Relay) -> None:
        self._relay = relay

    def __await__(self) -> Generator[Any, None, None]:
        return self._relay.roomy().__await__()


class _Relay:
    def __init__(self, work: Callable[[Put], Coroutine[Any, Any, None]]) -> None:
        self._loop, self._home = asyncio.get_running_loop(), threading.get_ident()
        self._items: deque[Any] = deque()
        self._wake, self._room = asyncio.Event(), asyncio.Event()
        self._closed = False
        self._task = self._loop.create_task(work(self.put))
        self._task.add_done_callback(lambda _: self._wake.set())

    def put(self, item: Any) -> Room | None:
        if threading.get_ident() != self._home:
            try:
                self._loop.call_soon_threadsafe(self._add, item)
            except RuntimeError:
                return None  # the loop was closed while a thread of the user's went on
            return None
        self._add(item)
        return Room(self) if len(self._items) >= AHEAD else None

    def _add(self, item: Any) -> None:
        if not self._closed:
            self._items.append(item)
            self._wake.set()

    async def roomy(self) -> None:
        while len(self._items) >= AHEAD and not self._closed:
            self._room.clear()
            await self._room.wait()

    async def next(self) -> Any:
        while not self._items:
            if self._task.done():
                self._task.result()
                return _ENDED
            self._wake.clear()
            await self._wake.wait()
        item = self._items.popleft()
        self._room.set()
        return item

    async def end(self) -> None:
        self._closed = True
        self._items.clear()
        self._room.set()
        self._task.cancel()
        interrupted = False
        while not self._task.done():
            try:
                await asyncio.wait([self._task])
            except asyncio.CancelledError:
                interrupted = True
        if not self._task.cancelled():
            self._task.exception()  # seen: it was raised before, or the consumer has left
        if interrupted:
            raise asyncio.CancelledError
