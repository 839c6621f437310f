"""Reasoning effort in the form that a model and its service both take.

Asked for as a level, as a number of tokens, or as "on"; sent as a level (a str), as a budget of
tokens (an int above 0), or as a switch (a bool). Pure; what decides is the profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from headrace.errors import InputError

Form = Literal["words", "tokens", "switch"]
Effort = str | int | bool

LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# Tokens that a level stands for where only budgets exist; the middle three are Google's own
# (https://ai.google.dev/gemini-api/docs/openai, read 2026-11).
BUDGETS: Mapping[str, int] = {
    "minimal": 512, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 65536,
}  # fmt: skip
FORMS: frozenset[Form] = frozenset({"words", "tokens", "switch"})
_COMMON = ("low", "medium", "high")  # what a service is expected to take where nothing is known


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, None for nothing; `reason` where that is not what was asked."""

    sent: Effort | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """In which forms effort can be said: levels (None: any), budget bounds (None: none) …"""

    words: bool
    tokens: bool
    switch: bool
    levels: tuple[str, ...] | None = None
    least: int = 1
    most: int | None = None
    may_be_off: bool = True
    default: str | None = None


def ways_of(
    facts: Mapping[str, Any], forms: frozenset[Form], levels: Sequence[str] | None = None
) -> Ways:
    """What a model's facts and its service's forms have in common.

    `levels`: words that the service itself translates for every model that reasons; they count
    where the model's own controls cannot be said in any of its forms.
    """
    listed = facts.get("reasoning_effort_levels")
    budget, toggle = facts.get("reasoning_budget"), facts.get("reasoning_toggle")
    default = facts.get("reasoning_effort_default")
    if listed is None and budget is None and toggle is None:
        return Ways("words" in forms, "tokens" in forms, "switch" in forms, None, default=default)
    words = "words" in forms and bool(listed)
    tokens = "tokens" in forms and isinstance(budget, list | tuple)
    switch = "switch" in forms and toggle is True
    known = tuple(listed or ())
    if not (words or tokens or switch) and levels and (listed or budget or toggle):
        words, known = "words" in forms, tuple(levels)
    bounds = budget if tokens and budget else (None, None)
    least, most = bounds[0], bounds[1]
    may_be_off = not tokens or least is None or least <= 0 or toggle is True
    return Ways(
        words, tokens, switch, known, max(int(least or 1), 1),
        None if most is None else int(most), may_be_off, default,
    )  # fmt: skip


def plan_effort(asked: Effort, ways: Ways, model: str) -> Plan:
    """What to send for the effort that was asked of a model that reasons."""
    if isinstance(asked, int) and not isinstance(asked, bool) and asked < 0:
        raise InputError(f"`reasoning_effort` in tokens must not be negative; found {asked}")
    if not (ways.words or ways.tokens or ways.switch):
        return Plan(None, f"the effort of `{model}` cannot be set here")
    if asked in ("none", 0):
        return _off(ways, model)
    if asked == "on":
        return _on(ways, model)
    if isinstance(asked, int):
        return _of_tokens(asked, ways, model)
    return _of_word(asked, ways, model)


def _off(ways: Ways, model: str) -> Plan:
    if ways.words and (ways.levels is None or "none" in ways.levels):
        return Plan("none")
    if ways.switch:
        return Plan(False)
    if ways.tokens and ways.may_be_off:
        return Plan(0)
    reason = f"`{model}` always reasons"
    if ways.words:
        return Plan(_nearest("none", ways.levels or _COMMON), reason)
    return Plan(ways.least, reason)


def _on(ways: Ways, model: str) -> Plan:
    if ways.switch:
        return Plan(True)
    level = ways.default if ways.default not in (None, "none") else "medium"
    assert level is not None
    plan = _of_word(level, ways, model)
    return Plan(plan.sent, f"`{model}` has no switch")


def _of_word(asked: str, ways: Ways, model: str) -> Plan:
    if ways.words:
        if ways.levels is None or asked in ways.levels:
            return Plan(asked)
        level = _nearest(asked, ways.levels) if asked in LEVELS else None
        return Plan(level, f"`{model}` takes the levels {', '.join(ways.levels)}")
    if asked not in LEVELS:
        return Plan(None, f"{asked!r} is no level that stands for a number of tokens or for on")
    if ways.tokens:
        return Plan(_bounded(BUDGETS[asked], ways), _says(model, "a number of tokens"))
    return Plan(True, _says(model, "on and off"))


def _of_tokens(asked: int, ways: Ways, model: str) -> Plan:
    if ways.tokens:
        sent = _bounded(asked, ways)
        return Plan(sent, None if sent == asked else _says(model, _bounds(ways)))
    if ways.words:
        levels = _COMMON if ways.levels is None else ways.levels
        enough = [level for level in levels if asked <= BUDGETS.get(level, 0)]
        level = _nearest("minimal" if enough else "max", enough or levels)
        return Plan(level, _says(model, "levels"))
    return Plan(True, _says(model, "on and off"))


def _nearest(asked: str, levels: Sequence[str]) -> str | None:
    """The listed level nearest to one that is not; of two the lower; never `none`.

    Where none is on the common scale, the service's own word for on, such as `default`.
    """
    place = LEVELS.index(asked)
    on = [level for level in levels if level in LEVELS[1:]]
    if not on:
        return next((level for level in levels if level != "none"), None)
    return min(on, key=lambda level: (abs(LEVELS.index(level) - place), LEVELS.index(level)))


def _bounded(tokens: int, ways: Ways) -> int:
    bounded = max(tokens, ways.least)
    return bounded if ways.most is None else min(bounded, max(ways.most, ways.least))


def _bounds(ways: Ways) -> str:
    most = "any number" if ways.most is None else ways.most
    return f"{ways.least} to {most} tokens"


def _says(model: str, what: str) -> str:
    return f"`{model}` takes {what} here"


@dataclass(frozen=True, slots=True)
class Room:
    """A budget and the bound of the answer above it; no budget fits where both are None."""

    max_tokens: int | None
    budget: int | None


def make_room(budget: int, asked: int, *, least: int = 1, limit: int | None = None) -> Room:
    """The two bounds of an answer whose reasoning counts into `max_tokens`.

    `asked` stays for the answer itself, within `limit`; the budget gives way where both do not
    fit, down to its own `least`.
    """
    if asked > budget:
        return Room(asked, budget)
    total = budget + asked if limit is None else min(budget + asked, limit)
    for smaller in (budget, total - asked, total // 2, least):
        if least <= smaller < total:
            return Room(total, smaller)
    return Room(None, None)
