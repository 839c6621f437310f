"""Generators as steps that work chunk by chunk."""

from __future__ import annotations

import asyncio
import functools
import itertools
from typing import Any

import pytest

from headrace.errors import InputError
from headrace.runnables import RunnableGenerator, RunnableLambda, RunnablePassthrough


def letters(chunks):
    for chunk in chunks:
        yield from chunk


async def async_letters(chunks):
    async for chunk in chunks:
        for letter in chunk:
            yield letter


both = pytest.mark.parametrize("function", [letters, async_letters])


@both
def test_a_generator_works_chunk_by_chunk(world: Any, function) -> None:
    step = RunnableGenerator(function)
    assert world.transform(step, ["ab", "c"]) == ["a", "b", "c"]
    assert world.stream(step, "ab") == ["a", "b"]
    assert world.invoke(step, "ab") == "ab"
    assert world.batch(step, ["ab", "c"]) == ["ab", "c"]


@both
def test_a_generator_gets_each_chunk_as_it_is_asked_for(world: Any, function) -> None:
    made = []

    def making(chunks):
        for n in itertools.count():
            made.append(n)
            yield str(n)

    assert world.read(RunnableGenerator(making) | function, "", 3) == ["0", "1", "2"]
    assert made == [0, 1, 2]


def test_an_async_twin_serves_the_async_world(world: Any) -> None:
    def plain(chunks):
        yield "plain"

    async def twin(chunks):
        yield "twin"

    for step in (
        RunnableGenerator(plain, twin),
        RunnableGenerator(transform=plain, atransform=twin),
    ):
        assert world.invoke(step, 1) == ("twin" if world.is_async else "plain")
    assert world.invoke(RunnableGenerator(atransform=twin), 1) == "twin"


@pytest.mark.parametrize(
    "function",
    [lambda chunks: (c.upper() for c in chunks), functools.partial(map, str.upper), list],
)
def test_any_function_from_an_iterator_to_an_iterable_will_do(world: Any, function) -> None:
    assert "".join(world.transform(RunnableGenerator(function), ["a", "b"])).upper() == "AB"


@pytest.mark.parametrize("function", [None, 3])
def test_without_a_function_it_is_an_error(function) -> None:
    with pytest.raises(InputError, match="takes a generator function"):
        RunnableGenerator(function)


@both
def test_a_generator_is_closed_when_the_stream_is_left(world: Any, function) -> None:
    log = []

    def closing(chunks):
        try:
            for chunk in chunks:
                yield from itertools.repeat(chunk)
        finally:
            log.append("plain")

    async def async_closing(chunks):
        try:
            async for chunk in chunks:
                while True:
                    yield chunk
        finally:
            log.append("async")

    step = RunnableGenerator(closing) | async_closing | function
    assert world.read(step, "a", 3) == ["a", "a", "a"]
    assert log == ["async", "plain"]


def test_an_error_while_a_generator_closes_leaves_none_open(world: Any) -> None:
    log = []

    def closing(chunks):
        try:
            yield from itertools.repeat("a")
        finally:
            log.append("closed")

    def failing(chunks):
        try:
            yield from chunks
        finally:
            raise KeyError("x")

    with pytest.raises(KeyError):
        world.read(RunnableGenerator(closing) | failing | letters, "a", 1)
    assert log == ["closed"]


def test_a_step_may_be_called_while_a_generator_closes(world: Any) -> None:
    log = []
    note = RunnableLambda(log.append) | RunnablePassthrough()

    def closing(chunks):
        try:
            yield from itertools.repeat("a")
        finally:
            note.invoke("closed")

    world.read(RunnableGenerator(closing) | letters, "a", 1)
    assert log == ["closed"]


def test_a_generator_that_reads_no_input_is_a_source(world: Any) -> None:
    step = RunnableGenerator(lambda _: iter("abc")) | letters
    assert world.stream(step, None) == ["a", "b", "c"]


def test_async_generators_may_wait_in_an_async_run() -> None:
    async def waiting(chunks):
        async for chunk in chunks:
            await asyncio.sleep(0.001)
            yield chunk

    async def main():
        return [x async for x in (RunnableGenerator(waiting) | letters | waiting).astream("ab")]

    assert asyncio.run(main()) == ["a", "b"]


def test_a_generator_bears_the_name_of_its_function_or_one_given() -> None:
    assert RunnableGenerator(letters).get_name() == "letters"
    assert RunnableGenerator(letters, name="mine").get_name() == "mine"
    assert repr(RunnableGenerator(letters)) == "RunnableGenerator(letters)"
