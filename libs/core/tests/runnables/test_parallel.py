"""Several steps on one input, side by side."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import Any

import pytest

from headrace.engine.sums import AddableDict
from headrace.errors import InputError
from headrace.runnables import RunnableGenerator, RunnableLambda, RunnableMap, RunnableParallel


def letters(chunks):
    for chunk in chunks:
        yield from chunk


def summed(chunks):
    total = AddableDict()
    for chunk in chunks:
        total = total + chunk
    return total


def test_all_steps_get_the_same_input_and_give_a_dict_in_their_order(world: Any) -> None:
    step = RunnableParallel({"b": len, "a": str.upper}, c=lambda x: x)
    output = world.invoke(step, "xy")
    assert output == {"b": 2, "a": "XY", "c": "xy"}
    assert list(output) == ["b", "a", "c"]


def test_a_map_is_the_same() -> None:
    assert RunnableMap is RunnableParallel


def test_the_steps_work_side_by_side(world: Any) -> None:
    barrier = threading.Barrier(3)

    def meet(_):
        barrier.wait(10)
        return 1

    step = RunnableParallel(a=meet, b=meet, c=meet)
    assert world.invoke(step, 0) == {"a": 1, "b": 1, "c": 1}
    assert summed(world.stream(step, 0)) == {"a": 1, "b": 1, "c": 1}


def test_chunks_come_as_they_are_made_under_the_key_of_their_step(world: Any) -> None:
    step = RunnableParallel(a=RunnableGenerator(letters), b=len)
    chunks = world.stream(step, "xy")
    assert all(len(chunk) == 1 for chunk in chunks)
    assert [chunk["a"] for chunk in chunks if "a" in chunk] == ["x", "y"]
    assert summed(chunks) == {"a": "xy", "b": 2}


def test_every_step_gets_all_chunks_of_the_input(world: Any) -> None:
    step = RunnableParallel(a=RunnableGenerator(letters), b=RunnableGenerator(letters), c=len)
    assert summed(world.transform(step, ["x", "yz"])) == {"a": "xyz", "b": "xyz", "c": 3}


def test_the_first_step_to_give_a_chunk_is_not_kept_by_the_others(world: Any) -> None:
    release = threading.Event()

    def waits(x):
        release.wait(10)
        return x

    def sees(chunks):
        for chunk in chunks:
            release.set()
            yield chunk

    step = RunnableParallel(slow=waits, fast=RunnableLambda(str)) | sees
    assert world.stream(step, 1)[0] == {"fast": "1"}


def test_no_steps_at_all_give_an_empty_dict(world: Any) -> None:
    assert world.invoke(RunnableParallel(), 1) == {}
    assert world.stream(RunnableParallel({}), 1) == [{}]


def test_keys_that_are_no_strings_are_an_error() -> None:
    with pytest.raises(InputError, match="are strings, not 3"):
        RunnableParallel({3: len})


class Endless:
    """Steps that give chunks without end, and which of them began and were closed."""

    def __init__(self):
        self.began, self.closed = [], []

    def step(self, name):
        def generator(chunks):
            self.began.append(name)
            try:
                yield from itertools.count()
            finally:
                self.closed.append(name)

        return RunnableGenerator(generator)


@pytest.mark.parametrize("limit", [1, 2, 3, 32])
def test_leaving_a_stream_closes_every_step_that_began(world: Any, limit) -> None:
    endless = Endless()
    step = RunnableGenerator(letters) | {name: endless.step(name) for name in "abc"}
    assert len(world.read(step, "x", 5, {"max_concurrency": limit})) == 5
    assert sorted(endless.closed) == sorted(endless.began) != []


@pytest.mark.parametrize("limit", [1, 2, 3, 32])
def test_the_first_error_in_a_stream_is_raised_plain_and_ends_the_others(world: Any, limit) -> None:
    error, endless = KeyError("x"), Endless()

    def fails(_):
        raise error

    step = RunnableParallel(fails=fails, a=endless.step("a"), b=endless.step("b"))
    with pytest.raises(KeyError) as caught:
        world.stream(step, 1, {"max_concurrency": limit})
    assert caught.value is error
    assert sorted(endless.closed) == sorted(endless.began)


@pytest.mark.parametrize("limit", [1, 2, 32])
def test_the_first_error_is_raised_plain(world: Any, limit) -> None:
    error = KeyError("x")

    def fails(_):
        raise error

    with pytest.raises(KeyError) as caught:
        world.invoke(RunnableParallel(a=str, fails=fails, b=str), 1, {"max_concurrency": limit})
    assert caught.value is error
    assert error.__notes__ == ["raised in step `fails`"]


def test_an_async_sibling_of_a_failing_step_is_cancelled_and_awaited() -> None:
    log = []

    async def waits(x):
        try:
            log.append("began")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.001)
            log.append("ended")

    async def fails(x):
        while not log:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0)
        raise KeyError(x)

    async def main():
        with pytest.raises(KeyError):
            await RunnableParallel(a=waits, b=fails).ainvoke(1)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    assert log == ["began", "ended"]


def test_a_sync_sibling_of_a_failing_step_calls_nothing_more() -> None:
    began, calls = threading.Event(), []

    def fails(x):
        began.wait(10)
        raise KeyError(x)

    def loops(x):
        for n in itertools.count():
            RunnableLambda(calls.append).invoke(n)
            began.set()

    with pytest.raises(KeyError):
        RunnableParallel(a=fails, b=loops).invoke(1)
    assert calls


def test_a_sync_sibling_that_reads_a_stream_ends_at_its_next_chunk() -> None:
    began = threading.Event()

    def fails(x):
        began.wait(10)
        raise KeyError(x)

    def reads(x):
        for _ in RunnableGenerator(lambda _: itertools.count()).stream(x):
            began.set()

    with pytest.raises(KeyError):
        RunnableParallel(a=fails, b=reads).invoke(1)


def test_a_keyboard_interrupt_in_a_stream_is_raised_though_a_helper_reads_the_source() -> None:
    reading, release = threading.Event(), threading.Event()

    def source(chunks):
        reading.set()
        release.wait(10)
        yield 1

    def interrupted(chunks):
        if threading.current_thread() is threading.main_thread():
            reading.wait(10)
            raise KeyboardInterrupt
        yield from chunks

    step = RunnableGenerator(source) | {"a": interrupted, "b": interrupted}
    with pytest.raises(KeyboardInterrupt):
        list(step.stream(1, {"max_concurrency": 2}))
    release.set()


def test_the_same_object_goes_to_all_steps(world: Any) -> None:
    value = object()
    output = world.invoke(RunnableParallel(a=lambda x: x, b=lambda x: x), value)
    assert output["a"] is output["b"] is value


def test_a_parallel_shows_its_steps() -> None:
    assert repr(RunnableParallel(a=len)) == "{a: RunnableLambda(len)}"


def test_a_sync_sibling_that_adds_up_a_stream_ends_at_its_next_chunk() -> None:
    began = threading.Event()

    def fails(x):
        began.wait(10)
        raise KeyError(x)

    def endless(_):
        for n in itertools.count():
            began.set()
            yield n

    for sums in (RunnableGenerator(endless) | str, RunnableLambda(endless) | str):
        with pytest.raises(KeyError):
            RunnableParallel(a=fails, b=sums).invoke(1)
        with pytest.raises(KeyError):
            list(RunnableParallel(a=fails, b=sums).stream(1))
