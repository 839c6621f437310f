"""What a step is, and its doors; batches are in test_batch.py."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from headrace.errors import InputError, SuspendedError
from headrace.runnables import Runnable, RunnableGenerator, RunnableLambda


class Adding(Runnable):
    """Written as a value in, a value out."""

    async def _invoke(self, input, run):
        return input + "!"


class Upper(Runnable):
    """Written as chunks in, chunks out."""

    async def _transform(self, chunks, run):
        async for chunk in chunks:
            yield chunk.upper()


class Empty(Runnable):
    async def _transform(self, chunks, run):
        async for _ in chunks:
            pass
        return
        yield


def test_a_step_with_neither_way_to_work_is_an_error_when_its_class_is_made() -> None:
    with pytest.raises(TypeError, match="Nothing has neither `async def _invoke"):

        class Nothing(Runnable):
            pass


def test_an_abstract_step_may_leave_both_open() -> None:
    class Base(Runnable, abstract=True):
        pass

    class Step(Base):
        _invoke = Adding._invoke

    assert Step().invoke("a") == "a!"


def test_a_step_that_takes_values_sums_the_chunks_it_gets(world: Any) -> None:
    assert world.transform(Adding(), ["a", "b"]) == ["ab!"]
    assert world.stream(Adding(), "a") == ["a!"]


def test_a_step_that_takes_chunks_sums_those_it_gives(world: Any) -> None:
    assert world.invoke(Upper() | Upper(), "ab") == "AB"
    assert world.transform(Upper(), ["a", "b"]) == ["A", "B"]


def test_of_chunks_that_do_not_add_the_last_one_stands(world: Any) -> None:
    class Last(Runnable):
        async def _invoke(self, input, run):
            return input

    assert world.transform(Last(), [object, 3, {"a": 1}]) == [{"a": 1}]


def test_nothing_in_is_nothing_out(world: Any) -> None:
    assert world.transform(Adding(), []) == []
    assert world.transform(Upper(), []) == []
    assert world.transform(Upper() | Adding(), []) == []


def test_a_step_without_chunks_gives_none_when_it_is_invoked(world: Any) -> None:
    assert world.invoke(Empty(), "a") is None
    assert world.stream(Empty(), "a") == []


def test_values_that_are_false_pass_as_they_are(world: Any) -> None:
    for value in ("", 0, None, [], {}, False):
        assert world.invoke(RunnableLambda(lambda x: x), value) == value
        assert world.stream(RunnableLambda(lambda x: x), value) == [value]


def test_a_sync_call_works_inside_a_running_loop() -> None:
    async def main():
        step = Upper() | Adding()
        return step.invoke("a"), list(step.stream("a")), step.batch(["a", "b"])

    assert asyncio.run(main()) == ("A!", ["A!"], ["A!", "B!"])


def test_an_async_call_works_inside_a_sync_call_inside_an_async_call() -> None:
    def function(x):
        return asyncio.run(Upper().ainvoke(x))

    step = RunnableLambda(lambda x: RunnableLambda(function).invoke(x))
    assert asyncio.run(step.ainvoke("a")) == "A"


async def waits(x):
    await asyncio.sleep(0.001)
    return x


async def waits_midway(chunks):
    async for chunk in chunks:
        yield chunk
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("step", [RunnableLambda(waits), RunnableGenerator(waits_midway)])
@pytest.mark.parametrize("in_loop", [True, False])
def test_a_step_that_really_waits_in_a_sync_run_is_an_error_with_its_place(step, in_loop) -> None:
    def work():
        for call in ((str | step).invoke, lambda x: list((str | step).stream(x))):
            with pytest.raises(SuspendedError, match=r"step `waits\w*` .*`ainvoke`") as caught:
                call(1)
            assert caught.value.step.startswith("1:waits")

    async def main():
        work()

    asyncio.run(main()) if in_loop else work()


def test_transform_takes_any_iterable_and_atransform_any_iterator() -> None:
    async def main():
        return [x async for x in Upper().atransform(["a", "b"])]

    assert list(Upper().transform(["a", "b"])) == asyncio.run(main()) == ["A", "B"]


def test_the_source_of_a_transform_is_closed_when_the_stream_is_left(world: Any) -> None:
    log = []

    def source():
        try:
            yield from "abc"
        finally:
            log.append("closed")

    async def async_source():
        for letter in source():
            yield letter

    if world.is_async:

        async def main():
            async with Upper().atransform(source()) as chunks:
                await chunks.__anext__()
            return list(log)

        assert asyncio.run(main()) == ["closed"]
    else:
        with Upper().transform(source()) as chunks:
            next(chunks)
        assert log == ["closed"]


def test_a_stream_does_nothing_before_it_is_read(world: Any) -> None:
    step = RunnableLambda(lambda _: pytest.fail("begun"))
    assert world.read(step, 1, 0) == []


def test_a_step_without_arguments_of_a_call_refuses_them(world: Any) -> None:
    for door in (world.invoke, world.stream, world.batch):
        with pytest.raises(InputError, match="`Upper` takes no call arguments; found `stop`"):
            door(Upper(), "a", stop=1)


def test_a_step_without_arguments_of_a_call_refuses_to_bind_them() -> None:
    with pytest.raises(InputError, match="`Upper` takes no call arguments"):
        Upper().bind(stop=1)


def test_the_name_of_a_step_is_that_given_or_that_of_its_class() -> None:
    assert Upper().get_name() == "Upper"
    assert RunnableLambda(len, name="count").get_name() == "count"
    assert RunnableLambda(len, name="count").get_name("input") == "countInput"


def test_a_stream_names_its_result(world: Any) -> None:
    async def main():
        stream = Upper().astream("ab")
        return await stream.result

    result = asyncio.run(main()) if world.is_async else Upper().stream("ab").result
    assert result == "AB"


def test_a_sync_call_of_ten_steps_is_no_deeper_than_its_steps() -> None:
    depth = []

    def measure(x):
        frame = sys._getframe()
        while frame is not None:
            depth.append(frame)
            frame = frame.f_back
        return x

    step = RunnableLambda(measure)
    step.invoke(1)
    alone = len(depth)
    depth.clear()
    (step | str | str | str | str | str | str | str | str | str).invoke(1)
    assert len(depth) <= alone + 2
