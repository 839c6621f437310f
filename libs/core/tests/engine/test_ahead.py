"""Blocking sources, read ahead by a thread in an async run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from headrace.engine.ahead import AHEAD
from headrace.engine.aio import ASYNC
from headrace.engine.sync import SYNC


class Source:
    """Yields what is put into it; `close` and `wake` are told to `log`."""

    def __init__(self, items: int = 0) -> None:
        self.log: list[str] = []
        self.given, self.items = 0, items
        self.more, self.filled = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if self.given == self.items:
            self.more.wait(30)
            raise StopIteration
        self.given += 1
        if self.given > AHEAD:
            self.filled.set()
        return self.given

    def close(self) -> None:
        self.log.append("closed")

    def wake(self) -> None:
        self.log.append("woken")
        self.more.set()


async def all_of(source: Source) -> list[int]:
    return [item async for items in ASYNC.ahead(source, source.wake) for item in items]


def test_every_item_comes_once_and_in_order() -> None:
    source = Source(AHEAD * 5)
    source.more.set()
    assert asyncio.run(all_of(source)) == list(range(1, AHEAD * 5 + 1))
    assert source.log == ["closed"]


def test_all_that_waits_is_handed_over_at_once() -> None:
    go, read = threading.Event(), threading.Event()

    def source() -> Iterator[int]:
        yield 1
        go.wait(30)
        yield from (2, 3, 4)
        read.set()

    async def main() -> list[list[int]]:
        ahead = ASYNC.ahead(source(), go.set)
        found = [await anext(ahead)]
        go.set()
        await ASYNC.blocking(read.wait, 30)
        return [*found, *[items async for items in ahead]]

    assert asyncio.run(main()) == [[1], [2, 3, 4]]


def test_a_thread_reads_no_further_ahead_than_it_may() -> None:
    async def main() -> int:
        source = Source(AHEAD * 10)
        ahead = ASYNC.ahead(source, source.wake)
        taken = len(await anext(ahead))
        await ASYNC.blocking(source.filled.wait, 30)
        await ahead.aclose()
        return source.given - taken

    assert asyncio.run(main()) <= AHEAD + 1


def test_leaving_wakes_the_thread_and_waits_until_the_source_is_closed() -> None:
    async def main() -> list[str]:
        source = Source(1)
        ahead = ASYNC.ahead(source, source.wake)
        await anext(ahead)
        await ahead.aclose()
        return source.log

    assert asyncio.run(main()) == ["woken", "closed"]


def test_a_cancelled_reader_closes_its_source() -> None:
    async def main() -> list[str]:
        source = Source(0)
        reading = asyncio.create_task(all_of(source))
        await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        return source.log

    assert asyncio.run(main()) == ["woken", "closed"]


def test_an_error_of_the_source_comes_after_what_it_gave() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("broken")

    async def main() -> list[int]:
        ahead = ASYNC.ahead(source(), bool)
        found = await anext(ahead)
        with pytest.raises(OSError, match="broken"):
            await anext(ahead)
        return found

    assert asyncio.run(main()) == [1]


def test_what_nobody_waits_for_any_more_is_undone() -> None:
    async def main() -> int:
        begun, go, undone = threading.Event(), threading.Event(), threading.Event()
        got: list[int] = []

        def work() -> int:
            begun.set()
            go.wait(30)
            return 7

        def undo(result: int) -> None:
            got.append(result)
            undone.set()

        task = asyncio.create_task(ASYNC.blocking(work, undo=undo))
        await ASYNC.blocking(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()
        await ASYNC.blocking(undone.wait, 30)
        return got[0]

    assert asyncio.run(main()) == 7


def test_in_a_sync_run_each_item_comes_as_it_is_read_and_leaving_closes() -> None:
    source = Source(3)
    ahead = SYNC.ahead(source, source.wake)
    with pytest.raises(StopIteration) as found:
        ahead.__anext__().send(None)
    with pytest.raises(StopIteration):
        ahead.aclose().send(None)
    assert found.value.value == [1]
    assert source.log == ["closed"]
