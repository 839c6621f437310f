"""A plain generator in an async run; `start` makes one over the chunks given."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading

import pytest

from headrace.engine.aio import ASYNC
from headrace.engine.run import open_run
from headrace.engine.user import Seam
from headrace.errors import StepError
from headrace.runnables import RunnableGenerator


def start(function, chunks=None):
    return ASYNC.generate(function, chunks or given(), Seam(open_run(ASYNC, None), "gen"))


async def given(*chunks, log=None):
    try:
        for chunk in chunks:
            yield chunk
    finally:
        if log is not None:
            await asyncio.sleep(0.01)
            log.append("source closed")


async def all_of(items):
    return [item async for item in items]


def test_its_items_come_from_the_chunks_of_its_input() -> None:
    def double(chunks):
        for chunk in chunks:
            yield chunk
            yield chunk

    assert asyncio.run(all_of(start(double, given(1, 2)))) == [1, 1, 2, 2]


def test_all_of_it_runs_in_one_thread_that_is_not_the_loops() -> None:
    def generator(chunks):
        for _ in chunks:
            yield threading.get_ident()
        yield threading.get_ident()

    found = asyncio.run(all_of(start(generator, given(1, 2))))
    assert len(set(found)) == 1
    assert found[0] != threading.get_ident()


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")


def test_all_of_it_runs_in_one_context_made_from_the_readers() -> None:
    def generator(chunks):
        yield variable.get()
        variable.set("inside")
        yield variable.get()
        yield variable.get()

    async def main():
        variable.set("reader")
        return await all_of(start(generator)), variable.get()

    assert asyncio.run(main()) == (["reader", "inside", "inside"], "reader")


def test_its_source_is_pulled_in_one_context() -> None:
    async def source():
        for n in range(3):
            yield variable.get()
            variable.set(f"source {n}")

    assert asyncio.run(all_of(start(lambda chunks: chunks, source()))) == [
        "outside",
        "source 0",
        "source 1",
    ]


def test_it_is_pulled_on_demand() -> None:
    made = []

    def generator(chunks):
        for n in itertools.count():
            made.append(n)
            yield n

    async def main():
        items = start(generator)
        found = [await items.__anext__() for _ in range(3)]
        await asyncio.sleep(0.01)
        await items.aclose()
        return found

    assert asyncio.run(main()) == made == [0, 1, 2]


def test_it_does_not_begin_before_it_is_asked() -> None:
    begun = []  # not a failure raised there: a worker would swallow it

    async def main():
        items = start(begun.append)
        await items.aclose()

    asyncio.run(main())
    assert begun == []


def test_leaving_it_closes_it_in_its_own_thread_before_the_next_statement() -> None:
    log = []

    def generator(chunks):
        try:
            log.append(threading.get_ident())
            yield 1
            yield 2
        finally:
            log.append(threading.get_ident())

    async def main():
        items = start(generator)
        await items.__anext__()
        await items.aclose()
        assert len(log) == 2

    asyncio.run(main())
    assert log[0] == log[1]


def test_an_error_of_it_is_raised_and_it_is_over() -> None:
    def generator(chunks):
        yield 1
        raise KeyError("x")

    async def main():
        items = start(generator)
        assert await items.__anext__() == 1
        with pytest.raises(KeyError) as caught:
            await items.__anext__()
        assert caught.value.__notes__ == ["raised in step `gen`"]
        assert await all_of(items) == []

    asyncio.run(main())


def test_an_error_of_its_source_comes_up_inside_it() -> None:
    async def source():
        yield 1
        raise KeyError("x")

    def generator(chunks):
        try:
            yield from chunks
        except KeyError:
            yield "seen"

    assert asyncio.run(all_of(start(generator, source()))) == [1, "seen"]


def test_an_error_while_it_closes_is_raised_to_who_closes() -> None:
    def generator(chunks):
        try:
            yield 1
        finally:
            raise KeyError("x")

    async def main():
        items = start(generator)
        await items.__anext__()
        with pytest.raises(KeyError):
            await items.aclose()

    asyncio.run(main())


def test_a_stop_iteration_in_it_is_a_step_error() -> None:
    def generator(chunks):
        yield next(iter([]))

    with pytest.raises(StepError, match="`gen` raised StopIteration"):
        asyncio.run(all_of(start(generator)))


def test_a_function_that_gives_any_iterable_will_do() -> None:
    assert asyncio.run(all_of(start(lambda chunks: [1, 2]))) == [1, 2]


async def cancelled(items, ready, go=None):
    """Cancels the reader of `items` once `ready`; `go` is set when it has been told."""
    task = asyncio.create_task(all_of(items))
    await asyncio.to_thread(ready.wait, 10)
    await asyncio.sleep(0.01)
    task.cancel()
    if go is not None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        go.set()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_cancelled_while_it_waits_for_input_it_is_closed_after_its_source_was_cut() -> None:
    log, waiting = [], threading.Event()

    async def source():
        try:
            yield 1
            waiting.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            log.append("source closed")

    def generator(chunks):
        try:
            yield from chunks
        finally:
            log.append("generator closed")

    async def main():
        chunks = source()
        await cancelled(start(generator, chunks), waiting)
        await chunks.aclose()  # not an error: nobody works in it any more
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    assert log == ["source closed", "generator closed"]


def test_cancelled_while_it_computes_it_is_closed_when_it_next_yields() -> None:
    log, computing, go = [], threading.Event(), threading.Event()

    def generator(chunks):
        try:
            computing.set()
            go.wait(10)
            yield 1
        finally:
            log.append("closed")

    async def main():
        await cancelled(start(generator), computing, go)

    asyncio.run(main())
    assert log == ["closed"]


def test_cancelled_while_it_computes_it_gets_no_more_input() -> None:
    computing, go, seen = threading.Event(), threading.Event(), []

    def generator(chunks):
        computing.set()
        go.wait(10)
        seen.extend(chunks)
        yield 1

    async def main():
        await cancelled(start(generator, given(1, 2)), computing, go)

    asyncio.run(main())
    assert seen == []


def test_a_loop_that_ends_closes_a_generator_that_was_left_open() -> None:
    log = []

    def generator(chunks):
        try:
            yield 1
            yield 2
        finally:
            log.append("closed")

    async def main():
        async for _ in start(generator):
            break

    asyncio.run(main())
    assert log == ["closed"]


def test_two_hundred_left_early_leave_no_thread_or_task() -> None:
    def generator(chunks):
        yield from itertools.count()

    async def main():
        for _ in range(200):
            items = start(generator)
            await items.__anext__()
            await items.aclose()
        assert len(asyncio.all_tasks()) == 1

    before = threading.active_count()
    asyncio.run(main())
    assert threading.active_count() <= before + 2


def test_cancelled_while_it_calls_a_step_it_does_not_wait_for_all_of_that():
    calling, called = threading.Event(), []

    def endless(_):
        for n in itertools.count():
            calling.set()
            called.append(n)
            yield n

    def generator(chunks):
        yield from (RunnableGenerator(endless) | str).stream(1)

    asyncio.run(cancelled(start(generator), calling))
    assert called
