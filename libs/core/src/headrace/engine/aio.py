"""The async world: whatever waits, awaits; helpers are tasks. Imported on first async use.

Nothing that belongs to a task lives across a `yield` here: no TaskGroup, no timeout, no
ContextVar token, else a consumer's own sleep could get the CancelledError meant for a task.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from contextvars import copy_context
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.ahead import Ahead, read
from headrace.engine.bell import TaskBell
from headrace.engine.drive import close
from headrace.engine.guard import Guarded
from headrace.engine.pump import Pump
from headrace.engine.strands import Budget, Fan, Scope, Strand
from headrace.engine.tee import Tee
from headrace.engine.workers import WORKERS
from headrace.errors import StepError, SuspendedError

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Coroutine,
        Iterable,
        Iterator,
    )
    from contextvars import Context

    from headrace.engine.user import Seam

T = TypeVar("T")
U = TypeVar("U")

AHEAD = 16
TURNS = 16  # items that never wait, after which the loop gets its turn
_ENDED: Any = object()


class AsyncWorld:
    """See `World`."""

    is_async = True

    async def settle(self, value: Any) -> Any:
        return await value

    def iterate(self, source: Any) -> AsyncIterator[Any]:
        return source.__aiter__() if hasattr(source, "__aiter__") else _each(source)

    async def sleep(self, seconds: float, scope: Scope | None = None) -> None:
        await asyncio.sleep(seconds)

    def bell(self) -> TaskBell:
        return TaskBell(asyncio.get_running_loop())

    def strand(self) -> Strand:
        return Strand(threading.get_ident(), asyncio.current_task())

    def ahead(self, source: Iterator[T], stop: Callable[[], None]) -> AsyncGenerator[list[T], None]:
        return self.pushed(partial(read, source), stop)

    async def pushed(
        self,
        work: Callable[[Callable[[T], bool]], object],
        stop: Callable[[], None],
        scope: Scope | None = None,
    ) -> AsyncGenerator[list[T], None]:
        reader = Ahead(work, stop)
        try:
            while items := await reader.next():
                yield items
        finally:
            await reader.end()

    async def blocking(
        self, function: Callable[..., T], *args: Any, undo: Callable[[T], None] | None = None
    ) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def task() -> None:
            result: Any = None
            error: BaseException | None = None
            try:
                result = function(*args)
            except (StopIteration, StopAsyncIteration) as stop:
                error = StepError(f"a function raised {type(stop).__name__}")
            except BaseException as raised:
                error = raised
            try:
                loop.call_soon_threadsafe(finish, result, error)
            except RuntimeError:  # the loop was closed meanwhile: nobody is left to tell
                if undo is not None and error is None:
                    undo(result)

        def finish(result: Any, error: BaseException | None) -> None:
            if future.cancelled() and undo is not None and error is None:
                WORKERS.submit(partial(undo, result))
            _finish(future, result, error)

        WORKERS.submit(task)
        return await future

    async def bounded(self, work: Coroutine[Any, Any, T], seconds: float | None) -> T:
        if seconds is None:
            return await work
        async with asyncio.timeout(seconds):  # a coroutine: there is no `yield` to cross
            return await work

    def guarded(
        self, items: AsyncIterator[T], left: Callable[[], float | None]
    ) -> AsyncIterator[T]:
        return Guarded(items, left)

    async def listen(self, answer: Awaitable[None]) -> None:
        await answer

    async def aside(self, work: Coroutine[Any, Any, T]) -> T:
        return await work

    async def spread(
        self,
        source: Iterable[T],
        do: Callable[[T], Coroutine[Any, Any, None]],
        budget: Budget,
        scope: Scope,
        size: int | None = None,
    ) -> None:
        await _Spread(source, do, budget, scope, size).run()

    async def flow(
        self,
        source: Iterable[T],
        open: Callable[[T], AsyncIterator[U]],
        budget: Budget,
        scope: Scope,
        size: int | None = None,
        lend: bool = False,
    ) -> AsyncGenerator[U, None]:
        flow = _Flow(source, open, budget, scope, size)
        try:
            flow.begin(lend)
            while (item := await flow.next()) is not _ENDED:
                yield item
        finally:
            await flow.end()

    def tee(self, chunks: AsyncIterator[T], count: int) -> list[AsyncIterator[T]]:
        return Tee(chunks, count, asyncio.Lock()).readers

    async def generate(
        self, function: Callable[..., Any], chunks: AsyncIterator[Any], seam: Seam
    ) -> AsyncGenerator[Any, None]:
        scope = Scope(seam.run.scope)
        pump = Pump(function, chunks, seam.within(scope))
        try:
            while (item := await pump.next()) is not Pump.ENDED:
                yield item
        finally:
            scope.stop()  # what the generator calls just now ends, for its thread is waited for
            await pump.end()


def _finish(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


async def _each(source: Iterable[T]) -> AsyncGenerator[T, None]:
    try:
        for item in source:
            yield item
    finally:
        if hasattr(source, "close"):
            source.close()


class _Crew:
    """The tasks of one fan-out: started from any thread, cut and awaited together."""

    def __init__(
        self, source: Iterable[Any], budget: Budget, scope: Scope, size: int | None
    ) -> None:
        self._loop, self._home = asyncio.get_running_loop(), threading.get_ident()
        self._budget, self._scope, self._size = budget, scope, size
        self._context = copy_context()
        self._tasks: set[asyncio.Task[None]] = set()
        self._error: BaseException | None = None
        self._cut = False
        self._fan = Fan(source, budget, self._start, size)

    async def _work(self) -> None:
        """What one task does: pulls, and works on what it got."""
        raise NotImplementedError

    def _changed(self) -> None:
        """Something about the tasks is different now."""

    def _start(self, own: bool = False) -> None:
        if threading.get_ident() == self._home and not self._loop.is_closed():
            self._spawn(own)
        else:  # a RuntimeError if the loop is closed
            self._loop.call_soon_threadsafe(self._spawn, own)

    def _spawn(self, own: bool) -> None:
        done = self._own_done if own else self._helper_done
        self._launch(self._work, self._context.copy(), done)

    def _launch(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        context: Context,
        done: Callable[[asyncio.Task[None]], None],
    ) -> None:
        task = self._loop.create_task(self._guarded(work), context=context)
        self._tasks.add(task)
        task.add_done_callback(done)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except BaseException:
            self._call_off()  # now: tasks that never wait keep the callbacks from running
            raise

    def _helper_done(self, task: asyncio.Task[None]) -> None:
        self._own_done(task)
        self._budget.give()

    def _own_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            error: BaseException | None = None if self._cut else asyncio.CancelledError()
        else:
            error = task.exception()
        if error is not None and self._error is None:
            self._error = error
            self._cancel()
        self._changed()

    def _call_off(self) -> None:
        self._fan.close()
        self._scope.stop()

    def _cancel(self) -> None:
        self._cut = True
        self._call_off()
        for task in self._tasks:
            task.cancel()

    async def _gone(self) -> None:
        """Waits until no task is left, also if the waiting is cancelled meanwhile."""
        interrupted = False
        while self._tasks:
            try:
                await asyncio.wait(self._tasks)
                await asyncio.sleep(0)  # the done callbacks run in this turn
            except asyncio.CancelledError:
                interrupted = True
                self._cancel()
        if interrupted:
            raise asyncio.CancelledError


class _Spread(_Crew):
    """A fan-out over tasks; the caller's own strand is a task too, so that it can be cut."""

    def __init__(
        self,
        source: Iterable[Any],
        do: Callable[[Any], Coroutine[Any, Any, None]],
        budget: Budget,
        scope: Scope,
        size: int | None,
    ) -> None:
        super().__init__(source, budget, scope, size)
        self._do = do

    async def run(self) -> None:
        if self._size == 1:
            item = self._fan.pull()
            return await self._do(item[0]) if item else None
        self._fan.enlist()
        self._start(own=True)
        await self._gone()
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None

    async def _work(self) -> None:
        self._fan.hire()
        for turn in count(1):
            if (item := self._fan.pull()) is None:
                return
            await self._do(item[0])
            if not turn % TURNS:
                await asyncio.sleep(0)


class _Flow(_Crew):
    """Iterators run by tasks, or stepped by the caller where no strand is spare."""

    def __init__(
        self,
        source: Iterable[Any],
        open: Callable[[Any], AsyncIterator[Any]],
        budget: Budget,
        scope: Scope,
        size: int | None,
    ) -> None:
        super().__init__(source, budget, scope, size)
        self._open = open
        self._ready: deque[Any] = deque()
        self._wake, self._room = asyncio.Event(), asyncio.Event()
        self._helps, self._lends, self._stepping = False, False, False
        self._mine: AsyncIterator[Any] | None = None

    def begin(self, lend: bool) -> None:
        self._lends = lend
        self._fan.enlist()
        if lend:
            self._start(own=True)
            return
        wanted = self._size or 0
        while wanted and self._fan.hire():
            wanted -= 1
        self._helps = wanted > 0 or self._size is None

    async def next(self) -> Any:
        while True:
            if self._stepping or not (self._ready or self._error or self._helps or not self._tasks):
                self._wake.clear()
                await self._wake.wait()
            elif self._ready:
                self._room.set()
                return self._ready.popleft()
            elif self._error is not None:
                raise self._error
            elif self._helps:
                self._stepping = True
                self._launch(self._step, self._context, self._stepped)
            else:
                return _ENDED

    async def _step(self) -> None:
        """One chunk by the caller's own strand; in a task, so that it can be cut."""
        if self._mine is None:
            pulled = self._fan.pull()
            self._helps = pulled is not None
            if pulled is None:
                return
            self._mine = self._open(pulled[0])
        try:
            self._ready.append(await self._mine.__anext__())
        except StopAsyncIteration:
            self._mine = None

    def _stepped(self, task: asyncio.Task[None]) -> None:
        self._stepping = False
        self._own_done(task)

    async def end(self) -> None:
        self._cancel()
        try:
            await self._gone()
        finally:
            self._error = None
            await close(self._mine)

    async def _work(self) -> None:
        if self._lends:
            self._fan.hire()
        while (item := self._fan.pull()) is not None:
            items = self._open(item[0])
            try:
                async for chunk in items:
                    self._ready.append(chunk)
                    self._wake.set()
                    while len(self._ready) >= AHEAD:
                        self._room.clear()
                        await self._room.wait()
            finally:
                await close(items)

    def _changed(self) -> None:
        self._wake.set()


class _Aside:
    """One loop in one daemon thread, for async listeners and clients of sync runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, answer: Awaitable[Any]) -> Any:
        if threading.current_thread() is self._thread:
            raise SuspendedError(
                "async code on the loop of sync runs made a sync call that needs that loop "
                "itself; await `ainvoke` there"
            )
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="headrace-aside", daemon=True
                )
                self._thread.start()
        future = asyncio.run_coroutine_threadsafe(_awaited(answer), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # nothing goes on there that nobody waits for any more
            raise


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer


_ASIDE = _Aside()


def _after_fork() -> None:
    _ASIDE.__init__()  # type: ignore[misc]  # the thread stayed with the parent


os.register_at_fork(after_in_child=_after_fork)


def run_aside(answer: Awaitable[Any]) -> Any:
    """What an awaitable gives that runs to its end on the side loop while this thread waits."""
    return _ASIDE.run(answer)


ASYNC = AsyncWorld()
