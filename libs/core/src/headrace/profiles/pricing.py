"""What a request costs by the prices of a profile; what nobody knows stays None, never 0.

Prices are USD per million tokens. A tier prices the whole request, every kind of token, once the
input is larger than its size. Source: https://models.dev (its `cost` table, read 2026-07-02).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_MILLION = 1_000_000

# A service tier of these names, or none, has the model's ordinary prices.
ORDINARY = frozenset({"auto", "default", "standard", "standard_only", "on_demand"})

# Parts of usage, and the price that each has if the list names one. Else it costs what the rest
# of its side costs, as models.dev lists a price of its own only for what is billed apart.
_PARTS = {
    "input": (
        ("cache_read", "cache_read"),
        ("cache_creation", "cache_write"),
        ("audio", "input_audio"),
    ),
    "output": (("reasoning", "reasoning"), ("audio", "output_audio")),
}
# What is dearer or cheaper nearly everywhere: the ordinary price in its place is a guess.
_APART = frozenset({"cache_read", "cache_write", "input_audio", "output_audio"})


@dataclass(frozen=True, slots=True)
class Cost:
    """USD of one request: the `total`, and its `parts` by the names of a profile's prices.

    `assumed`: parts that cost the ordinary price of their side, for want of one of their own.
    """

    total: float
    parts: Mapping[str, float] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()

    def __float__(self) -> float:
        return self.total


def cost_of(
    usage: Mapping[str, Any] | None, facts: Mapping[str, Any], *, mode: str | None = None
) -> Cost | None:
    """What this usage costs; None where a figure or a price is unknown.

    `facts`: a profile. `mode`: a mode of it ("fast"), or the service tier that ran the request.
    """
    if not usage:
        return None
    read, written = _figure(usage.get("input_tokens")), _figure(usage.get("output_tokens"))
    if read is None or written is None:
        return None
    prices = prices_of(facts, read, mode)
    parts: dict[str, float] = {}
    assumed: list[str] = []
    for side, tokens in (("input", read), ("output", written)):
        ordinary, rest = prices.get(side), tokens
        if tokens and ordinary is None:
            return None
        details = usage.get(f"{side}_token_details") or {}
        for part, name in _PARTS[side]:
            inside = min(_figure(details.get(part)) or 0, rest)
            if not inside:
                continue
            if (price := prices.get(name)) is not None:
                parts[name] = inside * price / _MILLION
                rest -= inside
            elif name in _APART:
                assumed.append(name)
        parts[side] = rest * (ordinary or 0) / _MILLION
    return Cost(sum(parts.values()), parts, tuple(assumed)) if prices else None


def cost_range(
    tokens: int, reserved: int | None, facts: Mapping[str, Any], *, mode: str | None = None
) -> tuple[float, float] | None:
    """The least and the most a request costs, in USD; None where a price or bound is unknown.

    Least: nothing is cached, an answer of one token. Most: an answer as long as it may be, each
    token at the dearest price of its side.
    """
    prices = prices_of(facts, tokens, mode)
    longest = reserved or facts.get("max_output_tokens")
    into, out = prices.get("input"), prices.get("output")
    if into is None or out is None or longest is None:
        return None
    room = facts.get("context_size")
    if room and not reserved:
        longest = max(min(longest, room - tokens), 1)
    dearest = max(out, prices.get("reasoning") or 0)
    return (
        (tokens * into + out) / _MILLION,
        (tokens * max(into, prices.get("cache_write") or 0) + longest * dearest) / _MILLION,
    )


def worst_case(
    tokens: int, reserved: int | None, facts: Mapping[str, Any], *, mode: str | None = None
) -> float | None:
    """The most a request of `tokens` may cost, in USD: what to reserve before it is sent.

    `reserved`: the bound of its answer, by default what the profile says. None: unknown.
    """
    bounds = cost_range(tokens, reserved, facts, mode=mode)
    return None if bounds is None else bounds[1]


def mode_of(sent: Mapping[str, Any], facts: Mapping[str, Any]) -> str | None:
    """The mode in which parameters or metadata say a request runs; None for the ordinary one.

    A `service_tier` that the profile does not know is its own mode, of unknown price.
    """
    for name, mode in (facts.get("modes") or {}).items():
        body = mode.get("body")
        if body and all(_bare(sent.get(key)) == _bare(value) for key, value in body.items()):
            return str(name)
    tier = _bare(sent.get("service_tier"))
    return None if tier is None or tier in ORDINARY else str(tier)


def _bare(value: Any) -> Any:
    """A word in lower case: some services shout their answers."""
    return value.lower() if isinstance(value, str) else value


def prices_of(
    facts: Mapping[str, Any], tokens: float, mode: str | None = None
) -> Mapping[str, float]:
    """The prices of a request with so many tokens of input; none of them where unknown."""
    if mode is None or mode in ORDINARY:
        cost = facts.get("cost")
    else:
        modes = facts.get("modes") or {}
        found = modes.get(mode) or next((m for m in modes.values() if _runs(m, mode)), None)
        cost = found and found.get("cost")
    return _tier(cost or {}, tokens, facts.get("cost_tier_inclusive") is True)


def _runs(mode: Mapping[str, Any], named: str) -> bool:
    """Whether a request of this mode carries `named`, as a service tier of that name."""
    return named in (mode.get("body") or {}).values()


def _tier(cost: Mapping[str, Any], tokens: float, inclusive: bool) -> Mapping[str, Any]:
    """The prices of a request of this size; a tier prices the whole of it."""
    tiers = cost.get("tiers")
    if not tiers:
        return cost
    prices: Mapping[str, Any] = cost
    for tier in sorted(tiers, key=lambda tier: float(tier["above"])):
        if tokens > tier["above"] or (inclusive and tokens == tier["above"]):
            prices = {**prices, **tier}
    return prices


def _figure(value: Any) -> float | None:
    return value if value.__class__ is int or value.__class__ is float else None
