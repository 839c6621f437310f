"""What a pipe takes."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from headrace.errors import InputError
from headrace.runnables import (
    Runnable,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from headrace.runnables.coercion import PipeError, coerce_to_runnable


def plain(x):
    return x


async def coroutine(x):
    return x


def generator(chunks):
    yield from chunks


async def async_generator(chunks):
    async for chunk in chunks:
        yield chunk


class Calling:
    def __call__(self, x):
        return x


class Generating:
    def __call__(self, chunks):
        yield from chunks


@pytest.mark.parametrize(
    ("thing", "kind"),
    [
        (plain, RunnableLambda),
        (coroutine, RunnableLambda),
        (len, RunnableLambda),
        (str, RunnableLambda),
        (Calling(), RunnableLambda),
        (functools.partial(plain), RunnableLambda),
        (generator, RunnableGenerator),
        (async_generator, RunnableGenerator),
        (Generating(), RunnableGenerator),
        (functools.partial(generator), RunnableGenerator),
        ({"a": plain}, RunnableParallel),
        (Generating, RunnableLambda),
    ],
)
def test_a_pipe_takes_functions_generators_and_dicts_of_them(thing, kind) -> None:
    assert type(coerce_to_runnable(thing)) is kind


def test_a_runnable_is_taken_as_it_is() -> None:
    step = RunnablePassthrough()
    assert coerce_to_runnable(step) is step


def test_dicts_inside_dicts_are_steps_too(world: Any) -> None:
    step = RunnablePassthrough() | {"a": {"b": len, "c": {"d": str}}}
    assert world.invoke(step, "xy") == {"a": {"b": 2, "c": {"d": "xy"}}}


@pytest.mark.parametrize("thing", [3, None, "text", [len], ("a", len)])
def test_anything_else_is_an_error_that_says_what_is_taken(thing) -> None:
    for error in (PipeError, InputError, TypeError):
        with pytest.raises(error, match=f"not {type(thing).__name__} "):
            RunnablePassthrough() | thing
    with pytest.raises(PipeError):
        thing | RunnablePassthrough()


def test_what_stands_inside_a_dict_is_checked_when_it_is_made() -> None:
    with pytest.raises(PipeError, match="not int 3"):
        RunnablePassthrough() | {"a": {"b": 3}}


def test_a_runnable_that_can_be_called_is_still_a_runnable() -> None:
    class Both(Runnable):
        async def _invoke(self, input, run):
            return "invoked"

        def __call__(self, x):
            return "called"

    assert (RunnablePassthrough() | Both()).invoke(1) == "invoked"
