"""One entry of models.dev, one rule a test; the whole of its data is in tests/test_profiles.py."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.profiles import FIELDS, ProfileError
from headrace.profiles.fields import checked
from headrace.profiles.upstream import map_model, map_provider

ENTRY = {
    "id": "m",
    "name": "M",
    "reasoning": True,
    "tool_call": True,
    "modalities": {"input": ["text", "pdf"], "output": ["text"]},
    "limit": {"context": 400000, "input": 272000, "output": 128000},
}


def mapped(**more: Any) -> dict[str, Any]:
    return map_model({**ENTRY, **more}, "m")


def test_the_limit_of_input_is_the_context_where_no_other_is_given() -> None:
    assert mapped()["max_input_tokens"] == 272000
    assert mapped(limit={"context": 9})["max_input_tokens"] == 9
    assert mapped()["context_size"] == 400000


def test_a_limit_of_zero_is_unknown() -> None:
    facts = mapped(limit={"context": 0, "input": 0, "output": 0})
    assert not facts.keys() & {"context_size", "max_input_tokens", "max_output_tokens"}


def test_a_modality_that_is_not_listed_is_not_there() -> None:
    facts = mapped()
    assert (facts["pdf_inputs"], facts["image_inputs"], facts["audio_outputs"]) == (
        True,
        False,
        False,
    )


def test_what_is_absent_upstream_is_absent_here() -> None:
    facts = map_model({"id": "m"}, "m")
    assert facts == {}


@pytest.mark.parametrize(
    ("options", "levels", "toggle", "budget"),
    [
        ([], [], False, False),
        ([{"type": "toggle"}], [], True, False),
        ([{"type": "effort", "values": [None, "low"]}], ["none", "low"], False, False),
        ([{"type": "budget_tokens", "min": 1024}], [], False, [1024, None]),
        (
            [{"type": "effort", "values": ["max"]}, {"type": "budget_tokens", "min": -1, "max": 9}],
            ["max"],
            False,
            [-1, 9],
        ),
    ],
)
def test_the_controls_of_reasoning(options: Any, levels: Any, toggle: bool, budget: Any) -> None:
    facts = mapped(reasoning_options=options)
    assert facts["reasoning_effort_levels"] == levels
    assert (facts["reasoning_toggle"], facts["reasoning_budget"]) == (toggle, budget)


def test_unlisted_controls_are_unknown() -> None:
    assert "reasoning_budget" not in mapped()


def test_the_field_of_interleaved_reasoning() -> None:
    assert mapped(interleaved=True)["reasoning_interleaved"] is True
    assert "reasoning_field" not in mapped(interleaved=True)
    assert (
        mapped(interleaved={"field": "reasoning_content"})["reasoning_field"] == "reasoning_content"
    )


def test_tiers_are_sorted_and_their_copy_is_dropped() -> None:
    tiers = [
        {"input": 3, "output": 4, "tier": {"type": "context", "size": 200}},
        {"input": 2, "output": 3, "tier": {"size": 100}},
    ]
    cost = mapped(cost={"input": 1, "output": 2, "tiers": tiers, "context_over_200k": {"input": 9}})
    assert cost["cost"] == {
        "input": 1,
        "output": 2,
        "tiers": [
            {"input": 2, "output": 3, "above": 100},
            {"input": 3, "output": 4, "above": 200},
        ],
    }


def test_the_old_form_of_a_tier_is_read() -> None:
    cost = mapped(cost={"input": 1, "output": 2, "context_over_200k": {"input": 2}})["cost"]
    assert cost["tiers"] == [{"input": 2, "above": 200_000}]


def test_a_mode_brings_its_prices_and_what_must_be_sent() -> None:
    mode = {"cost": {"input": 5, "output": 6}, "provider": {"body": {"service_tier": "priority"}}}
    facts = mapped(experimental={"modes": {"fast": mode}})
    assert facts["modes"] == {
        "fast": {"cost": {"input": 5, "output": 6}, "body": {"service_tier": "priority"}}
    }


def test_the_protocol_of_one_model() -> None:
    assert mapped(provider={"npm": "@ai-sdk/openai", "shape": "responses"})["wire"] == {
        "npm": "@ai-sdk/openai",
        "shape": "responses",
    }


def test_a_provider_brings_its_variables_and_protocol() -> None:
    facts = map_provider({"name": "A", "env": ["K"], "npm": "p", "api": "u", "doc": "d"}, "a")
    assert facts == {"name": "A", "env": ["K"], "doc": "d", "wire": {"npm": "p", "api": "u"}}


def test_every_mapped_fact_is_of_the_vocabulary() -> None:
    facts = mapped(
        cost={"input": 1, "output": 2},
        reasoning_options=[{"type": "toggle"}],
        interleaved={"field": "x"},
        temperature=True,
        knowledge="2025-04",
    )
    assert facts.keys() <= FIELDS.keys()
    assert {name: checked(name, value, "here") for name, value in facts.items()} == facts


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 5},
        {"tool_call": "yes"},
        {"limit": {"context": "many"}},
        {"limit": {"context": True}},
        {"limit": {"output": -1}},
        {"limit": []},
        {"modalities": {"input": "text"}},
        {"reasoning_options": {"type": "toggle"}},
        {"reasoning_options": [{"type": "mood"}]},
        {"reasoning_options": [{"type": "effort", "values": [5]}]},
        {"interleaved": "yes"},
        {"cost": {"input": "free"}},
        {"cost": {"input": -1}},
        {"cost": {"tiers": [{"input": 1}]}},
        {"cost": {"tiers": [{"tier": {"type": "time", "size": 1}}]}},
        {"provider": {"npm": 1}},
        {"experimental": {"modes": []}},
    ],
)
def test_a_wrong_type_is_an_error_that_names_the_place(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProfileError, match=rf"^models\.dev: acme/m: `{next(iter(wrong))}"):
        map_model({**ENTRY, **wrong}, "models.dev: acme/m")
