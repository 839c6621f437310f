"""Work that pushes what it makes, in one worker thread: the same in both worlds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from headrace.engine.ahead import AHEAD
from headrace.engine.drive import close
from headrace.engine.pushed import AHEAD as SYNC_AHEAD
from headrace.engine.strands import Scope, Stopped

Put = Callable[[int], bool]


class Work:
    """Puts numbers until it is stopped; says where it ran and how far it came."""

    def __init__(self, count: int = 1_000_000, error: Exception | None = None) -> None:
        self.count, self.error = count, error
        self.put = self.stops = 0
        self.thread: threading.Thread | None = None
        self.returned, self.full = False, threading.Event()

    def __call__(self, put: Put) -> None:
        self.thread = threading.current_thread()
        try:
            while self.put < self.count and put(self.put):
                self.put += 1
                if self.put == AHEAD:
                    self.full.set()
            if self.error is not None:
                raise self.error
        finally:
            self.returned = True

    def stop(self) -> None:
        self.stops += 1


def read(
    world: Any, work: Work, enough: int | None = None, scope: Scope | None = None
) -> list[int]:
    """The first items, or all; then the stream is left."""

    async def main(io: Any) -> list[int]:
        found: list[int] = []
        chunks = io.pushed(work, work.stop, scope)
        try:
            async for items in chunks:
                found += items
                if enough is not None and len(found) >= enough:
                    break
        finally:
            await close(chunks)
        return found

    found: list[int] = world.run(main)
    return found


def test_every_item_comes_once_and_in_order(world: Any) -> None:
    work = Work(AHEAD * 5)
    assert read(world, work) == list(range(AHEAD * 5))
    assert work.stops == 0
    assert work.thread is not threading.current_thread()


def test_leaving_stops_the_work_and_waits_until_it_has_returned(world: Any) -> None:
    work = Work()
    assert read(world, work, 1)[0] == 0
    assert (work.returned, work.stops) == (True, 1)


def test_work_that_puts_nothing_is_woken_by_stop(world: Any) -> None:
    go = threading.Event()

    class Silent(Work):
        def __call__(self, put: Put) -> None:
            put(1)
            go.wait(30)
            self.returned = not put(2)

        def stop(self) -> None:
            go.set()

    work = Silent()
    assert read(world, work, 1) == [1]
    assert work.returned


def test_the_work_goes_no_further_ahead_than_it_may(world: Any) -> None:
    work = Work()

    async def main(io: Any) -> int:
        chunks = io.pushed(work, work.stop)
        taken = len(await anext(chunks))
        await io.blocking(work.full.wait, 30)
        await close(chunks)
        return work.put - taken

    assert world.run(main) <= AHEAD == SYNC_AHEAD


def test_an_error_comes_after_what_was_put(world: Any) -> None:
    found: list[int] = []

    async def main(io: Any) -> None:
        async for items in io.pushed(Work(3, OSError("broken")), bool):
            found.extend(items)

    with pytest.raises(OSError, match="broken"):
        world.run(main)
    assert found == [0, 1, 2]


def test_an_error_of_work_that_was_left_is_nobodys(world: Any) -> None:
    assert read(world, Work(error=OSError("too late")), 1)[0] == 0


def test_what_is_never_read_never_begins(world: Any) -> None:
    work = Work()

    async def main(io: Any) -> None:
        await close(io.pushed(work, work.stop))

    world.run(main)
    assert (work.thread, work.stops) == (None, 0)


def test_the_loop_goes_on_while_the_work_waits() -> None:
    from headrace.engine.aio import ASYNC

    go = threading.Event()

    async def main() -> list[list[int]]:
        chunks = ASYNC.pushed(lambda put: go.wait(30) and put(1) and None, go.set)
        asyncio.get_running_loop().call_soon(go.set)
        return [items async for items in chunks]

    assert asyncio.run(main()) == [[1]]


def test_a_cancelled_reader_stops_the_work() -> None:
    from headrace.engine.aio import ASYNC

    begun, go = threading.Event(), threading.Event()
    gone: list[bool] = []

    def work(put: Put) -> None:
        begun.set()
        go.wait(30)
        gone.append(put(1))

    async def main() -> None:
        async def reading() -> None:
            async for _ in ASYNC.pushed(work, go.set):
                pass

        task = asyncio.create_task(reading())
        await ASYNC.blocking(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert gone == [False]


def test_a_sync_reader_that_is_called_off_while_it_waits_ends_with_stopped() -> None:
    from headrace.engine.drive import drive
    from headrace.engine.sync import SYNC

    scope, go = Scope(), threading.Event()

    def work(put: Put) -> None:
        scope.stop()
        go.wait(30)

    async def main() -> None:
        chunks = SYNC.pushed(work, go.set, scope)
        try:
            await anext(chunks)
        finally:
            await close(chunks)

    with pytest.raises(Stopped):
        drive(main())
    assert go.is_set()
