from __future__ import annotations

from typing import Any

import pytest

from headrace import init_chat_model, tool
from headrace.chat_models import forbid_requests, parameter_matrix
from headrace.chat_models.preflight import fits
from headrace.errors import InputError
from headrace.messages import HumanMessage, image
from headrace.testing import OfflineChatModel, ScriptedChatModel

SCHEMA = {"title": "Out", "type": "object", "properties": {"a": {"type": "string"}}}


@tool
def look(city: str) -> str:
    """Looks at a city."""
    return city


def test_it_sends_nothing_and_says_what_would_be_sent() -> None:
    with forbid_requests():
        report = OfflineChatModel(max_tokens=20).preflight("Hello there")
    assert report.request is not None
    assert report.request.keys() == {"model", "messages", "max_tokens"}
    assert report.request["messages"][0]["content"] == "Hello there"
    assert (report.ok, report.fits, report.output_tokens, report.cost) == (True, True, 20, None)


def test_a_model_that_does_not_say_its_request_has_none() -> None:
    model = ScriptedChatModel(["a"])
    report = model.preflight("hi")
    assert (report.request, report.fits, model.calls) == (None, None, [])


def test_all_that_is_bound_around_a_model_is_in_it() -> None:
    model = (
        OfflineChatModel()
        .bind_tools([look])
        .with_retry()
        .with_config(tags=["t"])
        .bind(temperature=0.5)
        .with_structured_output(SCHEMA, method="json_schema")
    )
    report = model.preflight("Hello", stop=["."])
    assert report.request is not None
    assert report.request["temperature"] == 0.5
    assert report.request["stop"] == ["."]
    assert report.request["tools"][0]["name"] == "look"
    assert report.request["response_format"]["name"] == "Out"
    assert (report.tools, report.tools_with_schema) == (("look",), True)
    assert "not every model takes both" in report.warnings[0]


def test_a_configurable_model_is_looked_at_by_its_defaults() -> None:
    model = init_chat_model("offline:demo", configurable_fields=("model",))
    assert model.preflight("hi").model == "demo"


def test_what_would_be_adapted_is_told_and_not_warned_of() -> None:
    report = OfflineChatModel(reasoning_effort="low").preflight("hi")
    assert [record["name"] for record in report.adapted] == ["reasoning_effort"]
    assert "`reasoning_effort` = 'low' is left out" in report.warnings[0]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"on_unsupported": "raise", "reasoning_effort": "low"}, "does not take"),
        ({"profile": {"image_inputs": False}}, "takes no images"),
    ],
)
def test_what_would_be_raised_is_an_error_in_it(given: Any, told: str) -> None:
    picture = image(b"\x89PNG\r\n\x1a\n")
    report = OfflineChatModel(**given).preflight([HumanMessage(["x", picture])])
    assert told in report.errors[0]
    assert (report.ok, report.request) == (False, None)


@pytest.mark.parametrize(
    ("facts", "seen"), [({"image_inputs": True}, True), ({"image_inputs": None}, None)]
)
def test_modalities_used_are_held_against_those_seen(facts: Any, seen: Any) -> None:
    message = HumanMessage(["x", image(b"\x89PNG\r\n\x1a\n")])
    report = OfflineChatModel(profile=facts).preflight([message])
    assert report.modalities == {"image": seen}
    assert any("nobody knows" in told for told in report.warnings) is (seen is None)


@pytest.mark.parametrize(
    ("tokens", "reserved", "facts", "expected"),
    [
        (10, None, {}, None),
        (10, None, {"max_input_tokens": 10}, True),
        (11, None, {"max_input_tokens": 10}, False),
        (10, 5, {"context_size": 15}, True),
        (10, 6, {"context_size": 15, "max_input_tokens": 10}, False),
    ],
)
def test_input_and_reserved_output_must_fit(
    tokens: int, reserved: Any, facts: Any, expected: Any
) -> None:
    assert fits(tokens, reserved, facts) is expected


# Questions about a model.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("temperature", True),
        ("tools", True),
        ("tool_choice", True),
        ("parallel_tool_calls", True),
        ("json_schema", True),
        ("reasoning_effort", False),
        ("top_p", False),
        ("timeout", True),
        ("image", None),
        ("image by URL", None),
        ("developer message", None),
        ("prefill", None),
    ],
)
def test_a_model_says_what_it_takes(name: str, expected: Any) -> None:
    assert OfflineChatModel().supports(name) is expected
    assert OfflineChatModel().bind_tools([look]).with_retry().supports(name) is expected


def test_a_name_that_means_nothing_is_an_error() -> None:
    with pytest.raises(InputError, match="did you mean `temperature`"):
        OfflineChatModel().supports("temprature")


def test_the_matrix_has_a_row_for_each_parameter() -> None:
    model = OfflineChatModel().with_retry()
    rows = {row.parameter: row for row in parameter_matrix(model)}
    assert rows["temperature"].outcome == "sent"
    assert (rows["top_p"].outcome, rows["seed"].outcome) == ("left out", "left out")
    assert "no such parameter" in rows["top_p"].reason
    assert rows["reasoning_effort"].outcomes == ("left out",) * 3
    assert rows["image"].outcome == "unknown"
