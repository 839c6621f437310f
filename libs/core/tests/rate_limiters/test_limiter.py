from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import pytest

from headrace.engine.line import Line
from headrace.engine.run import open_run
from headrace.engine.strands import Strand
from headrace.errors import InputError, ModelAPIError, ModelRateLimitError
from headrace.rate_limiters import InMemoryRateLimiter, Outcome, RateLimiter
from headrace.rate_limiters.limiter import Claim


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Size:
    """A request of known size."""

    input_tokens: int = 10
    output_tokens: int | None = 100
    model: str = "m"


def timed(limiter: RateLimiter) -> Clock:
    clock = Clock()
    limiter._line = Line(limiter._rule, clock)
    return clock


def delay(limiter: RateLimiter, request: Any = None) -> float | None:
    """How long a request would wait now; taken if it would not."""
    claim = Claim(limiter._rule.amounts(request or Size()), Strand(-1))
    return limiter._rule.admit(claim, limiter._line.clock())


def enter(world: Any, limiter: RateLimiter, request: Any = None) -> Any:
    async def work(io: Any) -> Any:
        return await limiter.admit(request or Size(), open_run(io, None))

    return world.run(work)


def answered(into: int, out: int, **more: Any) -> Outcome:
    usage: Any = {"input_tokens": into, "output_tokens": out, "total_tokens": into + out}
    return Outcome(sent=True, usage=usage, **more)


def test_a_tenth_of_the_limit_goes_at_once_and_the_rest_evenly(world: Any) -> None:
    limiter = RateLimiter(requests_per_minute=60)
    timed(limiter)
    for _ in range(6):
        enter(world, limiter)
    assert delay(limiter) == pytest.approx(1)


def test_tokens_are_settled_by_what_was_used(world: Any) -> None:
    limiter = RateLimiter(tokens_per_minute=6000, burst=1)
    timed(limiter)
    permit = enter(world, limiter, Size(1000, 5000))
    assert delay(limiter, Size(1000, 2000)) == pytest.approx(30)
    permit.close(answered(1000, 1000))
    permit.close(answered(0, 0))
    assert delay(limiter, Size(1000, 3000)) == 0


def test_an_answer_longer_than_reserved_is_owed(world: Any) -> None:
    limiter = RateLimiter(output_tokens_per_minute=600, burst=1)
    timed(limiter)
    enter(world, limiter, Size(10, 100)).close(answered(10, 900))
    assert delay(limiter, Size(10, 60)) == pytest.approx(36)


def test_a_failed_attempt_gives_its_tokens_back_but_counts_as_a_request(world: Any) -> None:
    limiter = RateLimiter(requests_per_minute=1, tokens_per_minute=500, burst=1)
    clock = timed(limiter)
    permit = enter(world, limiter, Size(10, 400))
    permit.close(Outcome(sent=True, error=ModelAPIError("broken")))
    assert delay(limiter, Size(10, 400)) == pytest.approx(60)
    clock.now = 60
    assert delay(limiter, Size(10, 400)) == 0


def test_an_attempt_that_was_never_sent_gives_all_back(world: Any) -> None:
    limiter = RateLimiter(requests_per_minute=1, tokens_per_minute=500, burst=1, concurrency=1)
    timed(limiter)
    enter(world, limiter, Size(10, 400)).close(Outcome(sent=False))
    assert delay(limiter, Size(10, 400)) == 0


def test_without_max_tokens_the_mean_of_the_answers_is_reserved(world: Any) -> None:
    limiter = RateLimiter(output_tokens_per_minute=1e6)
    for _ in range(60):
        enter(world, limiter, Size(1, None)).close(answered(1, 40))
    assert limiter._rule.amounts(Size(1, None))["output_tokens"] == pytest.approx(40, rel=0.02)


def test_concurrency_is_given_back_once(world: Any) -> None:
    limiter = RateLimiter(concurrency=1)
    permit = enter(world, limiter)
    assert delay(limiter) is None
    permit.close(answered(1, 1))
    permit.close(answered(1, 1))
    enter(world, limiter)
    assert delay(limiter) is None


def test_a_429_pauses_all_for_as_long_as_it_says_and_halves_the_pace(world: Any) -> None:
    limiter = RateLimiter(requests_per_minute=600, burst=0)
    clock = timed(limiter)
    error = ModelRateLimitError("busy", retry_after=5)
    permits = [enter(world, limiter)]
    clock.now = 1
    permits.append(enter(world, limiter))
    for permit in permits:  # two of one moment count once
        permit.close(Outcome(sent=True, error=error))
    assert delay(limiter) == pytest.approx(5)
    clock.now = 6
    assert delay(limiter) == 0
    assert delay(limiter) == pytest.approx(1 / 5)


def test_the_pace_comes_back_with_answers(world: Any) -> None:
    limiter = RateLimiter(requests_per_minute=600)
    timed(limiter)
    busy = Outcome(sent=True, error=ModelRateLimitError("busy"), headers={"retry-after": "0"})
    enter(world, limiter).close(busy)
    [(_, bucket)] = limiter._rule.buckets
    assert bucket.pace == 0.5
    for _ in range(25):
        bucket.take(-1)
        enter(world, limiter).close(answered(1, 1))
    assert bucket.pace == pytest.approx(1)


def test_a_pause_is_a_minute_at_most(world: Any) -> None:
    limiter = RateLimiter()
    timed(limiter)
    error = ModelRateLimitError("come back tomorrow", retry_after=86_400)
    enter(world, limiter).close(Outcome(sent=True, error=error))
    assert delay(limiter) == 60


def test_headers_that_say_little_is_left_slow_down_even_without_limits(world: Any) -> None:
    limiter = RateLimiter()
    timed(limiter)
    said = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "30s",
    }
    enter(world, limiter).close(answered(1, 1, headers=said))
    assert delay(limiter) == pytest.approx(0.5)


def test_one_that_does_not_learn_holds_to_its_own_limits(world: Any) -> None:
    limiter = RateLimiter(learn=False)
    timed(limiter)
    error = ModelRateLimitError("busy", retry_after=5)
    enter(world, limiter).close(Outcome(sent=True, error=error))
    assert delay(limiter) == 0


def test_the_simple_limiter_lets_its_bucket_go_at_once(world: Any) -> None:
    limiter = InMemoryRateLimiter(requests_per_second=0.5, max_bucket_size=2)
    timed(limiter)
    assert limiter.acquire(blocking=False)

    async def take(io: Any) -> bool:
        return await limiter.aacquire()

    assert world.run(take)
    assert delay(limiter) == pytest.approx(2)
    assert not limiter.acquire(blocking=False)


@pytest.mark.parametrize(
    "limiter",
    [RateLimiter(requests_per_minute=5, concurrency=2), InMemoryRateLimiter(max_bucket_size=3)],
)
def test_a_pickled_limiter_is_one_of_the_same_limits(limiter: RateLimiter) -> None:
    assert repr(pickle.loads(pickle.dumps(limiter))) == repr(limiter)


@pytest.mark.parametrize("wrong", [{"requests_per_minute": 0}, {"concurrency": -1}, {"burst": 2}])
def test_a_limit_that_is_none_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        RateLimiter(**wrong)
