"""What is particular to the async world: helpers are tasks, cancelled and awaited."""

from __future__ import annotations

import asyncio
import itertools
import threading

import pytest

from headrace.engine.aio import ASYNC, run_aside
from headrace.engine.drive import close
from headrace.engine.strands import Budget, Scope
from headrace.errors import StepError, SuspendedError


async def forever():
    await asyncio.Event().wait()


def alone():
    return len(asyncio.all_tasks()) == 1


async def until(ready):
    while not ready():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0)


async def cancelled(work, ready):
    """Cancels a task of `work` once `ready()`, and waits for it."""
    task = asyncio.create_task(work)
    await until(ready)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_cancelling_spread_cancels_its_tasks_and_waits_for_them() -> None:
    log, budget = [], Budget(3)

    async def do(item):
        log.append(item)
        try:
            await forever()
        finally:
            await asyncio.sleep(0.001)
            log.append("cleaned")

    async def main():
        await cancelled(ASYNC.spread(range(9), do, budget, Scope(), 9), lambda: len(log) == 3)
        assert alone()

    asyncio.run(main())
    assert log == [0, 1, 2, "cleaned", "cleaned", "cleaned"]
    assert budget._spare == 2


def test_cancelling_spread_again_while_it_cleans_up_still_waits() -> None:
    log = []

    async def do(item):
        try:
            await forever()
        finally:
            log.append("cleaning")
            try:
                await forever()
            finally:
                log.append("cleaned")

    async def main():
        task = asyncio.create_task(ASYNC.spread(range(2), do, Budget(2), Scope(), 2))
        await asyncio.sleep(0.01)
        task.cancel()
        await until(lambda: len(log) == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert alone()

    asyncio.run(main())
    assert log.count("cleaned") == 2


def test_a_timeout_around_spread_is_a_timeout() -> None:
    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await ASYNC.spread(range(9), lambda _: forever(), Budget(3), Scope(), 9)
        assert alone()

    asyncio.run(main())


def test_an_error_in_spread_is_seen_by_tasks_that_never_wait() -> None:
    async def do(item):
        if item == 50:
            raise KeyError(item)

    async def main():
        with pytest.raises(KeyError):
            await ASYNC.spread(itertools.count(), do, Budget(3), Scope())

    asyncio.run(main())


def test_spread_over_items_that_never_wait_lets_the_loop_have_its_turn() -> None:
    turns = []

    async def main():
        async def other():
            while True:
                turns.append(1)
                await asyncio.sleep(0)

        async def do(item):
            pass

        task = asyncio.create_task(other())
        await ASYNC.spread(range(3200), do, Budget(1), Scope(), 3200)
        task.cancel()

    asyncio.run(main())
    assert len(turns) > 100


def test_a_cancellation_by_the_users_own_code_reaches_the_caller() -> None:
    async def do(item):
        inner = asyncio.create_task(forever())
        inner.cancel()
        await inner

    async def main():
        with pytest.raises(asyncio.CancelledError):
            await ASYNC.spread(range(3), do, Budget(2), Scope(), 3)
        assert alone()

    asyncio.run(main())


async def endless(log, name):
    try:
        yield name
        await forever()
    finally:
        await asyncio.sleep(0.001)
        log.append("closed " + name)


@pytest.mark.parametrize("limit", [1, 2, 3, 9])
def test_cancelling_who_waits_for_flow_closes_its_iterators(limit) -> None:
    log, found, budget = [], [], Budget(limit)

    async def read():
        flow = ASYNC.flow("ab", lambda name: endless(log, name), budget, Scope(), 2)
        try:
            async for item in flow:
                found.append(item)
        finally:
            await close(flow)

    async def main():
        await cancelled(read(), lambda: len(found) == min(limit, 2))
        assert alone()

    asyncio.run(main())
    assert sorted(log) == ["closed a", "closed b"][: min(limit, 2)]
    assert budget._spare == limit - 1


def test_an_error_of_a_helper_cuts_short_what_the_caller_itself_steps() -> None:
    log = []

    async def open(name):
        if name == "a":
            await asyncio.sleep(0.01)
            raise KeyError(name)
        try:
            await forever()
            yield name
        finally:
            log.append("cut")

    async def main():
        flow = ASYNC.flow("ab", open, Budget(2), Scope(), 2)
        with pytest.raises(KeyError):
            await flow.__anext__()
        assert alone()

    asyncio.run(main())
    assert log == ["cut"]


def test_a_strand_freed_in_a_thread_starts_a_task_of_the_loop_that_waits_for_it() -> None:
    async def main():
        budget, barrier = Budget(2), asyncio.Barrier(2)
        assert budget.take()

        async def do(item):
            await asyncio.wait_for(barrier.wait(), 10)

        threading.Timer(0.01, budget.give).start()
        await ASYNC.spread(range(2), do, budget, Scope(), 2)

    asyncio.run(main())


def test_cancelling_who_waits_for_a_thread_does_not_wait_for_the_thread() -> None:
    started, release = threading.Event(), threading.Event()

    def work():
        started.set()
        release.wait(10)

    async def main():
        await cancelled(ASYNC.blocking(work), started.is_set)
        assert not release.is_set()
        release.set()

    asyncio.run(main())


def test_a_stop_iteration_from_a_thread_does_not_hang_the_loop() -> None:
    async def main():
        with pytest.raises(StepError, match="StopIteration"):
            await ASYNC.blocking(next, iter([]))

    asyncio.run(main())


def test_a_thread_that_ends_after_its_loop_was_closed_is_quiet() -> None:
    release, ended = threading.Event(), threading.Event()

    def work():
        release.wait(10)
        ended.set()

    async def main():
        task = asyncio.create_task(ASYNC.blocking(work))
        await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(main())
    release.set()
    assert ended.wait(10)


def test_a_sync_call_with_async_listeners_from_an_async_listener_is_an_error_and_no_deadlock() -> (
    None
):
    async def listener():
        async def inner():
            raise AssertionError("never run")

        answer = inner()
        try:
            run_aside(answer)
        finally:
            answer.close()

    with pytest.raises(SuspendedError, match="await `ainvoke`"):
        run_aside(listener())
