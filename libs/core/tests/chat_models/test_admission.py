from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest

from headrace.chat_models import BaseChatModel, Timeout
from headrace.errors import (
    ConfigurationError,
    InputError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from headrace.messages import AIMessage, AIMessageChunk
from headrace.rate_limiters import Outcome, RateLimiter
from headrace.testing import FunctionChatModel, ScriptedChatModel


class Seen:
    """A gate that keeps what it is told."""

    def __init__(self, order: int = 0) -> None:
        self.order = (0, order)
        self.passed: list[Any] = []
        self.outcomes: list[Outcome] = []

    async def admit(self, request: Any, run: Any) -> Seen:
        self.passed.append(request)
        return self

    waited = 0.0

    def close(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


class Peak:
    """How many answers were under way at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    async def answer(self, messages: Any) -> str:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        with self._lock:
            self.now -= 1
        return "ok"


def test_every_attempt_is_let_in_and_the_wait_between_them_is_not(world: Any) -> None:
    gate = Seen()
    busy = ModelRateLimitError("busy", retry_after=0)
    model = ScriptedChatModel([busy, busy, "ok"]).with_rate_limit(gate)
    assert world.invoke(model, "hi").text == "ok"
    assert len(gate.passed) == len(gate.outcomes) == 3
    assert [type(outcome.error) for outcome in gate.outcomes[:2]] == [ModelRateLimitError] * 2


def test_a_stream_holds_its_permit_to_its_end_and_tells_its_usage(world: Any) -> None:
    gate = Seen()
    usage: Any = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    chunks = [AIMessageChunk("a"), AIMessageChunk("b", usage_metadata=usage)]
    model = ScriptedChatModel([chunks], rate_limiter=gate)
    assert len(world.stream(model, "hi")) == 3
    assert [outcome.usage for outcome in gate.outcomes] == [usage]


def test_a_stream_that_is_left_gives_its_permit_back(world: Any) -> None:
    gate = Seen()
    model = ScriptedChatModel(["one two three four"]).with_rate_limit(gate)
    world.read(model, "hi", 1)
    [outcome] = gate.outcomes
    assert outcome.sent
    assert outcome.error is None
    assert outcome.usage is not None


def test_gates_of_layers_and_of_the_model_are_passed_once_in_the_order_all_share(
    world: Any,
) -> None:
    later, first = Seen(2), Seen(1)
    model = ScriptedChatModel(["ok"], rate_limiter=later)
    world.invoke(model.with_rate_limit(later).with_rate_limit(first).with_rate_limit(later), "hi")
    assert len(later.passed) == len(first.passed) == 1
    assert later.passed[0] is first.passed[0]


def test_a_limit_outside_fallbacks_counts_the_requests_of_all_members(world: Any) -> None:
    gate = Seen()
    failing = ScriptedChatModel([ModelRateLimitError("busy", retry_after=0)], max_retries=0)
    model = failing.with_fallbacks([ScriptedChatModel(["spare"])]).with_rate_limit(gate)
    assert world.invoke(model, "hi").text == "spare"
    assert [request.model for request in gate.passed] == ["scripted", "scripted"]


def test_at_most_so_many_requests_are_under_way_at_once(world: Any) -> None:
    peak = Peak()
    model = FunctionChatModel(function=peak.answer if world.is_async else peaked(peak))
    limited = model.with_rate_limit(concurrency=2)
    assert len(world.batch(limited, ["hi"] * 40)) == 40
    assert peak.most <= 2


def peaked(peak: Peak) -> Any:
    def answer(messages: Any) -> str:
        with peak._lock:
            peak.now += 1
            peak.most = max(peak.most, peak.now)
        threading.Event().wait(0.001)
        with peak._lock:
            peak.now -= 1
        return "ok"

    return answer


class Queue(Seen):
    """A gate that takes its time."""

    async def admit(self, request: Any, run: Any) -> Queue:
        await run.sleep(0.5)
        self.waited = 0.5
        return self


def test_the_time_waited_is_said_and_counts_against_no_timeout(world: Any) -> None:
    notes: list[Any] = []

    def listen(event: Any) -> None:
        if event.kind == "noted":
            notes.append((event.payload["name"], event.payload["data"]))

    bounds = Timeout(first_chunk=0.45, total=0.45)
    model = ScriptedChatModel(["one"], rate_limiter=Queue(), timeout=bounds)
    answer = world.invoke(model, "hi", {"callbacks": [listen]})
    assert answer.response_metadata["waited_s"] == 0.5
    assert notes == [("rate_limited", {"waited_s": 0.5})]


def test_a_deadline_around_the_model_also_ends_the_wait_for_its_turn(world: Any) -> None:
    limiter = RateLimiter(requests_per_day=1)
    model = ScriptedChatModel(["one", "two"], rate_limiter=limiter)
    world.invoke(model, "hi")
    with pytest.raises(ModelTimeoutError, match="with_timeout"):
        world.invoke(model.with_timeout(total=0.02), "hi")
    assert limiter.waiting == 0


def test_limiter_and_cache_are_no_part_of_a_dump_and_new_in_a_pickle() -> None:
    model = ScriptedChatModel(["one"], rate_limiter=RateLimiter(concurrency=1), cache=False)
    dumped = model.model_dump(mode="json")
    assert (dumped["rate_limiter"], dumped["cache"]) == (None, False)
    copy = pickle.loads(pickle.dumps(model))
    assert repr(copy.rate_limiter) == repr(model.rate_limiter)
    assert copy.rate_limiter is not model.rate_limiter


def test_two_thousand_calls_through_one_limiter_are_answered_in_order() -> None:
    seen: list[str] = []

    async def answer(messages: Any) -> str:
        seen.append(messages[0].text)
        return "ok"

    limiter = RateLimiter(requests_per_minute=1e9, concurrency=4)
    model = FunctionChatModel(function=answer).with_rate_limit(limiter)

    async def main() -> None:
        await asyncio.gather(*(model.ainvoke(str(number)) for number in range(2_000)))

    asyncio.run(main())
    assert seen == [str(number) for number in range(2_000)]
    assert limiter.waiting == 0


class Acquired:
    """A limiter as aiolimiter's are."""

    def __init__(self) -> None:
        self.count = 0

    async def acquire(self, amount: float = 1) -> None:
        self.count += 1


def test_an_async_limiter_of_another_library_is_taken_in_async_calls_only() -> None:
    limiter = Acquired()
    model = ScriptedChatModel(["ok"], rate_limiter=limiter)
    with pytest.raises(ConfigurationError, match="`Acquired` can only be waited for in async"):
        model.invoke("hi")
    assert asyncio.run(model.ainvoke("hi")).text == "ok"
    assert limiter.count == 1


def test_a_semaphore_is_released_when_the_request_is_over() -> None:
    async def main() -> None:
        semaphore = asyncio.Semaphore(1)
        model = ScriptedChatModel(["ok"] * 9).with_rate_limit(semaphore)
        assert len(await model.abatch(["hi"] * 9)) == 9
        assert not semaphore.locked()

    asyncio.run(main())


def test_what_is_no_limiter_is_an_error_that_says_what_is() -> None:
    with pytest.raises(InputError, match="RateLimiter"):
        ScriptedChatModel(["ok"], rate_limiter=3)
    with pytest.raises(InputError, match="concurrency=8"):
        ScriptedChatModel(["ok"]).with_rate_limit()


class Whole(BaseChatModel):
    """A model that does not stream."""

    async def _generate(self, messages: Any, settings: Any, run: Any) -> AIMessage:
        return AIMessage("whole", usage_metadata={"input_tokens": 1, "output_tokens": 1})


def test_a_model_that_does_not_stream_is_let_in_once_for_a_stream(world: Any) -> None:
    gate = Seen()
    world.stream(Whole(model="m", rate_limiter=gate), "hi")
    assert len(gate.passed) == len(gate.outcomes) == 1


def test_a_call_cancelled_in_a_plain_semaphore_gives_back_what_its_thread_gets() -> None:
    class Watched(threading.Semaphore):
        def acquire(self, *args: Any, **named: Any) -> bool:
            asked.set()
            return super().acquire(*args, **named)

    async def main() -> None:
        call = asyncio.create_task(model.ainvoke("hi"))
        await asyncio.to_thread(asked.wait)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        semaphore.release()
        assert await asyncio.to_thread(semaphore.acquire, timeout=10)

    asked, semaphore = threading.Event(), Watched(1)
    model = ScriptedChatModel(["one"], rate_limiter=semaphore)
    semaphore.acquire()
    asked.clear()
    asyncio.run(main())
