"""Functions of every kind as steps."""

from __future__ import annotations

import asyncio
import copy
import functools
import operator
import pickle
import threading
from typing import Any

import pytest

from headrace.engine.run import Run
from headrace.errors import InputError, RecursionLimitError, SuspendedError
from headrace.runnables import RunnableLambda, RunnablePassthrough, chain


def plain(x):
    return x + 1


async def coroutine(x):
    return x + 1


def generator(x):
    yield from range(x)


async def async_generator(x):
    for n in range(x):
        yield n


@pytest.mark.parametrize(
    "function",
    [
        plain,
        coroutine,
        operator.index,
        functools.partial(operator.add, 1),
        functools.partial(coroutine),
        (3).__add__,
    ],
)
def test_a_function_of_any_kind_is_called_with_the_input(world: Any, function) -> None:
    step = RunnableLambda(function)
    expected = world.invoke(step, 3)
    assert expected in (3, 4, 6)
    assert world.stream(step, 3) == world.batch(step, [3]) == [expected]


def test_a_coroutine_function_serves_the_async_world_and_the_plain_one_the_sync(world: Any) -> None:
    async def async_one(x):
        return "async"

    step = RunnableLambda(lambda x: "sync", async_one)
    assert world.invoke(step, 1) == ("async" if world.is_async else "sync")
    assert world.stream(step, 1) == ["async" if world.is_async else "sync"]


def test_a_function_said_to_be_async_may_give_anything_that_can_be_awaited(world: Any) -> None:
    class Awaitable:
        def __await__(self):
            return (yield from coroutine(3).__await__())

    assert world.invoke(RunnableLambda(afunc=lambda x: Awaitable()), 3) == 4


@pytest.mark.parametrize("function", [None, 3, "text"])
def test_a_step_without_a_function_is_an_error(function) -> None:
    with pytest.raises(InputError):
        RunnableLambda(function)


def test_a_plain_function_in_an_async_run_works_in_a_thread_unless_it_is_inline() -> None:
    thread = RunnableLambda(lambda _: threading.current_thread())
    inline = RunnableLambda(lambda _: threading.current_thread(), inline=True)
    here = threading.current_thread()
    assert thread.invoke(1) is inline.invoke(1) is asyncio.run(inline.ainvoke(1)) is here
    assert asyncio.run(thread.ainvoke(1)) is not here


def test_an_inline_function_that_asks_for_its_config_is_inline_too() -> None:
    step = RunnableLambda(lambda _, config: threading.current_thread(), inline=True)
    assert asyncio.run(step.ainvoke(1)) is threading.current_thread()


def test_a_generator_in_an_async_run_works_in_a_thread() -> None:
    def function(x):
        yield threading.current_thread()

    assert asyncio.run(RunnableLambda(function).ainvoke(1)) is not threading.current_thread()


# Generators, whose items add up.


@pytest.mark.parametrize("function", [generator, async_generator])
def test_a_generator_streams_its_items_over_the_whole_input(world: Any, function) -> None:
    step = RunnableLambda(function)
    assert world.stream(step, 4) == [0, 1, 2, 3]
    assert world.invoke(step, 4) == 6
    assert world.transform(step, [1, 3]) == [0, 1, 2, 3]


@pytest.mark.parametrize("function", [generator, async_generator])
def test_a_generator_without_items_gives_none(world: Any, function) -> None:
    assert world.invoke(RunnableLambda(function), 0) is None
    assert world.stream(RunnableLambda(function), 0) == []


def test_a_generator_is_closed_when_its_stream_is_left(world: Any) -> None:
    log = []

    def function(x):
        try:
            yield 1
            yield 2
        finally:
            log.append("closed")

    assert world.read(RunnableLambda(function), 1, 1) == [1]
    assert log == ["closed"]


# What a function may ask for.


def test_a_function_may_ask_for_its_config_and_its_run(world: Any) -> None:
    def function(x, config, run):
        return config["tags"], isinstance(run, Run), run.io.is_async

    async def async_function(x, *, config, run):
        return function(x, config, run)

    def generator_function(x, config, run):
        yield function(x, config, run)

    for asking in (function, async_function, generator_function):
        found = world.invoke(RunnableLambda(asking), 1, {"tags": ["a"]})
        assert found == (["a"], True, world.is_async)


def test_what_a_function_asks_for_is_its_own_even_if_a_name_is_bound(world: Any) -> None:
    step = RunnableLambda(lambda x, config, y: (config["tags"], y)).bind(y=2, config=3)
    assert world.invoke(step, 1, {"tags": ["a"]}) == (["a"], 2)


def test_a_signature_is_read_once_when_the_step_is_made(world: Any) -> None:
    read = []

    class Function:
        @property
        def __signature__(self):
            read.append(1)
            raise AttributeError

        def __call__(self, x):
            return x

    step = RunnableLambda(Function())
    before = len(read)
    world.invoke(step, 1)
    world.stream(step, 1)
    assert len(read) == before


# A function may return a step.


def test_a_step_that_is_returned_is_called_with_the_same_input(world: Any) -> None:
    step = RunnableLambda(lambda x: RunnableLambda(plain) if x else RunnableLambda(str))
    assert world.batch(step, [0, 3]) == ["0", 4]
    assert world.stream(step, 3) == [4]


def test_a_step_that_is_returned_streams_through(world: Any) -> None:
    step = RunnableLambda(lambda x: RunnableLambda(generator) | RunnablePassthrough())
    assert world.stream(step, 3) == [0, 1, 2]


def test_a_coroutine_function_may_return_a_step_too(world: Any) -> None:
    async def function(x):
        return RunnableLambda(plain)

    assert world.invoke(RunnableLambda(function), 3) == 4


def test_steps_that_return_steps_end_at_the_recursion_limit(world: Any) -> None:
    step = RunnableLambda(lambda x: step, name="loop")
    for door in (world.invoke, world.stream):
        with pytest.raises(RecursionLimitError, match=r"`loop`.*`recursion_limit`"):
            door(step, 1)


@pytest.mark.parametrize(("limit", "deep"), [(3, 3), (3, 4)])
def test_the_recursion_limit_counts_the_steps_returned(world: Any, limit, deep) -> None:
    step = RunnableLambda(lambda n: step if count() < deep else "end")
    calls = []

    def count():
        calls.append(1)
        return len(calls) - 1

    if deep <= limit:
        assert world.invoke(step, 0, {"recursion_limit": limit}) == "end"
    else:
        with pytest.raises(RecursionLimitError):
            world.invoke(step, 0, {"recursion_limit": limit})


# Names and values.


def test_a_function_gives_its_name_to_its_step() -> None:
    assert RunnableLambda(plain).get_name() == "plain"
    assert RunnableLambda(lambda x: x).get_name() == "RunnableLambda"
    assert RunnableLambda(functools.partial(plain)).get_name() == "partial"
    assert RunnableLambda(plain, name="mine").bind(y=1).get_name() == "mine"


def test_the_chain_decorator_makes_a_step_of_the_functions_name(world: Any) -> None:
    @chain
    def shout(text):
        return text.upper()

    @chain(inline=True, name="whisper")
    def low(text):
        return text.lower()

    assert world.invoke(shout | low, "Ab") == "ab"
    assert (shout.get_name(), low.get_name(), low.inline) == ("shout", "whisper", True)


def test_steps_of_the_same_function_are_equal() -> None:
    assert RunnableLambda(plain) == RunnableLambda(plain)
    assert hash(RunnableLambda(plain)) == hash(RunnableLambda(plain))
    assert RunnableLambda(plain) != RunnableLambda(plain).bind(y=1)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_step_of_a_named_function_can_be_copied_and_pickled(world: Any, copied) -> None:
    for function, output in ((plain, 4), (coroutine, 4), (generator, 3)):
        assert world.invoke(copied(RunnableLambda(function)), 3) == output


def test_an_error_that_a_function_returns_is_a_value(world: Any) -> None:
    error = SuspendedError("x")
    assert world.invoke(RunnableLambda(lambda _: error), 1) is error
