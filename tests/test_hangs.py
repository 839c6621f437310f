"""A provider that hangs, in whatever way, holds nobody longer than the timeout says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from faults import dripping_headers, kept_alive, silent, stalled

from headrace import RunnableLambda, RunnableParallel, StrOutputParser
from headrace.errors import ModelTimeoutError, StepTimeoutError
from headrace_openai import ChatOpenAI

HANGS = {
    "before headers": silent,
    "in its headers": dripping_headers,
    "between keep-alives": kept_alive,
    "after its first chunk": stalled,
}
LONG = 10.0  # seconds, by which a test that hangs has failed


async def _all(step: Any) -> None:
    async with step.astream("x") as chunks:
        async for _ in chunks:
            pass


DOORS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda step: step.invoke("x"),
    "ainvoke": lambda step: asyncio.run(step.ainvoke("x")),
    "stream": lambda step: list(step.stream("x")),
    "astream": lambda step: asyncio.run(_all(step)),
}


@pytest.fixture
def model(serve: Any) -> Any:
    made: list[ChatOpenAI] = []

    def make(answer: Any) -> Any:
        wire = serve(answer)
        made.append(ChatOpenAI(model="m", api_key="k", base_url=wire.url, max_retries=0))
        return made[-1], wire

    yield make
    for each in made:
        each.close()


def timed_out(door: str, step: Any, error: type[Exception] = ModelTimeoutError) -> Any:
    begun = time.monotonic()
    with pytest.raises(error) as caught:
        DOORS[door](step)
    assert time.monotonic() - begun < LONG
    return caught.value


def asked(wire: Any, times: int = 1) -> None:
    end = time.monotonic() + LONG
    while len(wire.requests) < times and time.monotonic() < end:
        time.sleep(0.005)


def left_alone(wire: Any) -> bool:
    """Whether the server saw all its connections closed."""
    end = time.monotonic() + LONG
    while len(wire.disconnected) < len(wire.requests) and time.monotonic() < end:
        time.sleep(0.005)
    return len(wire.disconnected) == len(wire.requests)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("hang", HANGS)
def test_each_way_to_hang_ends_in_each_door_and_closes_the_connection(
    hang: str, door: str, model: Any
) -> None:
    made, wire = model(HANGS[hang])
    error = timed_out(door, made.with_timeout(first_chunk=0.1, idle=0.1))
    assert "0.1 s" in str(error)
    assert left_alone(wire)


@pytest.mark.parametrize("door", ["stream", "astream"])
def test_the_idle_bound_holds_though_the_first_chunk_had_longer(door: str, model: Any) -> None:
    made, _ = model(stalled)
    error = timed_out(door, made.with_timeout(first_chunk=60, idle=0.2))
    assert "idle" in str(error)
    assert error.partial.text == "half an answer"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("hang", HANGS)
def test_the_total_bounds_a_model_whose_other_bounds_are_long(
    hang: str, door: str, model: Any
) -> None:
    made, _ = model(HANGS[hang])
    assert "total" in str(timed_out(door, made.with_timeout(total=0.1)))


@pytest.mark.parametrize("door", DOORS)
def test_the_total_of_a_chain_reaches_the_read_that_its_model_waits_in(
    door: str, model: Any
) -> None:
    made, wire = model(stalled)
    timed_out(door, (made | StrOutputParser()).with_timeout(total=0.1), StepTimeoutError)
    assert left_alone(wire)


@pytest.mark.parametrize("door", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("hang", HANGS)
def test_a_failing_sibling_closes_the_connection_of_one_that_hangs(
    hang: str, door: str, model: Any
) -> None:
    made, wire = model(HANGS[hang])

    def fail(_: Any) -> None:
        asked(wire)
        raise ValueError("sibling")

    begun = time.monotonic()
    with pytest.raises(ValueError, match="sibling"):
        DOORS[door](RunnableParallel(a=made | StrOutputParser(), b=RunnableLambda(fail)))
    assert time.monotonic() - begun < LONG
    assert left_alone(wire)


@pytest.mark.parametrize("hang", HANGS)
def test_a_hang_that_is_cancelled_closes_the_connection(hang: str, model: Any) -> None:
    made, wire = model(HANGS[hang])

    async def run() -> None:
        task = asyncio.create_task(made.ainvoke("x"))
        await asyncio.to_thread(asked, wire)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert left_alone(wire)


def test_a_batch_that_is_left_ends_its_hanging_requests(model: Any) -> None:
    made, wire = model(silent)
    quick = RunnableLambda(lambda x: made if x else "quick", inline=True)
    begun = time.monotonic()
    with quick.batch_as_completed(["x", "x", ""]) as results:
        assert next(results) == (2, "quick")
        asked(wire, 2)
    assert time.monotonic() - begun < LONG
    assert left_alone(wire)
