"""Every parameter of the constructor: on the wire, or with its effect."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from claude_service import ANSWER, adapted, answering, model_at, request_of
from covering import untested

from headrace.chat_models import Timeout, parameter_matrix
from headrace.errors import InputError, UnsupportedParameterError
from headrace_anthropic import ChatAnthropic, ChatAnthropicBedrock, ChatAnthropicVertex
from headrace_anthropic.guard import must_stream

SERVER = {"name": "wiki", "type": "url", "url": "https://x.y/mcp"}
EDITS = {"edits": [{"type": "clear_tool_uses_20250919"}]}

ON_THE_WIRE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"model": "claude-haiku-4-5"}, {"model": "claude-haiku-4-5"}),
    ({"model_name": "claude-haiku-4-5"}, {"model": "claude-haiku-4-5"}),
    ({"max_tokens": 7}, {"max_tokens": 7}),
    ({"max_tokens_to_sample": 7}, {"max_tokens": 7}),
    ({"temperature": 0.5}, {"temperature": 0.5}),
    ({"temperature": 1.5}, {"temperature": 1.0}),
    ({"top_p": 0.5}, {"top_p": 0.5}),
    ({"top_k": 5}, {"top_k": 5}),
    ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
    ({"stop_sequences": "a"}, {"stop_sequences": ["a"]}),
    ({"user_id": "u1"}, {"metadata": {"user_id": "u1"}}),
    ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
    ({"service_tier": "standard_only"}, {"service_tier": "standard_only"}),
    ({"speed": "fast"}, {"speed": "fast"}),
    ({"inference_geo": "us"}, {"inference_geo": "us"}),
    ({"container": "c1"}, {"container": "c1"}),
    ({"container": {"skills": []}}, {"container": {"skills": []}}),
    ({"context_management": EDITS}, {"context_management": EDITS}),
    ({"mcp_servers": [SERVER]}, {"mcp_servers": [SERVER]}),
    ({"betas": ["x-1"]}, {"betas": ["x-1"]}),
    ({"output_config": {"effort": "low"}}, {"output_config": {"effort": "low"}}),
    ({"thinking_display": "omitted", "reasoning_effort": 2000, "max_tokens": 3000},
     {"thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"}}),
    ({"model_kwargs": {"x": 1}}, {"x": 1}),
    ({"extra_body": {"thinking": {"type": "between_tools"}}},
     {"thinking": {"type": "between_tools"}}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "sent"), ON_THE_WIRE, ids=lambda value: str(value)[:50])
def test_each_parameter_reaches_the_wire(given: dict[str, Any], sent: dict[str, Any]) -> None:
    named = {} if "model_name" in given else {"model": "claude-haiku-4-5"}
    request = request_of(model=ChatAnthropic(**{**named, **given}))
    assert {name: request.get(name) for name in sent} == sent


def test_no_parameter_is_without_a_test() -> None:
    here = "libs/partners/anthropic/tests"
    rows = [name for given, _ in ON_THE_WIRE for name in given]
    held: dict[Any, list[str]] = {
        test_headers_query_and_address_are_the_callers: ["default_query"],
        test_usage_of_streams_may_be_left_out: ["stream_usage"],
        test_json_prefill_begins_the_answer_where_the_model_allows_it: ["json_prefill"],
        f"{here}/claude_service.py::model_at": ["http_client", "http_async_client"],
        f"{here}/test_encode.py::test_one_call_at_a_time_is_part_of_the_choice": [
            "parallel_tool_calls"
        ],
    }
    assert untested(ChatAnthropic, rows, held) == set()
    clouds = f"{here}/test_clouds.py"
    aws = {
        f"{clouds}::test_bedrock_has_the_model_in_its_path_and_its_version_in_the_body": ["region"],
        f"{clouds}::test_aws_keys_sign_each_request": [
            "access_key_id", "secret_access_key", "session_token"
        ],
        f"{clouds}::test_a_profile_of_aws_signs_each_request": ["profile_name"],
    }  # fmt: skip
    assert untested(ChatAnthropicBedrock, rows, held | aws) == set()
    vertex = {
        f"{clouds}::test_vertex_has_project_region_and_model_in_its_path": ["project", "region"],
        f"{clouds}::test_credentials_of_google_give_the_token": ["google_credentials"],
    }
    assert untested(ChatAnthropicVertex, rows, held | vertex) == set()


def test_what_is_not_set_is_not_sent() -> None:
    assert request_of(model=ChatAnthropic(model="claude-haiku-4-5")).keys() == {
        "model", "max_tokens", "messages",
    }  # fmt: skip


def test_the_required_bound_is_the_models_or_4096() -> None:
    assert request_of(model=ChatAnthropic(model="claude-haiku-4-5"))["max_tokens"] == 64_000
    assert request_of(model=ChatAnthropic(model="not-known"))["max_tokens"] == 4096


def heard(**given: Any) -> httpx2.Request:
    """The request of a model with these parameters, as HTTP."""
    requests: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return answering(request)

    model_at(handler, **given).invoke("hi")
    return requests[0]


def test_headers_query_and_address_are_the_callers() -> None:
    request = heard(
        default_headers={"x-mine": "1"},
        default_query={"q": "2"},
        base_url="https://gateway.example/anthropic/v1/messages",
    )
    assert request.headers["x-mine"] == "1"
    assert request.url == "https://gateway.example/anthropic/v1/messages?q=2"


def test_headers_of_the_environment_do_not_go_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-secret: 1")
    assert "x-secret" in heard().headers
    assert "x-secret" not in heard(base_url="https://gateway.example").headers


def test_a_timeout_bounds_connection_and_reads() -> None:
    asked = heard(timeout=Timeout(connect=3, first_chunk=5, idle=5, total=9)).extensions["timeout"]
    assert (asked["connect"], asked["read"]) == (3, 5)
    assert heard(default_request_timeout=4).extensions["timeout"]["read"] == 4


def test_a_proxy_is_used() -> None:
    model = ChatAnthropic(model="m", api_key="k", anthropic_proxy="http://p.example:1")
    assert model._client_settings().proxy == "http://p.example:1"
    assert "p.example" not in repr(model)


def test_further_attempts_are_ours() -> None:
    calls: list[int] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        calls.append(1)
        if len(calls) < 3:
            return httpx2.Response(529, headers={"retry-after": "0"})
        return answering(request)

    assert model_at(handler, max_retries=2).invoke("hi").text == "hi"
    assert len(calls) == 3


def test_usage_of_streams_may_be_left_out() -> None:
    bare = model_at(stream_usage=False)
    total = sum(bare.stream("hi"))
    assert (total.text, total.usage_metadata) == ("hi", None)  # type: ignore[attr-defined]  # sum starts from 0
    assert bare.invoke("hi").usage_metadata is not None
    assert model_at(stream_usage=False, max_tokens=50_000).invoke("hi").usage_metadata is not None


def test_json_prefill_begins_the_answer_where_the_model_allows_it() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(
            200, json={**ANSWER, "content": [{"type": "text", "text": '"a":1}'}]}
        )

    schema = {"title": "A", "type": "object", "properties": {"a": {"type": "integer"}}}
    asking = model_at(handler).with_structured_output(schema, method="json_mode")
    assert asking.invoke("hi") == {"a": 1}
    last = asking.preflight("hi").request["messages"][-1]
    assert last == {"role": "assistant", "content": "{"}
    off = model_at(handler, json_prefill=False).with_structured_output(schema, method="json_mode")
    assert off.preflight("hi").request["messages"][-1]["role"] == "user"
    newer = ChatAnthropic(model="claude-opus-5", max_tokens=9)
    told = newer.with_structured_output(schema, method="json_mode").preflight("hi")
    assert told.request["messages"][-1]["role"] == "user"
    assert "response_format" in {record["name"] for record in told.adapted}


def test_a_schema_is_enforced_by_the_service() -> None:
    schema = {
        "title": "A", "type": "object", "required": ["a"],
        "properties": {"a": {"type": "integer", "minimum": 2}},
    }  # fmt: skip
    model = ChatAnthropic(model="claude-opus-5", max_tokens=9, reasoning_effort="low")
    request = model.with_structured_output(schema).preflight("hi").request
    config = request["output_config"]
    assert config["effort"] == "low"
    assert config["format"]["type"] == "json_schema"
    assert config["format"]["schema"]["additionalProperties"] is False
    assert "minimum" not in config["format"]["schema"]["properties"]["a"]


# Reasoning: by the profile levels, adaptive, or a budget with room for it.

EFFORTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("claude-haiku-4-5", "low", {"type": "enabled", "budget_tokens": 1024}),
    ("claude-haiku-4-5", "medium", {"type": "enabled", "budget_tokens": 8192}),
    ("claude-haiku-4-5", "high", {"type": "enabled", "budget_tokens": 24576}),
    ("claude-haiku-4-5", 2000, {"type": "enabled", "budget_tokens": 2000}),
    ("claude-haiku-4-5", 100, {"type": "enabled", "budget_tokens": 1024}),
    ("claude-haiku-4-5", "none", {"type": "disabled"}),
    ("claude-opus-4-6", "high", {"type": "adaptive"}),
    ("claude-opus-4-6", 2000, {"type": "enabled", "budget_tokens": 2000}),
    ("claude-opus-4-8", True, {"type": "adaptive"}),
    ("claude-opus-4-8", "none", {"type": "disabled"}),
    ("claude-opus-5", "max", {"type": "adaptive"}),
    ("claude-opus-5", 3000, {"type": "adaptive"}),
    ("claude-opus-5-5", "none", {"type": "adaptive"}),
    ("not-known", "high", {"type": "adaptive"}),
]


@pytest.mark.parametrize(("model", "effort", "thinking"), EFFORTS)
def test_an_effort_is_said_as_the_model_takes_it(
    model: str, effort: Any, thinking: dict[str, Any]
) -> None:
    request = request_of(model=ChatAnthropic(model=model, reasoning_effort=effort))
    assert request["thinking"] == thinking


LEVELS = [("claude-opus-5", "xhigh", "xhigh"), ("claude-opus-4-6", "xhigh", "high"),
          ("claude-opus-5", 9000, "high"), ("claude-opus-5-5", "none", "low")]  # fmt: skip


@pytest.mark.parametrize(("model", "effort", "level"), LEVELS)
def test_a_level_goes_out_beside_the_switch(model: str, effort: Any, level: str) -> None:
    request = request_of(model=ChatAnthropic(model=model, reasoning_effort=effort))
    assert request["output_config"] == {"effort": level}


def test_a_budget_raises_the_bound_above_itself() -> None:
    request = request_of(reasoning_effort="high", max_tokens=2000)
    assert request["thinking"]["budget_tokens"] == 24_576
    assert request["max_tokens"] == 26_576
    assert adapted(reasoning_effort="high", max_tokens=2000)["max_tokens"] == 26_576


@pytest.mark.parametrize(
    ("given", "effort"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 5000}}, 5000),
        ({"thinking": {"type": "disabled"}}, "none"),
        ({"thinking": {"type": "adaptive"}}, "on"),
        ({"thinking": {"type": "adaptive"}, "effort": "high"}, "high"),
        ({"effort": "low"}, "low"),
    ],
)
def test_the_providers_own_spelling_is_the_same_parameter(
    given: dict[str, Any], effort: Any
) -> None:
    model = ChatAnthropic(model="claude-opus-4-6", **given)
    assert model.reasoning_effort == effort
    call = ChatAnthropic(model="claude-opus-4-6", max_tokens=9000)
    assert request_of(model=call.bind(**given)) == request_of(
        model=call.model_copy(update={"reasoning_effort": effort})
    )


def test_how_reasoning_is_shown_goes_with_it() -> None:
    shown = {"type": "adaptive", "display": "summarized"}
    model = ChatAnthropic(model="claude-opus-5", thinking=shown)
    assert model.thinking_display == "summarized"
    assert request_of(model=model)["thinking"] == shown


@pytest.mark.parametrize(
    "given",
    [
        {"thinking": {"type": "between_tools"}},
        {"thinking": {"type": "adaptive", "budget_tokens": 9}},
        {"thinking": "adaptive"},
        {"thinking": {"type": "disabled"}, "effort": "high"},
        {"temprature": 1},
    ],
    ids=str,
)
def test_what_contradicts_itself_or_is_not_known_is_an_error(given: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        ChatAnthropic(model="claude-opus-5", **given)


@pytest.mark.parametrize("name", ["temperature", "top_k"])
def test_sampling_gives_way_to_reasoning(name: str) -> None:
    value = {"temperature": 0.5, "top_k": 3}[name]
    asked = {name: value, "reasoning_effort": 1024, "max_tokens": 2000}
    assert name not in request_of(**asked)
    assert adapted(**asked)[name] is None
    assert request_of(**{**asked, "reasoning_effort": "none"})[name] == value


def test_top_p_keeps_to_what_a_reasoning_model_takes() -> None:
    asked = {"reasoning_effort": 1024, "max_tokens": 2000}
    assert request_of(**asked, top_p=0.5)["top_p"] == 0.95
    assert request_of(**asked, top_p=0.97)["top_p"] == 0.97


def test_temperature_goes_before_top_p_where_both_are_too_much() -> None:
    assert "top_p" not in request_of(temperature=0.5, top_p=0.5)
    assert adapted(temperature=0.5, top_p=0.5) == {"top_p": None}


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_newer_models_take_no_sampling_parameters(name: str) -> None:
    model = ChatAnthropic(model="claude-opus-5", max_tokens=9, **{name: 1})
    assert name not in request_of(model=model)
    assert adapted(model=model) == {name: None}
    strict = model.model_copy(update={"on_unsupported": "raise"})
    with pytest.raises(UnsupportedParameterError, match=name):
        strict.invoke("hi")


LOOK = {"name": "look", "input_schema": {"type": "object"}}


def test_a_forced_tool_gives_way_to_reasoning() -> None:
    model = ChatAnthropic(model="claude-haiku-4-5", reasoning_effort=1024, max_tokens=2000)
    forced = model.bind_tools([LOOK], tool_choice="any")
    assert request_of(model=forced)["tool_choice"] == {"type": "auto"}
    assert adapted(model=forced)["tool_choice"] == "auto"
    quiet = ChatAnthropic(model="claude-haiku-4-5").bind_tools([LOOK], tool_choice="any")
    assert request_of(model=quiet)["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize(
    ("params", "must"),
    [
        ({"max_tokens": 21_333}, False), ({"max_tokens": 21_334}, True), ({}, False),
        ({"max_tokens": 8193, "model": "claude-opus-4-20250514"}, True),
        ({"max_tokens": 8193, "model": "anthropic.claude-opus-4-1-20250805-v1:0"}, True),
        ({"max_tokens": 8193, "model": "claude-opus-4-5"}, False),
    ],
)  # fmt: skip
def test_the_guard_is_the_sdks(params: dict[str, Any], must: bool) -> None:
    from anthropic._base_client import BaseClient
    from anthropic._constants import MODEL_NONSTREAMING_TOKENS

    assert must_stream(params) is must
    limit = MODEL_NONSTREAMING_TOKENS.get(params.get("model", ""))
    asked = params.get("max_tokens", 0)
    guard: Any = BaseClient._calculate_nonstreaming_timeout
    if must:
        with pytest.raises(ValueError, match="Streaming is required"):
            guard(None, asked, limit)
    else:
        guard(None, asked, limit)


# What must come out of the matrix, written down by hand.
MATRIX = {
    "claude-haiku-4-5": {
        "temperature": "clamped", "top_p": "sent", "seed": "left out", "n": "left out",
        "reasoning_effort": "translated", "tool_choice": "sent", "json_schema": "sent",
        "developer message": "translated", "image by URL": "sent", "pdf": "sent",
        "audio": "refused", "video": "refused",
    },
    "claude-opus-5-5": {
        "temperature": "left out", "top_p": "left out", "reasoning_effort": "renamed",
        "tool_choice": "translated", "max_tokens": "sent", "stop": "sent",
    },
    "not-known": {
        "temperature": "clamped", "top_p": "unknown", "reasoning_effort": "renamed",
        "tool_choice": "unknown", "image": "unknown", "audio": "refused",
    },
}  # fmt: skip


@pytest.mark.parametrize("model", MATRIX)
def test_the_matrix_says_what_the_vendor_says(model: str) -> None:
    rows = {row.parameter: row.outcome for row in parameter_matrix(ChatAnthropic(model=model))}
    assert {name: rows[name] for name in MATRIX[model]} == MATRIX[model]
