from __future__ import annotations

import json
import pickle

import pytest

from headrace.errors import ConfigurationError
from headrace.profiles import FIELDS, ModelProfile, ProfileError

FACTS = {
    "max_input_tokens": 10,
    "reasoning_effort_levels": ["low"],
    "parameters": {"top_p": False, "temperature": {"minimum": 0, "maximum": 1}},
}


def profile() -> ModelProfile:
    sources = dict.fromkeys(FACTS, "models.dev 2026-07-02")
    return ModelProfile(FACTS, sources, provider="acme", model="big")


def test_it_reads_as_a_mapping_of_plain_json() -> None:
    assert dict(profile()) == FACTS
    assert json.loads(json.dumps(dict(profile()))) == FACTS
    assert profile() == FACTS
    assert "max_output_tokens" not in profile()
    assert profile().get("max_output_tokens") is None


def test_nothing_handed_out_changes_it() -> None:
    one = profile()
    one["reasoning_effort_levels"].append("high")
    one["parameters"]["top_p"] = True
    assert one == FACTS
    with pytest.raises(TypeError):
        one["max_input_tokens"] = 5  # type: ignore[index] - what is tested


def test_a_bar_gives_a_plain_dict_on_either_side() -> None:
    assert type(profile() | {"max_input_tokens": 5}) is dict
    assert (profile() | {"max_input_tokens": 5})["max_input_tokens"] == 5
    assert ({"max_input_tokens": 5} | profile())["max_input_tokens"] == 10


def test_its_repr_is_short() -> None:
    assert repr(profile()) == "ModelProfile('acme:big', 3 facts)"


def test_it_survives_a_pickle_with_its_sources() -> None:
    again = pickle.loads(pickle.dumps(profile()))
    assert (again, again.sources, again.model) == (profile(), profile().sources, "big")


def test_an_override_wins_and_its_source_is_told() -> None:
    one = profile().overridden({"max_input_tokens": 5, "tool_calling": True})
    assert (one["max_input_tokens"], one["tool_calling"]) == (5, True)
    assert one.sources["max_input_tokens"] == "profile="
    assert one.sources["reasoning_effort_levels"] == "models.dev 2026-07-02"
    assert profile()["max_input_tokens"] == 10


def test_an_override_of_none_makes_a_fact_unknown_again() -> None:
    one = profile().overridden({"max_input_tokens": None})
    assert "max_input_tokens" not in one
    assert "max_input_tokens" not in one.sources


def test_parameters_are_overridden_one_by_one_and_all_else_whole() -> None:
    one = profile().overridden({"parameters": {"top_p": {"maximum": 1}}})
    assert one["parameters"] == {**FACTS["parameters"], "top_p": {"maximum": 1}}
    assert one.sources["parameters"] == "models.dev 2026-07-02, profile="


def test_an_unknown_field_is_kept_with_one_warning() -> None:
    with pytest.warns(UserWarning, match=r"no field `max_inputs_tokens` \(did you mean"):
        one = profile().overridden({"max_inputs_tokens": 5})
    assert one["max_inputs_tokens"] == 5
    profile().overridden({"max_inputs_tokens": 6})


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("tool_calling", "yes"),
        ("max_input_tokens", 0),
        ("max_input_tokens", True),
        ("max_input_tokens", 1.5),
        ("knowledge", "May 2025"),
        ("reasoning_effort_levels", "high"),
        ("reasoning_budget", [1]),
        ("reasoning_budget", True),
        ("cost", {"input": -1}),
        ("cost", {"imput": 1}),
        ("cost", {"tiers": [{"input": 1}]}),
        ("parameters", {"top_p": True}),
        ("parameters", {"top_p": {"max": 1}}),
        ("parameters", {"top_p": {"when": {"reasoning_effort": "none"}}}),
        ("wire", {"npm": 1}),
        ("modes", {"fast": {"price": {}}}),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_and_says_what_is_right(
    field: str, wrong: object
) -> None:
    with pytest.raises(ProfileError, match=rf"profile=: `{field}` "):
        profile().overridden({field: wrong})
    assert issubclass(ProfileError, ConfigurationError)


def test_it_says_whether_a_parameter_is_taken() -> None:
    one = profile().overridden({"temperature": False})
    assert one.takes("temperature") is True  # the range says more than the flag
    assert one.takes("top_p") is False
    assert one.takes("seed") is None
    assert ModelProfile({"temperature": False}).takes("temperature") is False


def test_every_field_says_what_it_means() -> None:
    assert all(field.meaning for field in FIELDS.values())
