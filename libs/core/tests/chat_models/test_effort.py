"""Laws of reasoning effort, for any profile and any service."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.chat_models import Notes, Settings, Timeout, Watch, Wire
from headrace.chat_models.adapting import adapt
from headrace.chat_models.effort import BUDGETS, FORMS, LEVELS, make_room, plan_effort, ways_of
from headrace.errors import InputError

efforts = st.sampled_from([*LEVELS, "on"]) | st.integers(0, 200_000)
levels = st.lists(st.sampled_from(LEVELS), unique=True)
budgets = st.just(False) | st.tuples(
    st.none() | st.integers(-1, 4096), st.none() | st.integers(4096, 100_000)
).map(list)
facts = st.fixed_dictionaries(
    {},
    optional={
        "reasoning_effort_levels": levels,
        "reasoning_budget": budgets,
        "reasoning_toggle": st.booleans(),
        "reasoning_output": st.just(True),
        "max_output_tokens": st.integers(2, 130_000),
    },
)
forms = st.sets(st.sampled_from(sorted(FORMS))).map(frozenset)


@given(efforts, facts, forms)
def test_what_is_sent_is_what_model_and_service_take(asked: Any, facts: Any, forms: Any) -> None:
    sent = plan_effort(asked, ways_of(facts, forms), "m").sent
    known = facts.keys() & {"reasoning_effort_levels", "reasoning_budget", "reasoning_toggle"}
    if isinstance(sent, str):
        assert "words" in forms
        assert not known or sent in facts["reasoning_effort_levels"]
    elif isinstance(sent, bool):
        assert "switch" in forms
        assert not known or facts["reasoning_toggle"]
    elif sent is not None:
        assert "tokens" in forms
        least, most = (facts.get("reasoning_budget") or (None, None)) if known else (None, None)
        assert sent >= max(least or 0, 0)
        assert most is None or sent <= max(most, least or 0)


@given(efforts, facts, forms)
def test_off_is_said_only_for_off_and_on_only_for_on(asked: Any, facts: Any, forms: Any) -> None:
    plan = plan_effort(asked, ways_of(facts, forms), "m")
    is_off = plan.sent in ("none", 0) and plan.sent is not None
    if asked in ("none", 0):
        assert is_off or plan.reason is not None
    else:
        assert not is_off


@given(st.sampled_from(LEVELS[1:]), levels.filter(lambda some: set(some) - {"none"}))
def test_a_level_that_is_not_listed_becomes_the_nearest(asked: str, listed: Any) -> None:
    sent = plan_effort(asked, ways_of({"reasoning_effort_levels": listed}, FORMS), "m").sent
    distances = {
        abs(LEVELS.index(level) - LEVELS.index(asked)) for level in listed if level != "none"
    }
    assert abs(LEVELS.index(str(sent)) - LEVELS.index(asked)) == min(distances)


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.integers(1, 2000), st.data())
def test_the_bound_is_above_the_budget_and_within_the_limit(
    budget: int, asked: int, least: int, data: st.DataObject
) -> None:
    limit = data.draw(st.none() | st.integers(asked, 200_000))
    room = make_room(max(budget, least), asked, least=least, limit=limit)
    if room.max_tokens is None or room.budget is None:
        assert limit is not None
        assert limit <= least
        return
    assert room.max_tokens > room.budget >= least
    assert asked <= room.max_tokens <= (limit or room.max_tokens)


@given(efforts, st.none() | st.integers(1, 200_000), facts, forms)
def test_nothing_asked_is_lost_without_a_record(
    asked: Any, limit: Any, facts: Any, forms: Any
) -> None:
    params = {"model": "m", "reasoning_effort": asked, "temperature": 0.5}
    if limit is not None:
        params["max_tokens"] = limit
    settings = Settings(params, Watch(Timeout()), notes=Notes("adapt", "raise", "m", []))
    sent = adapt(
        settings, facts, Wire(forms=forms, names={"max_tokens": "bound"}), "m", settings.notes
    )
    records = {record["name"]: record for record in settings.notes.records}
    assert len(records) == len(settings.notes.records)
    assert sent.params["temperature"] == 0.5
    for name, value in params.items():
        if sent.params.get(name) != value:
            assert records[name]["asked"] == value
    if limit is not None and "max_tokens" in sent.params:
        assert records["max_tokens"]["sent"] == {"bound": sent.params["max_tokens"]}
        budget = sent.params.get("reasoning_effort")
        if isinstance(budget, int) and not isinstance(budget, bool) and "tokens" in forms:
            assert sent.params["max_tokens"] > budget


@pytest.mark.parametrize(("level", "tokens"), [("low", 1024), ("medium", 8192), ("high", 24576)])
def test_levels_stand_for_tokens_where_only_budgets_exist(level: str, tokens: int) -> None:
    ways = ways_of({"reasoning_budget": [1024, None]}, FORMS)
    assert plan_effort(level, ways, "m").sent == tokens == BUDGETS[level]


@pytest.mark.parametrize(
    ("asked", "listed", "sent"),
    [
        ("medium", ["low", "high"], "low"),
        ("minimal", ["none", "low"], "low"),
        ("none", ["low", "high"], "low"),
        ("max", ["low", "medium"], "medium"),
        (900, ["high", "low"], "low"),
        (30_000, ["low", "high"], "high"),
        ("on", ["low", "high"], "low"),
        ("default", ["none", "default"], "default"),
        ("low", ["none", "default"], "default"),
        ("low", ["none"], None),
    ],
)
def test_levels_by_example(asked: Any, listed: Any, sent: Any) -> None:
    ways = ways_of({"reasoning_effort_levels": listed}, FORMS)
    assert plan_effort(asked, ways, "m").sent == sent


def test_a_number_below_zero_is_an_error() -> None:
    with pytest.raises(InputError, match="-1"):
        plan_effort(-1, ways_of({}, FORMS), "m")
