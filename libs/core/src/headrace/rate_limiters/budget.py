"""`usage_limit`: a budget of tokens, cost and requests that no batch overspends."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from headrace.engine.line import Line
from headrace.errors import ConfigurationError, InputError, UsageLimitExceeded
from headrace.rate_limiters.gate import around
from headrace.rate_limiters.limiter import ORDERS

if TYPE_CHECKING:
    from headrace.engine.run import Run
    from headrace.engine.strands import Strand
    from headrace.rate_limiters.gate import Outcome, Request

_UNITS = {"requests": "requests", "tokens": "tokens", "cost": "USD"}


class UsageLimit:
    """A budget: before each attempt the most it may use is reserved, after it what it did use.

    An attempt that may not fit waits for those under way; once it cannot fit any more it is
    an UsageLimitExceeded, and is not sent. With `max_tokens` set that is exact; where no bound
    of the answer fits, one attempt at a time goes for all that is left. `with limit:` it holds
    for all calls made inside; `model.with_usage_limit(limit)` for those of one model.
    """

    def __init__(
        self, *, tokens: int | None = None, cost: float | None = None, requests: int | None = None
    ) -> None:
        limits = {"requests": requests, "tokens": tokens, "cost": cost}
        for name, value in limits.items():
            if value is not None and not 0 <= value < math.inf:
                raise InputError(f"`{name}` of a usage limit is a number, 0 or more, not {value!r}")
        self.limits = {name: float(v) for name, v in limits.items() if v is not None}
        if not self.limits:
            raise InputError("a usage limit takes `tokens`, `cost` (USD) or `requests`")
        self.order = (0, ORDERS())
        self._ledger = _Ledger(self.limits)
        self._line: Line[Claim] = Line(self._ledger)

    @property
    def used(self) -> dict[str, float]:
        """What settled attempts have used: requests, tokens, and cost in USD if it is limited."""
        with self._line:
            return dict(self._ledger.used)

    @property
    def left(self) -> dict[str, float]:
        """What may still be reserved of each limit."""
        with self._line:
            return {name: max(self._ledger.left(name), 0.0) for name in self.limits}

    async def admit(self, request: Request, run: Run) -> UsagePermit:
        """Reserves the most that the request may use; waits for others that may use less."""
        claim = self._claim(request, run.io.strand())
        waited = await self._line.enter(claim, run)
        return UsagePermit(self, claim, waited)

    def _claim(self, request: Request, strand: Strand) -> Claim:
        into, bound = request.most_input_tokens, request.output_tokens
        longest = request.longest_output if bound is None else bound
        most, least = {"requests": 1.0}, {"requests": 1.0}
        if "tokens" in self.limits:
            most["tokens"] = math.inf if longest is None else into + longest
            least["tokens"] = into + 1 if bound is None else most["tokens"]
        if "cost" in self.limits:
            least["cost"] = _priced(request, into, 1 if bound is None else bound)
            most["cost"] = math.inf if longest is None else _priced(request, into, longest)
        return Claim(request, strand, most, least)

    def settle(self, claim: Claim, outcome: Outcome) -> None:
        with self._line:
            self._ledger.settle(claim, outcome)

    def __enter__(self) -> Self:
        around.set((*around.get(), self))
        return self

    def __exit__(self, *_: object) -> None:
        # Not by a Token: the block may be left in another context than it was entered in.
        around.set(tuple(gate for gate in around.get() if gate is not self))

    def __reduce__(self) -> Any:
        return _remade, (self.limits,)

    def __repr__(self) -> str:
        return f"usage_limit({', '.join(f'{name}={v:g}' for name, v in self.limits.items())})"


usage_limit = UsageLimit


@dataclass(eq=False, slots=True)
class Claim:
    """What an attempt may use at the `most`; it goes alone where only the `least` is left."""

    request: Request
    strand: Strand
    most: dict[str, float]
    least: dict[str, float]
    held: dict[str, float] | None = None


class UsagePermit:
    """Leave of a UsageLimit."""

    __slots__ = ("_claim", "_limit", "waited")

    def __init__(self, limit: UsageLimit, claim: Claim, waited: float) -> None:
        self._limit: UsageLimit | None = limit
        self._claim, self.waited = claim, waited

    def close(self, outcome: Outcome) -> None:
        limit, self._limit = self._limit, None
        if limit is not None:
            limit.settle(self._claim, outcome)


class _Ledger:
    """The rule of a budget: what was used, and what those under way hold."""

    def __init__(self, limits: dict[str, float]) -> None:
        self._limits = limits
        self.used = {"requests": 0.0, "tokens": 0.0, **dict.fromkeys(limits, 0.0)}
        self._held = dict.fromkeys(limits, 0.0)
        self._holders: Counter[Strand] = Counter()

    def left(self, name: str) -> float:
        return self._limits[name] - self.used[name] - self._held[name]

    def admit(self, claim: Claim, now: float) -> float | None:
        for name, limit in self._limits.items():
            if self.used[name] + claim.least[name] > limit:
                raise self._exceeded(name, claim)
        short = [name for name in self._limits if claim.most[name] > self.left(name)]
        if short and not all(claim.strand.stops(holder) for holder in self._holders):
            return None
        for name in short:
            if claim.least[name] > self.left(name):  # the asking strand itself holds the rest
                raise self._exceeded(name, claim)
        claim.held = {name: min(claim.most[name], self.left(name)) for name in self._limits}
        self._move(claim, 1)
        return 0

    def _move(self, claim: Claim, sign: int) -> None:
        for name, amount in (claim.held or {}).items():
            self._held[name] += sign * amount
        self._holders[claim.strand] += sign
        if self._holders[claim.strand] <= 0:
            del self._holders[claim.strand]

    def withdraw(self, claim: Claim, now: float) -> None:
        self._move(claim, -1)

    def forked(self) -> None:
        self._held = dict.fromkeys(self._limits, 0.0)
        self._holders.clear()

    def settle(self, claim: Claim, outcome: Outcome) -> None:
        self._move(claim, -1)
        if not outcome.sent:
            return
        self.used["requests"] += 1
        usage = outcome.usage
        if usage is None and outcome.error is not None:
            return  # nothing came, so nothing is charged
        held = claim.held or {}
        if usage is None:
            self.used["tokens"] += held.get("tokens", 0)
            spent = held.get("cost")
        else:
            into, out = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
            self.used["tokens"] += usage.get("total_tokens") or into + out
            spent = outcome.cost
        if "cost" in self._limits:
            if spent is None and usage is not None:
                spent = claim.request.cost(into, out)
            self.used["cost"] += held["cost"] if spent is None else spent

    def _exceeded(self, name: str, claim: Claim) -> UsageLimitExceeded:
        limit, used, unit = self._limits[name], self.used[name], _UNITS[name]
        needs = claim.least[name]
        advice = "" if name == "requests" else "; ask for less by `max_tokens`, or raise the limit"
        return UsageLimitExceeded(
            f"the request to `{claim.request.model}` was not sent: it may use {needs:g} {unit}, "
            f"and of the limit of {limit:g} {unit} {used:g} are used and "
            f"{self._held[name]:g} reserved{advice}"
        )


def _priced(request: Request, into: int, out: int) -> float:
    cost = request.cost(into, out)
    if cost is None:
        raise ConfigurationError(
            f"a limit of cost needs the price of `{request.model}`, which nobody knows; say it by "
            '`profile={"cost": {"input": …, "output": …}}` in USD per million tokens, or limit '
            "tokens"
        )
    return cost


def _remade(limits: dict[str, Any]) -> UsageLimit:
    """A budget of the same limits, nothing of it used: another process cannot share it."""
    return UsageLimit(**limits)
