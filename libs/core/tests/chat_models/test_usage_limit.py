from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from headrace.caches import InMemoryCache
from headrace.errors import (
    ConfigurationError,
    InputError,
    ModelAPIError,
    StreamInterruptedError,
    UsageLimitExceeded,
)
from headrace.messages import AIMessage, AIMessageChunk
from headrace.rate_limiters import UsageLimit, usage_limit
from headrace.runnables import RunnableParallel
from headrace.testing import FunctionChatModel, ScriptedChatModel

PRICES = {"cost": {"input": 1_000.0, "output": 10_000.0}}


def answer(into: int, out: int, text: str = "ok") -> AIMessage:
    usage: Any = {"input_tokens": into, "output_tokens": out, "total_tokens": into + out}
    return AIMessage(text, usage_metadata=usage)


def scripted(*replies: Any, **more: Any) -> ScriptedChatModel:
    return ScriptedChatModel(list(replies), **{"max_tokens": 50, **more})


def test_the_request_after_the_last_allowed_one_is_not_sent(world: Any) -> None:
    model = scripted("one", "two", "three")
    with usage_limit(requests=2) as limit:
        world.invoke(model, "hi")
        world.stream(model, "hi")
        with pytest.raises(UsageLimitExceeded, match="limit of 2 requests 2 are used"):
            world.invoke(model, "hi")
    assert len(model.calls) == 2
    assert limit.used["requests"] == 2
    assert world.invoke(model, "hi").text == "three"


def test_tokens_are_exact_once_settled_and_the_worst_case_is_reserved(world: Any) -> None:
    model = scripted(answer(10, 20), answer(10, 20), answer(10, 20))
    with usage_limit(tokens=120) as limit:
        world.invoke(model, "hi")
        assert (limit.used["tokens"], limit.left) == (30, {"tokens": 90})
        world.stream(model, "hi")
        with pytest.raises(UsageLimitExceeded, match="`max_tokens`"):
            world.invoke(model, "hi there, " * 4)
        assert world.invoke(model.bind(max_tokens=10), "hi").text == "ok"
    assert limit.used["tokens"] == 90


def test_several_answers_are_reserved_for_each(world: Any) -> None:
    model = scripted("one").bind(extra_body={"n": 3})
    with usage_limit(tokens=120), pytest.raises(UsageLimitExceeded, match="may use 15"):
        world.invoke(model, "hi")


def test_cost_is_what_the_answers_say(world: Any) -> None:
    model = scripted(answer(10, 20), answer(10, 20), profile=PRICES)
    with usage_limit(cost=1.0) as limit:
        cost = world.invoke(model, "hi").response_metadata["cost_usd"]
        assert limit.used["cost"] == pytest.approx(cost) == pytest.approx(0.21)
        world.invoke(model, "hi")
        assert limit.left["cost"] == pytest.approx(1 - 2 * cost)


def test_a_limit_of_cost_needs_a_price(world: Any) -> None:
    with usage_limit(cost=1.0), pytest.raises(ConfigurationError, match="price of `scripted`"):
        world.invoke(scripted("one"), "hi")


def test_without_a_known_bound_one_attempt_goes_for_all_that_is_left(world: Any) -> None:
    model = ScriptedChatModel([answer(10, 70), answer(10, 50), "three"])
    with usage_limit(tokens=100) as limit:
        world.invoke(model, "hi")
        assert limit.left["tokens"] == 20
        world.invoke(model, "hi")
        with pytest.raises(UsageLimitExceeded):
            world.invoke(model, "hi")
    assert len(model.calls) == 2


def test_a_failed_attempt_counts_as_a_request_and_costs_nothing(world: Any) -> None:
    broken = ModelAPIError("broken", is_retryable=False)
    with usage_limit(tokens=100, requests=5) as limit:
        with pytest.raises(ModelAPIError):
            world.invoke(scripted(broken), "hi")
        assert limit.used == {"requests": 1, "tokens": 0}
        assert limit.left == {"requests": 4, "tokens": 100}


def test_a_retry_counts_as_a_request(world: Any) -> None:
    broken = ModelAPIError("broken", retry_after=0)
    with usage_limit(requests=2), pytest.raises(UsageLimitExceeded):
        world.invoke(scripted(broken, broken, "three").with_retry(stop_after_attempt=9), "hi")


def test_what_a_broken_or_left_stream_used_is_counted(world: Any) -> None:
    usage: Any = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    cut = [AIMessageChunk("half", usage_metadata=usage), StreamInterruptedError("cut")]
    model = scripted(cut, "one two three four", max_retries=0)
    with usage_limit(tokens=200) as limit:
        with pytest.raises(StreamInterruptedError):
            world.stream(model, "hi")
        assert limit.used["tokens"] == 10
        world.read(model, "hi", 1)
        assert 10 < limit.used["tokens"] < 40
        assert limit.left["tokens"] == 200 - limit.used["tokens"]


def test_a_batch_never_overspends_and_uses_what_is_there(world: Any) -> None:
    sent: list[int] = []
    lock = threading.Lock()

    async def reply(messages: Any, max_tokens: int) -> AIMessage:
        with lock:
            sent.append(1)
        await asyncio.sleep(0)
        return answer(10, 20)

    def plain(messages: Any, max_tokens: int) -> AIMessage:
        with lock:
            sent.append(1)
        return answer(10, 20)

    model = FunctionChatModel(function=reply if world.is_async else plain, max_tokens=50)
    with usage_limit(tokens=330) as limit:
        answers = world.batch(model, ["hi"] * 40, None, return_exceptions=True)
    refused = [item for item in answers if isinstance(item, UsageLimitExceeded)]
    assert limit.used["tokens"] == 30 * len(sent) <= 330
    assert len(sent) == 10
    assert len(refused) == 30


def test_threads_and_tasks_started_inside_share_the_budget(world: Any) -> None:
    model = scripted("one", "two", "three")
    step = RunnableParallel(a=model, b=model, c=model)
    with usage_limit(requests=2) as limit, pytest.raises(UsageLimitExceeded):
        world.invoke(step, "hi")
    assert limit.used["requests"] == 2


def test_a_budget_of_a_model_lasts_over_its_calls(world: Any) -> None:
    budget = usage_limit(requests=2)
    spec = scripted("one", "two", "three")
    model = spec.with_retry().with_usage_limit(budget).bind_tools([])
    other = spec.with_usage_limit(budget)
    world.invoke(model, "hi")
    world.invoke(other, "hi")
    with pytest.raises(UsageLimitExceeded):
        world.invoke(model, "hi")
    assert world.invoke(spec, "hi").text == "three"


def test_hits_of_a_cache_use_nothing(world: Any) -> None:
    model = scripted(answer(10, 20), cache=InMemoryCache())
    with usage_limit(requests=1, tokens=100) as limit:
        for _ in range(3):
            world.invoke(model, "hi")
            world.stream(model, "hi")
    assert limit.used == {"requests": 1, "tokens": 30}


def test_nested_budgets_all_hold(world: Any) -> None:
    model = scripted("one", "two")
    with usage_limit(requests=9) as outer:
        with usage_limit(requests=1) as inner:
            world.invoke(model, "hi")
            with pytest.raises(UsageLimitExceeded):
                world.invoke(model, "hi")
        world.invoke(model, "hi")
    assert (inner.used["requests"], outer.used["requests"]) == (1, 2)
    assert outer.left == {"requests": 7}


def test_a_call_inside_the_loop_over_a_stream_never_waits_for_that_stream(world: Any) -> None:
    model = scripted("one two", "three")

    async def inside() -> None:
        async with model.astream("hi") as chunks:
            await anext(chunks)
            with pytest.raises(UsageLimitExceeded):
                await model.ainvoke("hi")

    with usage_limit(tokens=90):
        if world.is_async:
            asyncio.run(inside())
            return
        with model.stream("hi") as chunks:
            next(chunks)
            with pytest.raises(UsageLimitExceeded):
                model.invoke("hi")


def test_a_limiter_of_concurrency_says_who_would_wait_for_itself(world: Any) -> None:
    model = scripted("one two", "three").with_rate_limit(concurrency=1)

    async def inside() -> None:
        async with model.astream("hi") as chunks:
            await anext(chunks)
            with pytest.raises(ConfigurationError, match="wait for itself"):
                await model.ainvoke("hi")

    if world.is_async:
        asyncio.run(inside())
        return
    with model.stream("hi") as chunks:
        next(chunks)
        with pytest.raises(ConfigurationError, match="wait for itself"):
            model.invoke("hi")


@pytest.mark.parametrize("wrong", [{}, {"tokens": -1}, {"cost": float("inf")}])
def test_a_budget_of_nothing_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="usage limit"):
        UsageLimit(**wrong)
