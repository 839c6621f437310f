"""One source for several readers."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from headrace.engine.drive import close
from headrace.engine.strands import Budget, Scope
from headrace.errors import StepError


async def numbers(pulled, stop=5):
    for n in range(stop):
        pulled.append(n)
        yield n


async def all_of(reader):
    return [x async for x in reader]


def test_each_reader_gets_all_of_a_source_that_is_pulled_once(world: Any) -> None:
    pulled = []

    async def work(io):
        return [await all_of(reader) for reader in io.tee(numbers(pulled), 3)]

    assert world.run(work) == [[0, 1, 2, 3, 4]] * 3
    assert pulled == [0, 1, 2, 3, 4]


def test_a_source_is_pulled_no_further_than_its_fastest_reader(world: Any) -> None:
    pulled = []

    async def work(io):
        one, two = io.tee(numbers(pulled), 2)
        return [await one.__anext__(), await one.__anext__(), await two.__anext__()]

    assert world.run(work) == [0, 1, 0]
    assert pulled == [0, 1]


def test_readers_side_by_side_get_all_in_order(world: Any) -> None:
    pulled, found = [], {}

    async def work(io):
        readers = io.tee(numbers(pulled, 200), 4)

        async def read(number):
            found[number] = await all_of(readers[number])

        await io.spread(range(4), read, Budget(4), Scope(), 4)

    world.run(work)
    assert pulled == list(range(200))
    assert found == {number: list(range(200)) for number in range(4)}


def test_a_reader_that_is_closed_leaves_the_others_and_keeps_nothing(world: Any) -> None:
    async def work(io):
        one, two = io.tee(numbers([]), 2)
        await one.__anext__()
        await close(one)
        return await all_of(two)

    assert world.run(work) == [0, 1, 2, 3, 4]


def test_an_error_of_the_source_reaches_every_reader_after_what_came_before(world: Any) -> None:
    async def fails():
        yield 1
        raise KeyError("x")

    async def work(io):
        for reader in io.tee(fails(), 2):
            assert await reader.__anext__() == 1
            with pytest.raises(KeyError):
                await reader.__anext__()

    world.run(work)


class EmptyError(Exception):
    def __bool__(self):
        return False


def test_an_error_that_counts_as_false_is_still_an_error(world: Any) -> None:
    async def fails():
        yield 1
        raise EmptyError

    async def work(io):
        for reader in io.tee(fails(), 2):
            with pytest.raises(EmptyError):
                await all_of(reader)

    world.run(work)


def test_a_reader_cancelled_while_it_pulls_is_no_cancellation_of_the_others() -> None:
    async def waits():
        yield 1
        await asyncio.Event().wait()

    async def main():
        from headrace.engine.aio import ASYNC

        one, two = ASYNC.tee(waits(), 2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await all_of(one)
        assert await two.__anext__() == 1
        with pytest.raises(StepError, match="cancelled"):
            await two.__anext__()

    asyncio.run(main())


def test_a_reader_waits_while_another_pulls() -> None:
    pulling, go, found = threading.Event(), threading.Event(), []

    async def slow():
        pulling.set()
        go.wait(10)
        yield 1

    async def read(reader):
        found.append(await reader.__anext__())

    from headrace.engine.drive import drive
    from headrace.engine.sync import SYNC

    one, two = SYNC.tee(slow(), 2)
    threads = [threading.Thread(target=drive, args=[read(reader)]) for reader in (one, two)]
    threads[0].start()
    assert pulling.wait(10)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert found == [1, 1]
