"""Batches: order, laziness, configs, errors, and results as they are completed."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import InputError
from headrace.runnables import RunnableLambda

double = RunnableLambda(lambda x: x * 2, inline=True)


def picky(x):
    if x % 3 == 0:
        raise KeyError(x)
    return x


@given(inputs=st.lists(st.integers(), max_size=40), limit=st.integers(1, 5))
def test_a_batch_is_the_list_of_what_invoke_gives(world: Any, inputs, limit) -> None:
    config = {"max_concurrency": limit}
    assert world.batch(double, inputs, config) == [double.invoke(x) for x in inputs]
    assert world.batch(double, iter(inputs), config) == [double.invoke(x) for x in inputs]


@given(inputs=st.lists(st.integers(), max_size=40), limit=st.integers(1, 5))
def test_completed_pairs_sorted_are_the_batch(world: Any, inputs, limit) -> None:
    pairs = world.completed(double, inputs, {"max_concurrency": limit})
    assert [output for _, output in sorted(pairs)] == [double.invoke(x) for x in inputs]


def test_nothing_in_a_batch_is_an_empty_list(world: Any) -> None:
    for inputs in ([], (), iter([]), {}):
        assert world.batch(double, inputs) == []
        assert world.completed(double, inputs) == []


def test_outputs_are_in_the_order_of_their_inputs_whatever_ends_first(world: Any) -> None:
    ended = [threading.Event() for _ in range(5)]

    def backwards(n):
        if n < 4:
            ended[n + 1].wait(10)
        ended[n].set()
        return n

    assert world.batch(RunnableLambda(backwards), range(5)) == [0, 1, 2, 3, 4]
    for event in ended:
        event.clear()
    pairs = world.completed(RunnableLambda(backwards), range(5))
    assert sorted(pairs) == [(n, n) for n in range(5)]


@pytest.mark.parametrize("limit", [None, 2])
def test_a_batch_works_on_as_many_at_once_as_it_may(world: Any, limit) -> None:
    parties = limit or 32
    barrier = threading.Barrier(parties)

    def meet(n):
        barrier.wait(10)
        return n

    config = {"max_concurrency": limit} if limit else None
    for inputs in (range(parties * 2), iter(range(parties * 2))):
        assert len(world.batch(RunnableLambda(meet), inputs, config)) == parties * 2


@pytest.mark.parametrize("sized", [True, False])
def test_completed_works_on_as_many_at_once_as_it_may(world: Any, sized) -> None:
    barrier = threading.Barrier(3)
    inputs = range(9) if sized else iter(range(9))
    step = RunnableLambda(lambda n: barrier.wait(10))
    assert len(world.completed(step, inputs, {"max_concurrency": 3})) == 9


def test_one_input_is_worked_on_by_the_caller_itself() -> None:
    assert RunnableLambda(lambda _: threading.current_thread()).batch([1]) == [
        threading.current_thread()
    ]


# Errors.


def test_the_first_error_is_raised_plain_and_no_input_begins_after_it(world: Any) -> None:
    error, begun, began = KeyError("x"), [], threading.Event()

    def fails(n, run):
        begun.append(n)
        if n == 0:
            began.wait(10)
            raise error
        began.set()
        while not run.scope.stopped:
            threading.Event().wait(0.001)

    with pytest.raises(KeyError) as caught:
        world.batch(RunnableLambda(fails), itertools.count(), {"max_concurrency": 2})
    assert caught.value is error
    assert sorted(begun) == [0, 1]


@pytest.mark.parametrize("limit", [1, 2, 32])
def test_errors_may_stand_in_their_place(world: Any, limit) -> None:
    config = {"max_concurrency": limit}
    outputs = world.batch(RunnableLambda(picky), range(7), config, return_exceptions=True)
    pairs = world.completed(RunnableLambda(picky), range(7), config, return_exceptions=True)
    for found in (outputs, [output for _, output in sorted(pairs, key=lambda p: p[0])]):
        assert [repr(x) for x in found] == [
            "KeyError(0)",
            "1",
            "2",
            "KeyError(3)",
            "4",
            "5",
            "KeyError(6)",
        ]


def test_what_is_no_exception_is_raised_even_so(world: Any) -> None:
    def leaves(_):
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        world.batch(RunnableLambda(leaves, inline=True), [1], return_exceptions=True)


def test_an_error_that_a_step_returns_is_a_value(world: Any) -> None:
    error = KeyError("x")
    step = RunnableLambda(lambda _: error) | RunnableLambda(lambda e: e)
    assert world.invoke(step, 1) is error
    assert world.batch(step, [1, 2]) == [error, error]
    assert sorted(world.completed(step, [1, 2])) == [(0, error), (1, error)]


def test_an_error_of_the_inputs_is_raised_whatever_is_asked_of_the_outputs(world: Any) -> None:
    def inputs():
        yield 1
        raise KeyError("inputs")

    for door in (world.batch, world.completed):
        with pytest.raises(KeyError, match="inputs"):
            door(double, inputs(), return_exceptions=True)


# Inputs are pulled as they are worked on.


def test_a_batch_pulls_no_further_than_it_works(world: Any) -> None:
    pulled, done = [], []

    def inputs():
        for n in range(300):
            assert len(pulled) - len(done) <= 2
            pulled.append(n)
            yield n

    world.batch(RunnableLambda(done.append), inputs(), {"max_concurrency": 2})
    assert len(pulled) == 300


def test_completed_over_endless_inputs_keeps_memory_flat(world: Any) -> None:
    def inputs():
        for n in itertools.count():
            yield bytearray(100_000) + bytes([n % 256])

    async def main():
        count = 0
        async with sized.abatch_as_completed(inputs()) as pairs:
            async for _ in pairs:
                if (count := count + 1) == 300:
                    return

    sized = RunnableLambda(len, inline=True)
    tracemalloc.start()
    if world.is_async:
        asyncio.run(main())
    else:
        with sized.batch_as_completed(inputs()) as pairs:
            assert len(list(itertools.islice(pairs, 300))) == 300
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12_000_000  # 300 of them are 30 MB


class Counting:
    """Endless inputs that count how many were pulled."""

    def __init__(self):
        self.pulled = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.pulled += 1
        return self.pulled


def test_completed_stops_pulling_while_sixteen_results_wait() -> None:
    inputs = Counting()
    with double.batch_as_completed(inputs, {"max_concurrency": 4}) as pairs:
        for taken in range(1, 40):
            next(pairs)
            threading.Event().wait(0.002)  # time to run too far ahead
            assert inputs.pulled <= taken + 16 + 4


def test_acompleted_stops_pulling_while_sixteen_results_wait() -> None:
    async def main():
        inputs, taken = Counting(), 0
        async with double.abatch_as_completed(inputs, {"max_concurrency": 4}) as pairs:
            async for _ in pairs:
                taken += 1
                await asyncio.sleep(0.002)
                assert inputs.pulled <= taken + 16 + 4
                if taken == 40:
                    return

    asyncio.run(main())


def still(inputs):
    """Whether nobody pulls any more."""
    before = inputs.pulled
    threading.Event().wait(0.02)
    return inputs.pulled == before


@pytest.mark.parametrize("leave", ["close", "drop"])
def test_completed_stops_for_good_when_it_is_left(leave) -> None:
    inputs = Counting()
    pairs = double.batch_as_completed(inputs, {"max_concurrency": 4})
    next(pairs)
    if leave == "close":
        pairs.close()
    del pairs
    assert still(inputs)


@pytest.mark.parametrize("leave", ["close", "drop"])
def test_acompleted_stops_for_good_when_it_is_left(leave) -> None:
    async def main():
        inputs = Counting()
        pairs = double.abatch_as_completed(inputs, {"max_concurrency": 4})
        await pairs.__anext__()
        if leave == "close":
            await pairs.aclose()
        del pairs
        gc.collect()
        await asyncio.sleep(0.01)
        before = inputs.pulled
        await asyncio.sleep(0.02)
        assert inputs.pulled == before
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_cancelled_abatch_ends_all_it_began_before_it_returns() -> None:
    log = []

    async def waits(n):
        log.append(n)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.001)
            log.append("ended")

    async def main():
        task = asyncio.create_task(RunnableLambda(waits).abatch(range(9), {"max_concurrency": 3}))
        while len(log) < 3:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    assert log == [0, 1, 2, "ended", "ended", "ended"]


def test_two_hundred_batches_left_midway_leave_no_thread_or_task(world: Any) -> None:
    async def main():
        for _ in range(200):
            async with double.abatch_as_completed(range(50), {"max_concurrency": 3}) as pairs:
                await pairs.__anext__()
        assert len(asyncio.all_tasks()) == 1

    before = threading.active_count()
    if world.is_async:
        asyncio.run(main())
    else:
        for _ in range(200):
            with double.batch_as_completed(range(50), {"max_concurrency": 3}) as pairs:
                next(pairs)
    assert threading.active_count() <= before + 3


# Configs.


def test_each_input_may_have_a_config_of_its_own(world: Any) -> None:
    step = RunnableLambda(lambda x, config: (x, config["metadata"]["m"]))
    configs = [{"metadata": {"m": n * 10}} for n in range(3)]
    assert world.batch(step, range(3), configs) == [(0, 0), (1, 10), (2, 20)]
    assert sorted(world.completed(step, range(3), configs)) == [
        (0, (0, 0)),
        (1, (1, 10)),
        (2, (2, 20)),
    ]


def test_as_many_configs_as_inputs_are_needed(world: Any) -> None:
    for door in (world.batch, world.completed):
        with pytest.raises(InputError, match="a batch of 3 inputs takes one config or 3, not 2"):
            door(double, [1, 2, 3], [{}, {}])


def test_endless_inputs_may_not_outnumber_their_configs(world: Any) -> None:
    with pytest.raises(InputError, match=r"input \d+ of the batch has no config: 2 given"):
        world.batch(double, itertools.count(), [{}, {}])


def test_a_bad_config_among_many_is_found_before_anything_begins(world: Any) -> None:
    with pytest.raises(InputError, match="no config key `tag`"):
        world.batch(RunnableLambda(lambda _: pytest.fail("begun")), [1, 2], [{}, {"tag": 1}])


def test_the_max_concurrency_of_the_first_config_is_that_of_the_batch(world: Any) -> None:
    step = RunnableLambda(lambda x, run: run.budget)
    budgets = world.batch(step, range(4), [{"max_concurrency": 2}] + [{}] * 3)
    assert len(set(budgets)) == 1
    assert budgets[0]._spare == 1
