"""Random trees of steps under `max_concurrency`: results, strands at work, nothing left over."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
import zlib
from typing import Any

import pytest

from headrace.runnables import (
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)


class Gauge:
    """How many leaves are at work, and the most there were at once."""

    def __init__(self):
        self.now, self.most, self.worked, self._lock = 0, 0, 0, threading.Lock()

    def __enter__(self):
        with self._lock:
            self.now, self.worked = self.now + 1, self.worked + 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_):
        with self._lock:
            self.now -= 1


class BoomError(Exception):
    pass


def mixed(text, tag):
    return f"{zlib.crc32(f'{text}{tag}'.encode()):x}"


class Tree:
    """A random step, and the plain function over text that it must equal.

    `failing`: the chance of a leaf to fail.
    """

    def __init__(self, seed, failing=0.0):
        self.random, self.gauge, self.failing = random.Random(seed), Gauge(), failing
        self.step, self.function = self.node(3)

    def node(self, depth):
        kinds = self.LEAVES if depth == 0 else self.LEAVES + self.NODES * 2
        return self.random.choice(kinds)(self, depth - 1)

    def work(self, tag):
        fails, pause = self.random.random() < self.failing, self.random.choice([0, 0, 0.001])

        def work(text):
            with self.gauge:
                time.sleep(pause)
                if fails:
                    raise BoomError(tag)
                return mixed(text, tag)

        return work, lambda text: mixed(text, tag)

    # Leaves.

    def plain(self, _):
        work, function = self.work(self.random.random())
        return RunnableLambda(work), function

    def inline(self, _):
        work, function = self.work(self.random.random())
        return RunnableLambda(work, inline=True), function

    def awaiting(self, _):
        work, function = self.work(self.random.random())

        async def awaited(text):
            with self.gauge:
                await asyncio.sleep(0.001)
            return work(text)

        return RunnableLambda(work, awaited), function

    def streaming(self, _):
        work, function = self.work(self.random.random())

        def letters(chunks):
            for letter in work("".join(chunks)):
                with self.gauge:
                    time.sleep(0)
                yield letter

        return RunnableGenerator(letters), function

    # Nodes.

    def sequence(self, depth):
        (one, f), (two, g) = self.node(depth), self.node(depth)
        return one | two, lambda text: g(f(text))

    def parallel(self, depth):
        nodes = {key: self.node(depth) for key in "abc"}
        step = RunnableParallel({key: step for key, (step, _) in nodes.items()})
        functions = [function for _, function in nodes.values()]
        join = RunnableLambda(lambda d: "".join(d[key] for key in "abc"), inline=True)
        return step | join, lambda text: "".join(f(text) for f in functions)

    def assigned(self, depth):
        (one, f), (two, g) = self.node(depth), self.node(depth)
        step = {"a": one} | RunnablePassthrough.assign(b=RunnableLambda(lambda d: d["a"]) | two)
        join = RunnableLambda(lambda d: d["a"] + d["b"], inline=True)
        return step | join, lambda text: f(text) + g(f(text))

    def configured(self, depth):
        step, function = self.node(depth)
        return step.with_config(max_concurrency=self.random.choice([1, 2, 9])), function

    def returned(self, depth):
        step, function = self.node(depth)
        return RunnableLambda(lambda _: step), function

    def invoking(self, depth):
        step, function = self.node(depth)
        return RunnableLambda(step.invoke, step.ainvoke), function

    def invoking_in_a_thread(self, depth):
        step, function = self.node(depth)
        return RunnableLambda(lambda text: step.invoke(text)), function

    def reading(self, depth):
        step, function = self.node(depth)

        async def areading(text):
            async with step.astream(text) as chunks:
                return "".join([chunk async for chunk in chunks])

        return RunnableLambda(lambda text: "".join(step.stream(text)), areading), function

    def batching(self, depth):
        step, function = self.node(depth)

        async def abatching(text):
            return "".join(await step.abatch([text, text + "2", text + "3"]))

        def batching(text):
            return "".join(step.batch(iter([text, text + "2", text + "3"])))

        return (
            RunnableLambda(batching, abatching),
            lambda text: "".join(function(text + end) for end in ("", "2", "3")),
        )

    def completing(self, depth):
        step, function = self.node(depth)

        async def acompleting(text):
            async with step.abatch_as_completed([text, text + "2"]) as pairs:
                return "".join(out for _, out in sorted([pair async for pair in pairs]))

        def completing(text):
            return "".join(out for _, out in sorted(step.batch_as_completed([text, text + "2"])))

        return RunnableLambda(
            completing, acompleting
        ), lambda text: function(text) + function(text + "2")

    LEAVES = (plain, inline, awaiting, streaming)
    NODES = (
        sequence,
        parallel,
        assigned,
        configured,
        returned,
        invoking,
        invoking_in_a_thread,
        reading,
        batching,
        completing,
    )


def check(world, seed, limit):
    """Every door of a random tree gives what it must, with `limit` leaves at work at most."""
    tree, config = Tree(seed), {"max_concurrency": limit}
    inputs = ["x", "y", "z"]
    expected = [tree.function(text) for text in inputs]
    assert world.invoke(tree.step, "x", config) == expected[0]
    assert "".join(world.stream(tree.step, "x", config)) == expected[0]
    assert world.batch(tree.step, inputs, config) == expected
    assert sorted(world.completed(tree.step, inputs, config)) == list(enumerate(expected))
    assert tree.gauge.most <= limit
    assert tree.gauge.now == 0


def check_failing(world, seed, limit):
    """The same where leaves fail: after the error no leaf begins.

    A thread that a cancelled task left behind may be about to begin one.
    """
    tree, config = Tree(seed, failing=0.2), {"max_concurrency": limit}
    for door, given in ((world.invoke, "x"), (world.stream, "x"), (world.batch, ["x", "y"])):
        with contextlib.suppress(BoomError):
            door(tree.step, given, config)
        worked = tree.gauge.worked
        while tree.gauge.now:
            time.sleep(0.001)
        assert tree.gauge.worked <= worked + (limit if world.is_async else 0)
    assert world.is_async or tree.gauge.most <= limit


@pytest.mark.parametrize("calls", ["inside the run", "from a thread"])
def test_batches_of_parallels_nested_through_functions_hold_to_their_limit(
    world: Any, calls
) -> None:
    gauge = Gauge()

    def leaf(text):
        with gauge:
            time.sleep(0.001)
        return text

    three = RunnableParallel(a=leaf, b=leaf, c=leaf)
    nested = RunnableLambda(lambda x: three.invoke(x), None if "thread" in calls else three.ainvoke)
    middle = RunnableParallel(a=nested, b=nested, c=leaf)
    outer = RunnableParallel(a=RunnableLambda(lambda x: middle.batch([x, x])), b=nested, c=middle)
    assert len(world.batch(outer, range(6), {"max_concurrency": 2})) == 6
    assert (gauge.most, gauge.now, gauge.worked) == (2, 0, 6 * (14 + 3 + 7))


@pytest.mark.parametrize("seed", range(40))
def test_a_random_tree_gives_what_it_must_within_its_limit(world: Any, seed) -> None:
    check(world, seed, 2)


@pytest.mark.parametrize("seed", range(40))
def test_a_random_tree_whose_leaves_fail_leaves_nothing_at_work(world: Any, seed) -> None:
    check_failing(world, seed, 2)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000))
def test_many_random_trees_give_what_they_must(world: Any, seed) -> None:
    check(world, seed, 2 + seed % 4)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000))
def test_many_random_trees_whose_leaves_fail_leave_nothing_at_work(world: Any, seed) -> None:
    check_failing(world, seed, 2 + seed % 4)
