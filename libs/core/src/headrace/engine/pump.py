"""A plain generator in an async run: one worker thread, one context, pulled on demand."""

from __future__ import annotations

import asyncio
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar

from headrace.engine.strands import Stopped
from headrace.engine.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from concurrent.futures import Future

    from headrace.engine.user import Seam


class Pump:
    """`await next()` gives the generator's next item or ENDED; `await end()` closes it there."""

    ENDED: ClassVar[Any] = object()

    def __init__(
        self, function: Callable[..., Any], chunks: AsyncIterator[Any], seam: Seam
    ) -> None:
        self._function, self._chunks, self._seam = function, chunks, seam
        self._loop = asyncio.get_running_loop()
        self._asked: SimpleQueue[asyncio.Future[Any] | None] = SimpleQueue()
        self._started, self._closing = False, False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._pulling: Future[Any] | None = None

    async def next(self) -> Any:
        if not self._started:
            self._started = True
            WORKERS.submit(self._serve)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._asked.put(future)
        return await future

    async def end(self) -> None:
        if not self._started:
            return
        self._closing = True
        self._asked.put(None)
        if self._pulling is not None:
            self._pulling.cancel()
        interrupted = False
        while not self._closed.done():
            try:
                await asyncio.shield(self._closed)
            except asyncio.CancelledError:
                interrupted = True
        if interrupted:
            raise asyncio.CancelledError

    def _serve(self) -> None:
        items: Any = None
        try:
            while (future := self._asked.get()) is not None:
                try:
                    if items is None:
                        items = iter(self._seam.call(self._function, self._inputs()))
                    item, error = self._seam.step(items, self.ENDED), None
                except BaseException as raised:
                    item, error = None, raised
                self._tell(_answer, future, item, error)
            if hasattr(items, "close"):
                self._seam.call(items.close)
        finally:
            self._tell(self._closed.set_result, None)

    def _tell(self, function: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            return  # the loop was closed while the generator worked

    def _inputs(self) -> Iterator[Any]:
        while True:
            self._pulling = asyncio.run_coroutine_threadsafe(self._pull(), self._loop)
            if self._closing:
                self._pulling.cancel()
            try:
                chunk = self._pulling.result()
            except BaseException as error:
                if self._closing:
                    raise Stopped from error
                raise
            finally:
                self._pulling = None
            if chunk is self.ENDED:
                return
            yield chunk

    async def _pull(self) -> Any:
        try:
            return await self._chunks.__anext__()
        except StopAsyncIteration:
            return self.ENDED


def _answer(future: asyncio.Future[Any], item: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(item)
    else:
        future.set_exception(error)
