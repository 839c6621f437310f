from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from headrace.cards import class_schema, list_models, parameter_schema
from headrace.errors import HeadraceError
from headrace.testing import OfflineChatModel, OfflineEmbeddings

# Values at which kinds and bounds meet, beside whatever hypothesis thinks of.
EDGES = [
    None, True, False, 0, 1, 1.0, 0.5, 2, 2.0, 2.1, -1, 5, 400, 401, 10**20, 1e30, "", "low",
    "high", "5", "1.5", "true", "none", "abcd", [], ["a"], ["a", "c"], [1], {}, {"a": 1},
    {"a": 1.0}, {"a": "1"}, {"a": True}, {"a": "x"}, "https://x",
]  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)
VALUES = st.sampled_from(EDGES) | JSON


def accepts(cls: Any, values: dict[str, Any]) -> bool:
    try:
        cls(model="m", **values)
    except HeadraceError:
        return False
    return True


def fits(schema: dict[str, Any], values: dict[str, Any]) -> bool:
    return Draft202012Validator(schema).is_valid(values)


@pytest.fixture(scope="module")
def law() -> Any:
    """One parameter at a time, and several, drawn over the class' own form."""

    def run(cls: Any, schema: dict[str, Any]) -> None:
        names = st.sampled_from([*schema["properties"], "no_such_parameter"])

        @settings(max_examples=500)
        @given(st.dictionaries(names, VALUES, max_size=3))
        def holds(values: dict[str, Any]) -> None:
            assert fits(schema, values) == accepts(cls, values), values

        holds()

    return run


def test_a_form_accepts_exactly_what_its_class_accepts(acme: Any, law: Any) -> None:
    for cls in (acme, OfflineChatModel, OfflineEmbeddings):
        law(cls, class_schema(cls))


@pytest.mark.parametrize("name", ["thinker", "talker"])
def test_a_narrowed_form_accepts_what_the_class_does_and_the_profile_lets(
    name: str, acme: Any
) -> None:
    card = list_models("acme", name=name)[0]
    form, whole = card.parameter_schema, class_schema(acme)

    @given(st.dictionaries(st.sampled_from(list(whole["properties"])), VALUES, max_size=2))
    def holds(values: dict[str, Any]) -> None:
        if fits(form, values):
            assert accepts(acme, values)
        elif fits(whole, values):
            assert set(values) & NARROWED[name]

    holds()


NARROWED = {
    "thinker": {"temperature", "max_tokens", "reasoning_effort", "audio"},
    "talker": {"temperature", "max_tokens", "reasoning_effort", "top_p", "parallel_tool_calls"},
}


def test_a_form_is_a_schema_with_a_title_and_a_default_for_each_parameter(acme: Any) -> None:
    form = class_schema(acme)
    Draft202012Validator.check_schema(form)
    json.dumps(form)
    assert form["properties"]["loud"] == {"title": "Loud", "type": "boolean", "default": False}
    assert form["properties"]["top_p"] == {
        "title": "Top p", "description": "Nucleus.", "type": ["number", "null"],
        "minimum": 0, "maximum": 1, "default": None,
    }  # fmt: skip
    assert not {"api_key", "model", "timeout", "credential", "tags"} & set(form["properties"])


def test_a_model_that_does_not_reason_has_no_reasoning_parameters() -> None:
    forms = {card.name: card.parameter_schema["properties"] for card in list_models("acme")}
    assert "reasoning_effort" not in forms["talker"]
    assert forms["thinker"]["reasoning_effort"]["enum"] == ["low", "high", None]
    assert forms["old"]["reasoning_effort"]["type"] == ["string", "integer", "boolean", "null"]


def test_bounds_and_abilities_of_the_profile_narrow_the_form() -> None:
    forms = {card.name: card.parameter_schema["properties"] for card in list_models("acme")}
    assert forms["thinker"]["max_tokens"]["maximum"] == 400
    assert "temperature" not in forms["thinker"]
    assert "audio" not in forms["thinker"]
    assert "audio" in forms["talker"]
    assert forms["talker"]["temperature"]["maximum"] == 1
    assert {"top_p", "parallel_tool_calls"}.isdisjoint(forms["talker"])


@pytest.mark.parametrize(
    ("facts", "accepted", "refused"),
    [
        ({"reasoning_budget": [1024, 9000]}, ["low", 1024, None], ["banana", 1023, 9001]),
        ({"reasoning_toggle": True}, ["none", "medium"], ["high", 5]),
        ({"reasoning_effort_levels": ["max"], "reasoning_toggle": True}, ["none", "max"], ["low"]),
        ({"reasoning_effort_levels": ["low"], "reasoning_budget": [None, 9]}, ["low", 0], [10]),
    ],
)
def test_effort_is_a_level_or_a_number_of_tokens_by_the_profile(
    facts: dict[str, Any], accepted: list[Any], refused: list[Any], acme: Any
) -> None:
    known = {"reasoning_effort_levels": [], "reasoning_budget": False, "reasoning_toggle": False}
    form = parameter_schema(acme, {"reasoning_output": True, **known, **facts})
    assert all(fits(form, {"reasoning_effort": value}) for value in accepted)
    assert not any(fits(form, {"reasoning_effort": value}) for value in refused)


def test_a_model_whose_effort_cannot_be_set_has_no_field_for_it(acme: Any) -> None:
    facts = {"reasoning_effort_levels": [], "reasoning_budget": False, "reasoning_toggle": False}
    form = parameter_schema(acme, {"reasoning_output": True, **facts})
    assert "reasoning_effort" not in form["properties"]
