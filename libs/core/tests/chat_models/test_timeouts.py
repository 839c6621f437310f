"""How long an answer may take: of each attempt, and of all of it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from headrace.chat_models import BaseChatModel, Timeout, Watch
from headrace.engine.strands import Scope, Stopped
from headrace.errors import InputError, ModelRateLimitError, ModelTimeoutError
from headrace.messages import AIMessage, AIMessageChunk
from headrace.testing import ScriptedChatModel

USAGE: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


class Seen(BaseChatModel):
    """Answers with the timeout that its request is under."""

    async def _generate(self, messages: Any, settings: Any, run: Any) -> AIMessage:
        limits = settings.watch.timeout
        left = None if run.bounds.left is None else round(run.bounds.left)
        told = [limits.connect, limits.first_chunk, limits.idle, left]
        return AIMessage("", response_metadata={"told": told})


class Hanging(BaseChatModel):
    """Gives some chunks and then nothing more."""

    async def _stream(self, messages: Any, settings: Any, run: Any) -> Any:
        yield AIMessageChunk("half ")
        yield AIMessageChunk("an answer", usage_metadata=USAGE)
        await asyncio.get_running_loop().create_future()


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def told(world: Any, model: Any) -> Any:
    return world.invoke(model, "hi").response_metadata["told"]


def test_what_with_timeout_does_not_say_stays_as_it_is(world: Any) -> None:
    model = Seen(model="s", timeout=Timeout(1, 2, 3, 4)).with_timeout(first_chunk=20)
    assert told(world, model) == [1, 20, 3, 4]
    assert told(world, model.with_timeout(idle=30).bind(temperature=1)) == [1, 20, 30, 4]


def test_of_two_bounds_the_outer_one_stands_and_of_two_totals_the_less(world: Any) -> None:
    model = Seen(model="s").with_timeout(idle=5, total=50).with_timeout(idle=6, total=60)
    assert told(world, model) == [10, 120, 6, 50]


def test_bounds_reach_all_fallbacks_whatever_stands_between(world: Any) -> None:
    down = ScriptedChatModel([ModelRateLimitError("busy")], max_retries=0)
    model = down.with_fallbacks([Seen(model="s")]).with_retry().with_timeout(connect=7, total=70)
    assert told(world, model) == [7, 120, 120, 70]


def test_the_total_holds_for_all_attempts_and_the_waits_between_them(world: Any) -> None:
    busy = ModelRateLimitError("busy", retry_after=40)
    model = ScriptedChatModel([busy, "too late"])
    with pytest.raises(ModelRateLimitError) as caught:
        world.invoke(model.with_retry().with_timeout(total=30), "hi")
    assert len(model.calls) == 1
    assert "40 s to wait" in caught.value.__notes__[0]


def test_nothing_is_asked_for_when_the_time_is_over(world: Any) -> None:
    model = ScriptedChatModel(["never"])
    with pytest.raises(ModelTimeoutError, match="total"):
        world.invoke(model.with_timeout(total=0.001), "hi")
    assert model.calls == []


@pytest.mark.parametrize("door", ["ainvoke", "astream"])
@pytest.mark.parametrize(
    ("limits", "says"),
    [({"idle": 0.05}, r"timeout\.idle` = 0.05"), ({"total": 0.05}, "total` = 0.05")],
)
def test_an_async_hang_ends_in_time_with_what_had_come(door: str, limits: Any, says: str) -> None:
    model = Hanging(model="h", max_retries=0).with_timeout(**limits)

    async def run() -> None:
        if door == "ainvoke":
            await model.ainvoke("hi")
        async for _ in model.astream("hi"):
            pass

    with pytest.raises(ModelTimeoutError, match=says) as caught:
        asyncio.run(run())
    assert caught.value.partial.text == "half an answer"
    assert caught.value.usage == USAGE


def test_a_cancelled_call_carries_what_had_come() -> None:
    async def run() -> Any:
        task = asyncio.create_task(Hanging(model="h").ainvoke("hi"))
        await asyncio.sleep(0.01)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            return error

    error = asyncio.run(run())
    assert (error.partial.text, error.usage) == ("half an answer", USAGE)


def test_the_time_a_consumer_takes_is_no_delay_of_the_models(clock: Clock) -> None:
    model = ScriptedChatModel([["a", "b", "c"]], timeout=Timeout(idle=5, total=None))
    text = ""
    for chunk in model.stream("hi"):
        text += chunk.text
        clock.now += 100
    assert text == "abc"


def test_keep_alives_are_no_content(clock: Clock) -> None:
    watch = Watch(Timeout(first_chunk=10, idle=5, total=None))
    watch.saw(False)
    clock.now += 9
    watch.saw(True)
    clock.now += 4
    watch.saw(False)
    clock.now += 4
    with pytest.raises(ModelTimeoutError, match=r"`timeout\.idle` = 5 s"):
        watch.saw(False)


def test_what_is_left_is_the_least_of_all_bounds(clock: Clock) -> None:
    watch = Watch(Timeout(first_chunk=10, idle=5, total=100), left=50)
    assert watch.left == 10
    watch.saw(True)
    assert watch.left == 5
    clock.now += 48
    watch.resume()
    assert watch.left == 2
    assert Watch(Timeout(None, None, None, None)).left is None


def test_a_called_off_run_ends_at_its_next_read() -> None:
    scope = Scope()
    watch = Watch(Timeout(), scope)
    scope.stop()
    with pytest.raises(Stopped):
        watch.saw(False)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Timeout(idle=0),
        lambda: Timeout.read({"first_chunks": 3}),
        lambda: ScriptedChatModel().with_timeout(),
        lambda: ScriptedChatModel().with_timeout(total=-1),
        lambda: ScriptedChatModel().with_timeout(idle=True),
    ],
)
def test_what_is_no_number_of_seconds_is_refused(make: Any) -> None:
    with pytest.raises(InputError):
        make()
