"""What a server sees of limits, budgets and caches: over loopback, through the official SDK."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from headrace import InMemoryCache, RateLimiter, usage_limit
from headrace_openai import ChatOpenAI

USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
COUNTED = {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}
LOGPROBS = {"content": [{"token": "o", "logprob": -0.5, "bytes": [111], "top_logprobs": []}]}


class Arrivals:
    """An answer that notes when each request came, and how many were there at once."""

    def __init__(self, hold: float = 0.0, **headers: str) -> None:
        self.came: dict[str, float] = {}
        self.now = self.most = 0
        self._hold, self._headers, self._lock = hold, headers, threading.Lock()

    def __call__(self, handler: Any) -> None:
        with self._lock:
            self.came[handler.body["messages"][-1]["content"]] = time.monotonic()
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self._hold)
        with self._lock:
            self.now -= 1
        ok(handler, **self._headers)


def ok(handler: Any, **headers: str) -> None:
    """An answer with usage and logprobs; streamed if asked."""
    if not handler.body.get("stream"):
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", "content": "ok"},
                "finish_reason": "stop",
                "logprobs": LOGPROBS,
            }
            for index in range(handler.body.get("n") or 1)
        ]
        answer = {"id": "c", "model": "m", "choices": choices, "usage": USAGE}
        return handler.whole(200, json.dumps(answer), **headers)
    handler.head(200, "text/event-stream", transfer_encoding="chunked", **headers)
    handler.event({"content": "o"})
    handler.event({"content": "k"})
    handler.event({}, "stop")
    end = {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": []}
    handler.piece(b"data: " + json.dumps({**end, "usage": USAGE}).encode() + b"\n\n")
    handler.piece(b"data: [DONE]\n\n")
    handler.wfile.write(b"0\r\n\r\n")
    return None


def times_of(limiter: RateLimiter, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When a limiter lets each request go; the thread or task that makes it may wake later."""
    times: list[float] = []
    rule = limiter._rule.admit

    def admit(claim: Any, now: float) -> float | None:
        delay = rule(claim, now)
        if delay == 0:
            times.append(now)
        return delay

    monkeypatch.setattr(limiter._rule, "admit", admit)
    return times


@pytest.fixture
def model(serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("OPENAI_API_KEY", "k")

    def make(answer: Any, *more: Any, **params: Any) -> Any:
        wire = serve(answer, *more)
        made = ChatOpenAI(model="m", base_url=wire.url, api_key="k", profile={}, **params)
        make.requests = wire.requests  # type: ignore[attr-defined]  # for the test to count
        return made

    return make


def test_in_no_window_does_a_server_see_more_than_limit_and_burst(
    model: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, limiter = Arrivals(), RateLimiter(requests_per_second=60)
    left = times_of(limiter, monkeypatch)
    asked = model(seen).with_rate_limit(limiter)

    async def tasks() -> None:
        async with asked:
            await asyncio.gather(*(asked.ainvoke(f"a{number}") for number in range(60)))

    worker = threading.Thread(target=asyncio.run, args=(tasks(),))
    worker.start()
    asked.batch([f"b{number}" for number in range(60)])
    worker.join()
    asked.close()
    came = sorted(seen.came.values())
    assert len(came) == len(left) == 120
    # What arrives within a second was let go within a second and the longest way there.
    way = max(arrived - gone for gone, arrived in zip(left, came, strict=True))
    for times, length in ((left, 1.0), (came, 1.0 + way)):
        most = max(sum(start <= at < start + 1.0 for at in times) for start in times)
        assert most <= 60 * length + 6 + 1


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"retry_after_ms": "300"}, 0.3),
        (
            200,
            {
                "x_ratelimit_limit_requests": "2",
                "x_ratelimit_remaining_requests": "0",
                "x_ratelimit_reset_requests": "600ms",
            },
            0.29,
        ),
    ],
    ids=["retry-after", "headers"],
)
def test_a_server_that_asks_to_wait_is_waited_for_by_all(
    model: Callable[..., Any], status: int, headers: dict[str, str], wait: float
) -> None:
    told: list[float] = []

    def first(handler: Any) -> None:
        told.append(time.monotonic())
        if status == 200:
            return ok(handler, **headers)
        return handler.whole(status, '{"error": {"message": "busy"}}', **headers)

    seen = Arrivals()
    limiter = RateLimiter()
    asked = model(first, seen, max_retries=1, rate_limiter=limiter)
    asked.invoke("one")
    other = ChatOpenAI(model="m", base_url=asked.base_url, api_key="k", rate_limiter=limiter)
    other.invoke("two")
    asked.close()
    other.close()
    assert all(came - told[0] >= wait for came in seen.came.values())
    assert "two" in seen.came


def test_streams_hold_their_place_while_they_run(model: Callable[..., Any]) -> None:
    seen = Arrivals(hold=0.005)
    asked = model(seen).with_rate_limit(concurrency=3)

    async def read(number: int) -> None:
        async for _ in asked.astream(f"{number}"):
            pass

    async def main() -> None:
        async with asked:
            await asyncio.gather(*(read(number) for number in range(30)))

    asyncio.run(main())
    assert len(seen.came) == 30
    assert seen.most <= 3


def test_usage_is_equal_with_and_without_a_cache(model: Callable[..., Any]) -> None:
    asked = model(ok)
    found = []
    for one in (asked, asked.with_cache(InMemoryCache())):
        for _ in range(2):
            found.append(one.invoke("hi").usage_metadata)
            found.append(sum(one.stream("hi")).usage_metadata)
            found += [answer.usage_metadata for answer in one.batch(["hi", "hi"])]
    asked.close()
    shown = [{name: usage[name] for name in COUNTED} for usage in found]
    assert shown == [COUNTED] * 16
    assert len(model.requests) == 9  # type: ignore[attr-defined]  # see the fixture


def test_several_answers_and_logprobs_survive_the_cache(model: Callable[..., Any]) -> None:
    asked = model(ok, n=2, logprobs=True, cache=InMemoryCache())
    first, second = asked.invoke("hi"), asked.invoke("hi")
    asked.close()
    assert len(model.requests) == 1  # type: ignore[attr-defined]  # see the fixture
    own = {"duration_s", "first_chunk_s", "cached", "cost_usd", "saved_cost_usd"}
    said = [
        {name: value for name, value in one.response_metadata.items() if name not in own}
        for one in (first, second)
    ]
    assert said[0] == said[1]
    assert said[0]["logprobs"]["content"][0]["token"] == "o"
    assert (first.content, first.additional_kwargs) == (second.content, second.additional_kwargs)


def test_another_address_is_another_key(
    model: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = InMemoryCache()
    for _ in range(2):
        asked = model(ok)
        monkeypatch.setenv("OPENAI_BASE_URL", asked.base_url)
        with ChatOpenAI(model="m", api_key="k", cache=store) as plain:
            plain.invoke("hi")
            plain.invoke("hi")
        assert len(model.requests) == 1  # type: ignore[attr-defined]  # see the fixture
    assert len(store) == 2


def test_a_batch_of_requests_stays_within_its_budget(model: Callable[..., Any]) -> None:
    asked = model(ok, max_tokens=5)
    with usage_limit(tokens=60) as limit:
        answers = asked.batch(["hi"] * 20, return_exceptions=True)
    asked.close()
    sent = len(model.requests)  # type: ignore[attr-defined]  # see the fixture
    assert limit.used["tokens"] == 9 * sent <= 60
    assert sum(not isinstance(answer, Exception) for answer in answers) == sent >= 4


def test_requests_cancelled_at_random_leave_no_permit_behind(model: Callable[..., Any]) -> None:
    cancelled_at_random(model, 40)


@pytest.mark.soak
def test_many_requests_cancelled_at_random_leave_no_permit_behind(
    model: Callable[..., Any],
) -> None:
    cancelled_at_random(model, 1000)


def cancelled_at_random(model: Callable[..., Any], count: int) -> None:
    limiter, budget = RateLimiter(concurrency=3), usage_limit(requests=10_000)
    asked = model(Arrivals(hold=0.002), cache=InMemoryCache())
    asked = asked.with_rate_limit(limiter).with_usage_limit(budget)
    dice = random.Random(7)

    async def one(number: int) -> None:
        if number % 2:
            async with asked.astream(f"{number % 5}") as chunks:
                async for _ in chunks:
                    await asyncio.sleep(0)
        else:
            await asked.ainvoke(f"{number % 7}")

    async def main() -> None:
        async with asked:
            for start in range(0, count, 20):
                tasks = [asyncio.create_task(one(start + number)) for number in range(20)]
                for task in tasks:
                    await asyncio.sleep(dice.random() * 0.004)
                    dice.choice(tasks).cancel() if dice.random() < 0.7 else task.done()
                await asyncio.gather(*tasks, return_exceptions=True)
            assert (await asked.ainvoke("the end")).text == "ok"
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    assert limiter.waiting == 0
    assert limiter._rule._holders.total() == 0
    assert budget.left["requests"] == 10_000 - budget.used["requests"]
