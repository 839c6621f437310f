"""Async reads that end in time: one timer for a stream, not one for each of its items."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import close

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Guarded:
    """The items of `source`; TimeoutError where one is not there when `left()` is used up.

    `left`: the seconds that are left now, or None; their end may come nearer after the first
    item, later it only moves on. Only a read is ever cut, never what its consumer does between
    two reads: the timer just looks again when it finds no read.
    """

    __slots__ = ("_begun", "_handle", "_late", "_left", "_loop", "_reader", "_source")

    def __init__(self, source: AsyncIterator[Any], left: Callable[[], float | None]) -> None:
        self._source, self._left = source, left
        self._loop = asyncio.get_running_loop()
        self._reader: asyncio.Task[Any] | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._begun = self._late = False

    def __aiter__(self) -> Guarded:
        return self

    async def __anext__(self) -> Any:
        self._reader = reader = asyncio.current_task(self._loop)
        assert reader is not None  # whoever awaits is a task
        if self._handle is None:
            self._arm()
        cancelling = reader.cancelling()
        try:
            item = await self._source.__anext__()
        except asyncio.CancelledError as error:
            if self._late and reader.uncancel() <= cancelling:
                raise TimeoutError from error
            raise
        finally:
            self._reader = None
        if not self._begun:
            self._begun = True
            self._disarm()
        return item

    def _arm(self) -> None:
        left = self._left()
        if left is not None:
            self._handle = self._loop.call_later(max(left, 0.0), self._look)

    def _look(self) -> None:
        self._handle = None
        if self._reader is None:
            return  # the next read arms it again
        left = self._left()
        if left is None or left > 0:
            self._arm()
            return
        self._late = True
        self._reader.cancel()

    def _disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    async def aclose(self) -> None:
        self._disarm()
        await close(self._source)
