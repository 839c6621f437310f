"""The sync world: whatever waits, blocks; helpers are threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar, cast

from headrace.engine.bell import ThreadBell
from headrace.engine.drive import close, drive
from headrace.engine.pushed import Pushed
from headrace.engine.strands import Budget, Fan, Scope, Stopped, Strand
from headrace.engine.tee import Tee
from headrace.engine.workers import WORKERS

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

    from headrace.engine.user import Seam

T = TypeVar("T")
U = TypeVar("U")

AHEAD = 16  # results nobody took yet; then helpers pause
GRACE = 0.1  # seconds for helpers of a closed fan-out that wait for its source
_ENDED: Any = object()


class SyncWorld:
    """See `World`."""

    is_async = False

    async def settle(self, value: Any) -> Any:
        return value

    async def iterate(self, source: Any) -> AsyncGenerator[Any, None]:
        try:
            for item in source:
                yield item
        finally:
            if hasattr(source, "close"):
                source.close()

    async def sleep(self, seconds: float, scope: Scope | None = None) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if scope is not None and scope.stopped:
                raise Stopped
            time.sleep(min(left, 0.05) if scope is not None else left)

    def bell(self) -> ThreadBell:
        return ThreadBell()

    def strand(self) -> Strand:
        return Strand(threading.get_ident())

    async def ahead(
        self, source: Iterator[T], stop: Callable[[], None]
    ) -> AsyncGenerator[list[T], None]:
        try:
            for item in source:
                yield [item]
        finally:
            if hasattr(source, "close"):
                source.close()

    async def pushed(
        self,
        work: Callable[[Callable[[T], bool]], object],
        stop: Callable[[], None],
        scope: Scope | None = None,
    ) -> AsyncGenerator[list[T], None]:
        pushed = Pushed(work, stop, scope or Scope())
        try:
            while items := pushed.next():
                yield items
        finally:
            pushed.end()

    async def blocking(
        self, function: Callable[..., T], *args: Any, undo: Callable[[T], None] | None = None
    ) -> T:
        return function(*args)

    async def bounded(self, work: Coroutine[Any, Any, T], seconds: float | None) -> T:
        return await work

    def guarded(
        self, items: AsyncIterator[T], left: Callable[[], float | None]
    ) -> AsyncIterator[T]:
        return items

    async def listen(self, answer: Awaitable[None]) -> None:
        if getattr(answer, "optional", False):
            return
        from headrace.engine.aio import run_aside

        run_aside(answer)

    async def aside(self, work: Coroutine[Any, Any, T]) -> T:
        from headrace.engine.aio import run_aside

        result: T = run_aside(work)
        return result

    async def spread(
        self,
        source: Iterable[T],
        do: Callable[[T], Coroutine[Any, Any, None]],
        budget: Budget,
        scope: Scope,
        size: int | None = None,
    ) -> None:
        _Spread(source, do, budget, scope, size).run()

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
        except KeyboardInterrupt:
            flow.patient = False
            raise
        finally:
            await flow.end()

    def tee(self, chunks: AsyncIterator[T], count: int) -> list[AsyncIterator[T]]:
        return Tee(chunks, count, _Lock()).readers

    async def generate(
        self, function: Callable[..., Any], chunks: AsyncIterator[Any], seam: Seam
    ) -> AsyncGenerator[Any, None]:
        items = seam.open(function, _driven(chunks))
        try:
            while (item := seam.step(items, _ENDED)) is not _ENDED:
                yield item
        finally:
            if hasattr(items, "close"):
                seam.call(items.close)


def _driven(chunks: AsyncIterator[T]) -> Iterator[T]:
    while True:
        try:
            chunk: T = drive(cast("Coroutine[Any, Any, T]", chunks.__anext__()))
        except StopAsyncIteration:
            return
        yield chunk


class _Spread:
    """A fan-out that works in the caller's strand and in helper threads."""

    def __init__(
        self,
        source: Iterable[Any],
        do: Callable[[Any], Coroutine[Any, Any, None]],
        budget: Budget,
        scope: Scope,
        size: int | None,
    ) -> None:
        self._do, self._budget, self._scope, self._size = do, budget, scope, size
        self._errors: list[BaseException] = []
        self._live, self._idle = 0, threading.Condition()
        self._context = copy_context()
        self._fan = Fan(source, budget, self._start, size)

    def run(self) -> None:
        if self._size != 1:
            self._fan.enlist()
            self._fan.hire()
        self._work()
        try:
            if not self._interrupts():
                with self._idle:
                    self._idle.wait_for(lambda: self._live <= self._fan.stuck)
                    self._idle.wait_for(lambda: not self._live, GRACE)
        except BaseException as error:  # Ctrl-C does not wait for helpers, which are daemons
            self._fail(error)
        if self._errors:
            try:
                raise (self._interrupts() or self._errors)[0]
            finally:
                self._errors.clear()

    def _interrupts(self) -> list[BaseException]:
        return [error for error in self._errors if not isinstance(error, Exception | Stopped)]

    def _work(self) -> None:
        fan, do, scope = self._fan, self._do, self._scope
        try:
            while (item := fan.pull()) is not None:
                if scope.stopped:
                    raise Stopped
                drive(do(item[0]))
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._errors.append(error)
        self._fan.close()
        self._scope.stop()

    def _start(self) -> None:
        with self._idle:
            self._live += 1
        try:
            WORKERS.submit(self._help, self._context)
        except RuntimeError:
            self._left()
            raise

    def _help(self) -> None:
        try:
            self._fan.hire()
            self._work()
        finally:
            self._budget.give()
            self._left()

    def _left(self) -> None:
        with self._idle:
            self._live -= 1
            self._idle.notify_all()


class _Flow:
    """Iterators run by helper threads, or stepped by the caller where no strand is spare."""

    def __init__(
        self,
        source: Iterable[Any],
        open: Callable[[Any], AsyncIterator[Any]],
        budget: Budget,
        scope: Scope,
        size: int | None,
    ) -> None:
        self._open, self._budget, self._scope = open, budget, scope
        self._ready: deque[Any] = deque()
        self._changed = threading.Condition()
        self._live, self._helps = 0, False
        self._errors: list[BaseException] = []
        self._mine: AsyncIterator[Any] | None = None
        self._size, self._lends = size, False
        self._context = copy_context()
        self.patient = True
        self._fan = Fan(source, budget, self._start, size)

    def begin(self, lend: bool) -> None:
        """Hires as many as are of use; the caller helps only where that is not enough."""
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
            with self._changed:
                while not (self._ready or self._errors or self._helps or not self._live):
                    self._changed.wait()
                if self._ready:
                    self._changed.notify_all()
                    return self._ready.popleft()
                if self._errors:
                    raise self._errors[0]
                if not self._helps and not self._live:
                    return _ENDED
            try:
                item = await self._step_mine()
            except (Exception, Stopped) as error:
                self._fail(error)  # raised in its turn: a helper's may have come before
            else:
                if item is not _ENDED:
                    return item

    async def _step_mine(self) -> Any:
        if self._scope.stopped:
            raise Stopped
        if self._mine is None:
            pulled = self._fan.pull()
            if pulled is None:
                self._helps = False
                return _ENDED
            self._mine = self._open(pulled[0])
        try:
            return await self._mine.__anext__()
        except StopAsyncIteration:
            self._mine = None
            return _ENDED

    async def end(self) -> None:
        """Calls off what runs and waits for it: a thread ends at its next chunk."""
        self._fan.close()
        self._scope.stop()
        try:
            with self._changed:
                self._changed.notify_all()
                if self.patient:
                    self._changed.wait_for(lambda: self._live <= self._fan.stuck)
                    self._changed.wait_for(lambda: not self._live, GRACE)
        finally:
            self._errors.clear()
            await close(self._mine)

    def _start(self, own: bool = False) -> None:
        with self._changed:
            self._live += 1
        try:
            WORKERS.submit(lambda: self._help(own), self._context)
        except RuntimeError:
            self._left()
            raise

    def _help(self, own: bool) -> None:
        try:
            if self._lends:
                self._fan.hire()
            while (item := self._fan.pull()) is not None:
                if self._scope.stopped:
                    raise Stopped
                drive(self._deliver(self._open(item[0])))
        except BaseException as error:
            self._fail(error)
        finally:
            if not own:
                self._budget.give()
            self._left()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._errors.append(error)
        self._fan.close()
        self._scope.stop()

    def _left(self) -> None:
        with self._changed:
            self._live -= 1
            self._changed.notify_all()

    async def _deliver(self, items: AsyncIterator[Any]) -> None:
        try:
            async for item in items:
                with self._changed:
                    while len(self._ready) >= AHEAD and not self._scope.stopped:
                        self._changed.wait()
                    if self._scope.stopped:
                        raise Stopped
                    self._ready.append(item)
                    self._changed.notify_all()
        finally:
            await close(items)


class _Lock:
    """A thread's lock in the form that `Tee` takes in both worlds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def __aenter__(self) -> None:
        self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


SYNC = SyncWorld()
