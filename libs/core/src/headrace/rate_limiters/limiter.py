"""Limiters of requests, tokens and concurrency, shared by all threads, tasks and loops."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from headrace.engine.line import Line
from headrace.errors import ConfigurationError, InputError, ModelRateLimitError
from headrace.rate_limiters.bucket import Bucket
from headrace.rate_limiters.headers import retry_after, told_limits

if TYPE_CHECKING:
    from headrace.engine.run import Run
    from headrace.engine.strands import Strand
    from headrace.messages import UsageMetadata
    from headrace.rate_limiters.gate import Outcome, Request

Amounts = Mapping[str, float]  # by kind

ORDERS = count().__next__
_SECONDS = {"second": 1.0, "minute": 60.0, "day": 86_400.0}
_WAITS_FOR_ITSELF = (
    "this limiter lets {} requests be under way at once, and all are of the asking thread or "
    "task, such as streams not read to their end: it would wait for itself; close them first, "
    "and call by `ainvoke` inside an event loop"
)
_FIRST_GUESS = 256.0  # output tokens of an answer before any was seen
_WEIGHT = 0.1  # of the newest answer in the running mean of their lengths
_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds after a 429: where it says nothing, and at most
_SLOWEST, _REGAIN = 1 / 64, 0.02  # of the pace: its least, and what an answer gives back


class RateLimiter:
    """Lets attempts go in order of arrival, so that all limits given here hold; None: no limit.

    What a request will use is estimated and reserved, and settled by what it did use. Of each
    limit the part `burst` may be used at once, the rest as time goes by: in any minute there
    are at most limit * (1 + burst) requests. Besides, headers that tell how little is left and
    429s slow it down, and a `Retry-After` pauses all (`learn=False`: they do not).
    """

    def __init__(
        self,
        *,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        input_tokens_per_minute: float | None = None,
        output_tokens_per_minute: float | None = None,
        requests_per_second: float | None = None,
        requests_per_day: float | None = None,
        concurrency: int | None = None,
        burst: float = 0.1,
        learn: bool = True,
    ) -> None:
        limits = {
            ("requests", "minute"): requests_per_minute,
            ("tokens", "minute"): tokens_per_minute,
            ("input_tokens", "minute"): input_tokens_per_minute,
            ("output_tokens", "minute"): output_tokens_per_minute,
            ("requests", "second"): requests_per_second,
            ("requests", "day"): requests_per_day,
        }
        for (kind, period), limit in limits.items():
            _check_positive(f"{kind}_per_{period}", limit)
        _check_positive("concurrency", concurrency)
        if not 0 <= burst <= 1:
            raise InputError(f"`burst` is a part of the limit, 0 to 1, not {burst!r}")
        told = {**{f"{kind}_per_{period}": limit for (kind, period), limit in limits.items()},
                "concurrency": concurrency}  # fmt: skip
        given = {name: limit for name, limit in told.items() if limit is not None}
        self._set({**given, "burst": burst, "learn": learn}, concurrency, learn)
        for (kind, period), limit in limits.items():
            if limit is not None:
                bucket = Bucket(limit / _SECONDS[period], max(limit * burst, 1.0))
                self._rule.buckets.append((kind, bucket))

    def _set(self, given: dict[str, Any], concurrency: float | None, learn: bool) -> None:
        self._given, self._learns = given, learn
        self._rule = _Quotas(math.inf if concurrency is None else concurrency, learn)
        self._line: Line[Claim] = Line(self._rule)
        only_concurrency = set(given) <= {"concurrency", "burst", "learn"}
        self.order = (1 if concurrency is not None and only_concurrency else 2, ORDERS())

    async def admit(self, request: Request, run: Run) -> LimiterPermit:
        """Waits for its turn and reserves what the request will use."""
        claim = Claim(self._rule.amounts(request), run.io.strand())
        waited = await self._line.enter(claim, run)
        return LimiterPermit(self, claim, waited)

    @property
    def waiting(self) -> int:
        """How many attempts wait now."""
        return len(self._line)

    def give_back(self, claim: Claim, outcome: Outcome) -> None:
        """Settles what an admitted claim has come to."""
        with self._line as line:
            self._rule.settle(claim, outcome, line.clock())

    def __reduce__(self) -> Any:
        return _remade, (type(self), self._given)

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in self._given.items())
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(eq=False, slots=True)
class Claim:
    """What an attempt will use, and the thread or task that makes it."""

    amounts: Amounts
    strand: Strand


class LimiterPermit:
    """Leave of a RateLimiter."""

    __slots__ = ("_claim", "_limiter", "waited")

    def __init__(self, limiter: RateLimiter, claim: Claim, waited: float) -> None:
        self._limiter: RateLimiter | None = limiter
        self._claim, self.waited = claim, waited

    def close(self, outcome: Outcome) -> None:
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter.give_back(self._claim, outcome)


class _Quotas:
    """The rule of a limiter: all its buckets, the strands it holds, and its pauses."""

    def __init__(self, concurrency: float, learn: bool) -> None:
        self.buckets: list[tuple[str, Bucket]] = []
        self._told: dict[str, Bucket] = {}
        self._concurrency, self._learns = concurrency, learn
        self._holders: Counter[Strand] = Counter()
        self._paused = self._cut = -math.inf
        self._answer = _FIRST_GUESS

    def amounts(self, request: Request) -> Amounts:
        """What a request will use, by kind; tokens are counted only where they are limited."""
        kinds = {kind for kind, bucket in self._all() if bucket.bounded}
        if not kinds - {"requests"}:
            return {"requests": 1}
        into = float(request.input_tokens)
        known = request.output_tokens
        out = self._answer if known is None else float(known)
        return {"requests": 1, "input_tokens": into, "output_tokens": out, "tokens": into + out}

    def _all(self) -> list[tuple[str, Bucket]]:
        return [*self.buckets, *self._told.items()]

    def admit(self, claim: Claim, now: float) -> float | None:
        if self._holders.total() >= self._concurrency:
            if all(claim.strand.stops(holder) for holder in self._holders):
                raise ConfigurationError(_WAITS_FOR_ITSELF.format(self._concurrency))
            return None
        delay = self._paused - now
        for kind, bucket in self._all():
            delay = max(delay, bucket.delay(claim.amounts.get(kind, 0), now))
        if delay > 0:
            return delay
        self._holders[claim.strand] += 1
        self._move(claim.amounts)
        return 0

    def withdraw(self, claim: Claim, now: float) -> None:
        self._let_go(claim)
        self._move({kind: -amount for kind, amount in claim.amounts.items()})

    def forked(self) -> None:
        self._holders.clear()

    def _let_go(self, claim: Claim) -> None:
        self._holders[claim.strand] -= 1
        if self._holders[claim.strand] <= 0:
            del self._holders[claim.strand]

    def settle(self, claim: Claim, outcome: Outcome, now: float) -> None:
        if not outcome.sent:
            return self.withdraw(claim, now)
        self._let_go(claim)
        if "tokens" in claim.amounts:
            used = outcome.usage
            if used is not None:
                self._see(used)
            if used is not None or outcome.error is not None:
                self._move(_difference(used or {}, claim.amounts))
        if self._learns:
            self._learn(outcome, now)

    def _move(self, amounts: Mapping[str, float]) -> None:
        for kind, bucket in self._all():
            if amount := amounts.get(kind):
                bucket.take(amount)

    def _see(self, used: UsageMetadata) -> None:
        self._answer += _WEIGHT * (used.get("output_tokens", 0) - self._answer)

    def _learn(self, outcome: Outcome, now: float) -> None:
        headers = outcome.headers or {}
        for kind, told in (told_limits(headers) if headers else {}).items():
            if kind not in self._told:
                self._told[kind] = Bucket()
            self._told[kind].learn(told, now)
        if isinstance(outcome.error, ModelRateLimitError):
            asked = outcome.error.retry_after
            asked = retry_after(headers) if asked is None else asked
            self._pause(_PAUSE if asked is None else asked, now)
        elif outcome.error is None:
            for _, bucket in self.buckets:
                bucket.pace = min(bucket.pace + _REGAIN, 1.0)

    def _pause(self, seconds: float, now: float) -> None:
        """Stops all for a while, and halves the pace: once for all 429s of the same moment."""
        until = now + min(seconds, _LONGEST_PAUSE)
        if now >= self._cut:
            self._cut = max(until, now + _PAUSE)
            for _, bucket in self.buckets:
                bucket.pace = max(bucket.pace / 2, _SLOWEST)
        self._paused = max(self._paused, until)


def _difference(used: UsageMetadata, claim: Amounts) -> Amounts:
    """What was used beyond the claim, by kind; negative for less."""
    into, out = used.get("input_tokens", 0), used.get("output_tokens", 0)
    spent = {"input_tokens": into, "output_tokens": out, "tokens": into + out}
    return {kind: spent[kind] - claim[kind] for kind in spent if kind in claim}


def _check_positive(name: str, value: float | None) -> None:
    if value is not None and not 0 < value < math.inf:
        raise InputError(f"`{name}` is a number above 0, not {value!r}")


def _remade(cls: type[RateLimiter], given: dict[str, Any]) -> RateLimiter:
    """A limiter of the same limits: in another process it can share no more than that."""
    return cls(**given)
