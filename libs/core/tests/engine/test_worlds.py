"""The contract of `run.io`, which both worlds keep."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading
import time
from typing import Any

import pytest

from headrace.engine.drive import close, drive
from headrace.engine.strands import Budget, Scope
from headrace.engine.worlds import sync_world


class Bench:
    """A fan-out over `source` in a world, and what there is to see of it."""

    def __init__(self, limit=4):
        self.limit, self.budget, self.scope = limit, Budget(limit), Scope()
        self.log, self.working, self.peak, self._lock = [], 0, 0, threading.Lock()

    def spread(self, world, source, do, size=None):
        async def work(io):
            async def one(item):
                with self:
                    await do(io, item)

            await io.spread(source, one, self.budget, self.scope, size)

        try:
            world.run(work)
        finally:
            self.rest()

    def flow(self, world, source, open, count=None, size=None, lend=True):
        """The first `count` items, then closes the flow."""
        found = []

        async def work(io):
            items = io.flow(source, lambda x: open(io, x), self.budget, self.scope, size, lend)
            try:
                async for item in items:
                    found.append(item)
                    if len(found) == count:
                        break
            finally:
                await close(items)
                if io.is_async:
                    assert len(asyncio.all_tasks()) == 1

        try:
            world.run(work)
        finally:
            self.rest()
        return found

    def __enter__(self):
        with self._lock:
            self.working += 1
            self.peak = max(self.peak, self.working)

    def __exit__(self, *_):
        with self._lock:
            self.working -= 1

    def rest(self):
        assert self.working == 0
        assert at_rest(self.budget, self.limit)


def at_rest(budget, limit):
    """Waits until all strands are given back; a hang if one is lost."""
    while budget._spare != limit - 1 or budget._wanting:
        time.sleep(0.001)
    return True


@pytest.fixture
def bench():
    return Bench()


async def each(io, item):
    yield item


# settle, iterate, sleep, blocking, bounded


def test_a_clients_answer_is_settled(world: Any) -> None:
    async def answer():
        return 7

    async def work(io):
        return await io.settle(answer() if io.is_async else 7)

    assert world.run(work) == 7


def source(log):
    try:
        yield from "abc"
    finally:
        log.append("closed")


def test_what_only_an_async_client_gives_comes_in_both_worlds(world: Any) -> None:
    async def given(value: Any) -> Any:
        await asyncio.sleep(0)
        if value is None:
            raise LookupError("none there")
        return value

    assert world.run(lambda io: io.aside(given(3))) == 3
    with pytest.raises(LookupError, match="none there"):
        world.run(lambda io: io.aside(given(None)))


def test_all_sync_runs_share_one_loop_aside() -> None:
    async def loop() -> Any:
        return asyncio.get_running_loop()

    found = []

    def ask() -> None:
        found.append(drive(sync_world().aside(loop())))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 3


def test_a_plain_iterator_is_iterated_and_closed_when_left(world: Any) -> None:
    log = []

    async def work(io):
        items = io.iterate(source(log))
        found = [await items.__anext__()]
        await close(items)
        return found

    assert world.run(work) == ["a"]
    assert log == ["closed"]


def test_blocking_work_gives_its_value_or_raises_its_error(world: Any) -> None:
    def fails():
        raise KeyError("x")

    async def work(io):
        with pytest.raises(KeyError):
            await io.blocking(fails)
        return await io.blocking(max, 1, 2)

    assert world.run(work) == 2


def test_blocking_work_in_an_async_run_leaves_the_loop_free() -> None:
    async def main():
        from headrace.engine.aio import ASYNC

        event = threading.Event()
        waiting = asyncio.create_task(ASYNC.blocking(event.wait, 10))
        await asyncio.sleep(0)
        event.set()
        return await waiting

    assert asyncio.run(main())


# spread


def test_spread_works_on_each_item_once(world: Any, bench) -> None:
    async def do(io, item):
        bench.log.append(item)

    bench.spread(world, range(100), do, 100)
    assert sorted(bench.log) == list(range(100))


def test_spread_works_on_as_many_items_at_once_as_the_budget_has_strands(world: Any, bench) -> None:
    barrier = threading.Barrier(4)

    async def do(io, item):
        await io.blocking(barrier.wait, 10)

    bench.spread(world, iter(range(12)), do)
    assert bench.peak == 4


def test_spread_over_a_budget_of_one_is_a_loop(world: Any) -> None:
    bench = Bench(1)

    async def do(io, item):
        bench.log.append(item)
        await io.sleep(0)

    bench.spread(world, range(20), do, 20)
    assert bench.log == list(range(20))
    assert bench.peak == 1


def test_an_error_in_spread_is_raised_plain_and_no_item_begins_after_it(world: Any) -> None:
    bench, begun, error = Bench(2), threading.Event(), KeyError("x")

    async def do(io, item):
        bench.log.append(item)
        if item:
            begun.set()
            while not bench.scope.stopped:
                await io.sleep(0.001)
        else:
            await io.blocking(begun.wait, 10)
            raise error

    with pytest.raises(KeyError) as caught:
        bench.spread(world, itertools.count(), do)
    assert caught.value is error
    assert sorted(bench.log) == [0, 1]


def test_spread_pulls_an_unbounded_source_as_it_goes(world: Any, bench) -> None:
    pulled = []

    def source():
        for n in itertools.count():
            pulled.append(n)
            yield n

    async def do(io, item):
        if item == 50:
            raise KeyError(item)

    with pytest.raises(KeyError):
        bench.spread(world, source(), do)
    assert len(pulled) <= 51 + bench.limit


def test_an_error_of_the_source_of_spread_is_raised(world: Any, bench) -> None:
    def source():
        yield 1
        raise KeyError("source")

    async def do(io, item):
        bench.log.append(item)

    with pytest.raises(KeyError, match="source"):
        bench.spread(world, source(), do)
    assert bench.log == [1]


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")


def test_helpers_work_in_the_context_of_their_fan_out_whoever_freed_their_strand(
    world: Any,
) -> None:
    bench, other, seen = Bench(2), threading.Event(), set()

    async def inner(io, item):
        if item == 0:  # until then there is no strand to spare
            other.set()
        while bench.budget._spare and item < 50:
            await io.sleep(0.001)
        seen.add(variable.get())
        await io.sleep(0.0001)

    async def outer(io, item):
        if item == "first":
            await io.blocking(other.wait, 10)
            return
        variable.set("inside")
        await io.spread(range(100), lambda x: inner(io, x), bench.budget, Scope(bench.scope), 100)

    bench.spread(world, ["first", "second"], outer, 2)
    assert seen == {"inside"}


def test_two_hundred_rounds_of_spread_leave_no_thread_task_or_strand(world: Any) -> None:
    async def do(io, item):
        await io.sleep(0)
        if item == 7:
            raise KeyError(item)

    async def work(io):
        for _ in range(200):
            budget = Budget(4)
            with pytest.raises(KeyError):
                await io.spread(range(20), lambda x: do(io, x), budget, Scope(), 20)
            assert at_rest(budget, 4)
            assert not io.is_async or len(asyncio.all_tasks()) == 1
        return threading.active_count()

    before = threading.active_count()
    assert world.run(work) <= before + 4


# flow


@pytest.mark.parametrize("lend", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 9])
def test_flow_gives_all_items_of_each_iterator_in_its_order(world: Any, limit, lend) -> None:
    async def open(io, name):
        for n in range(30):
            yield name, n

    found = Bench(limit).flow(world, "abc", open, size=3, lend=lend)
    for name in "abc":
        assert [n for other, n in found if other == name] == list(range(30))


def test_flow_over_nothing_is_empty(world: Any, bench) -> None:
    assert bench.flow(world, [], each, size=0, lend=False) == []
    assert bench.flow(world, iter([]), each) == []


def test_flow_runs_its_iterators_side_by_side(world: Any, bench) -> None:
    barrier = threading.Barrier(3)

    async def open(io, name):
        await io.blocking(barrier.wait, 10)
        yield name

    assert sorted(bench.flow(world, "abc", open, size=3, lend=False)) == ["a", "b", "c"]


@pytest.mark.parametrize("sized", [True, False])
def test_flow_that_is_lent_its_callers_strand_uses_the_whole_budget(
    world: Any, bench, sized
) -> None:
    barrier = threading.Barrier(4)

    async def open(io, item):
        with bench:
            await io.blocking(barrier.wait, 10)
        yield item

    source = range(12) if sized else iter(range(12))
    assert sorted(bench.flow(world, source, open, size=12 if sized else None)) == list(range(12))
    assert bench.peak == 4


def test_flow_without_a_spare_strand_is_stepped_by_its_caller(world: Any) -> None:
    bench = Bench(1)

    async def open(io, name):
        with bench:
            yield name + "1"
        with bench:
            yield name + "2"

    found = bench.flow(world, "ab", open, size=2, lend=False)
    assert found == ["a1", "a2", "b1", "b2"]
    assert bench.peak == 1


def test_flow_stops_pulling_while_sixteen_items_wait(world: Any, bench) -> None:
    pulled = []

    def source():
        for n in itertools.count():
            pulled.append(n)
            yield n

    async def work(io):
        items, taken = (
            io.flow(source(), lambda x: each(io, x), bench.budget, bench.scope, lend=True),
            0,
        )
        async for _ in items:
            taken += 1
            await io.sleep(0.005)  # time to run too far ahead
            assert len(pulled) <= taken + 16 + bench.limit
            if taken == 20:
                break
        await close(items)
        return len(pulled)

    before = world.run(work)
    assert len(pulled) == before
    bench.rest()


def test_leaving_flow_closes_its_iterators_and_waits_for_them(world: Any, bench) -> None:
    async def open(io, name):
        bench.log.append(("open", name))
        try:
            while True:
                yield name
        finally:
            await io.sleep(0.001)
            bench.log.append(("closed", name))

    bench.flow(world, "abc", open, count=5, size=3, lend=False)
    opened = [name for what, name in bench.log if what == "open"]
    assert sorted(name for what, name in bench.log if what == "closed") == sorted(opened)


def test_an_error_in_flow_comes_after_what_came_before_it(world: Any, bench) -> None:
    async def open(io, name):
        yield name
        raise KeyError(name)

    async def work(io):
        items = io.flow("a", lambda x: open(io, x), bench.budget, bench.scope, lend=True)
        await io.sleep(0.01)
        found = [await items.__anext__()]
        with pytest.raises(KeyError):
            await items.__anext__()
        return found

    assert world.run(work) == ["a"]


@pytest.mark.parametrize("limit", [2, 4])
def test_an_error_in_flow_ends_the_others_at_once(world: Any, limit) -> None:
    bench, begun, error = Bench(limit), threading.Event(), KeyError("x")

    async def open(io, name):
        try:
            if name == "a":
                await io.blocking(begun.wait, 10)
                raise error
            begun.set()
            while not bench.scope.stopped:
                await io.sleep(0.001)
            yield name
        finally:
            bench.log.append(name)

    with pytest.raises(KeyError) as caught:
        bench.flow(world, "ab", open, size=2, lend=False)
    assert caught.value is error
    assert sorted(bench.log) == ["a", "b"]


def test_two_hundred_flows_left_early_leave_no_thread_task_or_strand(world: Any) -> None:
    async def open(io, name):
        for n in range(50):
            await io.sleep(0)
            yield n

    before = threading.active_count()
    for _ in range(200):
        Bench(4).flow(world, "abc", open, count=3, size=3, lend=False)
    assert threading.active_count() <= before + 4
