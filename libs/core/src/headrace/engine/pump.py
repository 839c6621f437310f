"""A plain generator in an async run: one worker thread, one context, pulled on demand."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar

from headrace.engine.strands import Stopped
from headrace.engine.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from headrace.engine.user import Seam


class Pump:
    """`await next()` gives the generator's next item or ENDED; `await end()` closes it there."""

    ENDED: ClassVar[Any] = object()

    def __init__(
        self, function: Callable[..., Any], chunks: AsyncIterator[Any], seam: Seam
    ) -> None:
        self._function, self._chunks, self._seam = function, chunks, seam
        self._loop, self._context = asyncio.get_running_loop(), copy_context()
        self._asked: SimpleQueue[asyncio.Future[Any] | None] = SimpleQueue()
        self._started, self._closing = False, False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._pulling: asyncio.Task[Any] | None = None

    async def next(self) -> Any:
        if not self._started:
            WORKERS.submit(self._serve)
            self._started = True
        future: asyncio.Future[Any] = self._loop.create_future()
        self._asked.put(future)
        return await future

    async def end(self) -> None:
        """Closes the generator in its thread, and waits until that is done."""
        if not self._started:
            return
        self._closing = True
        self._asked.put(None)
        if self._pulling is not None:
            self._pulling.cancel()
        interrupted = False
        while not self._closed.done():
            try:
                await asyncio.wait([self._closed])
            except asyncio.CancelledError:
                interrupted = True
        self._closed.result()
        if interrupted:
            raise asyncio.CancelledError

    def _serve(self) -> None:
        items: Any = None
        closing: BaseException | None = None
        while (future := self._asked.get()) is not None:
            try:
                if items is None:
                    items = self._seam.open(self._function, self._inputs())
                item, error = self._seam.step(items, self.ENDED), None
            except BaseException as raised:
                item, error = None, raised
            if not self._tell(_answer, future, item, error):
                break
        try:
            if hasattr(items, "close"):
                self._seam.call(items.close)
        except BaseException as raised:
            closing = raised
        self._tell(_answer, self._closed, None, closing)

    def _tell(self, function: Callable[..., None], *args: Any) -> bool:
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            return False  # the loop was closed while the generator worked
        return True

    def _inputs(self) -> Iterator[Any]:
        while True:
            answer: Future[Any] = Future()
            if not self._tell(self._pull, answer):
                raise Stopped
            chunk = answer.result()
            if chunk is self.ENDED:
                return
            yield chunk

    def _pull(self, answer: Future[Any]) -> None:
        if self._closing:
            answer.set_exception(Stopped())
            return
        self._pulling = self._loop.create_task(_next(self._chunks), context=self._context)
        self._pulling.add_done_callback(partial(self._pulled, answer))

    def _pulled(self, answer: Future[Any], task: asyncio.Task[Any]) -> None:
        self._pulling = None
        if task.cancelled():
            answer.set_exception(Stopped() if self._closing else asyncio.CancelledError())
        elif isinstance(error := task.exception(), StopAsyncIteration):
            answer.set_result(self.ENDED)
        elif error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(task.result())


async def _next(chunks: AsyncIterator[Any]) -> Any:
    return await chunks.__anext__()


def _answer(future: asyncio.Future[Any], item: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(item)
    else:
        future.set_exception(error)
