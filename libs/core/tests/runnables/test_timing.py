"""Steps that must be done by a certain time."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from headrace.errors import InputError, ModelTimeoutError, StepTimeoutError
from headrace.runnables import RunnableGenerator, RunnableLambda
from headrace.testing import FunctionChatModel, ScriptedChatModel


async def hang(_: Any) -> Any:
    await asyncio.get_running_loop().create_future()


async def hang_after_two(chunks: Any) -> Any:
    yield 1
    yield 2
    await asyncio.get_running_loop().create_future()


def test_a_step_that_is_done_in_time_is_as_without(world: Any) -> None:
    step = RunnableLambda(lambda x: x + 1).with_timeout(total=30)
    assert world.invoke(step, 1) == 2
    assert world.stream(step, 1) == [2]


def test_async_work_is_cancelled_when_its_time_is_over() -> None:
    step = (RunnableLambda(hang) | len).with_timeout(total=0.02)
    with pytest.raises(StepTimeoutError, match=r"longer than the 0\.02 s of its `with_timeout`"):
        asyncio.run(step.ainvoke(1))


def test_an_async_stream_ends_in_time_after_what_came() -> None:
    found: list[int] = []

    async def run() -> None:
        async for item in RunnableGenerator(hang_after_two).with_timeout(total=0.02).astream(1):
            found.append(item)

    with pytest.raises(StepTimeoutError):
        asyncio.run(run())
    assert found == [1, 2]


def test_a_model_inside_is_not_asked_after_that_time(world: Any) -> None:
    model = ScriptedChatModel(["never"])
    with pytest.raises(StepTimeoutError):
        world.invoke((RunnableLambda(str) | model).with_timeout(total=0.001), 1)
    assert model.calls == []


def test_what_had_come_of_an_answer_goes_with_the_error(world: Any) -> None:
    def slow(messages: Any) -> Any:
        yield "half"
        time.sleep(0.1)
        raise ModelTimeoutError("slow")

    step = (FunctionChatModel(slow, max_retries=0) | str).with_timeout(total=0.05)
    with pytest.raises(StepTimeoutError) as caught:
        world.invoke(step, "x")
    assert caught.value.partial.text == "half"


def test_a_timeout_inside_that_is_not_its_own_stays_as_it_is(world: Any) -> None:
    model = ScriptedChatModel([ModelTimeoutError("slow")], max_retries=0)
    with pytest.raises(ModelTimeoutError, match="slow"):
        world.invoke((model | str).with_timeout(total=30), "x")


def test_methods_of_the_step_stay_and_what_they_make_is_bounded(world: Any) -> None:
    step = RunnableLambda(lambda x, by=1: x * by).with_timeout(total=30)
    assert world.invoke(step.bind(by=3), 2) == 6
    assert repr(step.bind(by=3)).endswith(".with_timeout(total=30)")


@pytest.mark.parametrize("options", [{"total": 0}, {"total": "9"}, {}, {"total": 9, "idle": 3}])
def test_bounds_that_make_no_sense_for_a_step_are_refused(options: Any) -> None:
    with pytest.raises(InputError):
        RunnableLambda(str).with_timeout(**options)
