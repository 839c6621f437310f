"""Every constructor parameter of ChatBedrockConverse reaches the wire, or has its effect."""

from __future__ import annotations

from typing import Any

import pytest
from covering import untested

from headrace.errors import InputError
from headrace.testing.loopback import LoopbackServer
from headrace.testing.scripted import ScriptedChatModel
from headrace_aws import ChatBedrock, ChatBedrockConverse
from headrace_aws.loopback import ConverseWire

GUARD = {"guardrailIdentifier": "g1", "guardrailVersion": "1", "trace": "enabled"}
FIELDS = "additionalModelRequestFields"
# Parameter, what is given, and what stands under which key of the body.
WIRE: list[tuple[str, Any, str, Any]] = [
    ("temperature", 0.5, "inferenceConfig", {"temperature": 0.5}),
    ("max_tokens", 100, "inferenceConfig", {"maxTokens": 100}),
    ("max_completion_tokens", 100, "inferenceConfig", {"maxTokens": 100}),
    ("top_p", 0.9, "inferenceConfig", {"topP": 0.9}),
    ("stop", ["|"], "inferenceConfig", {"stopSequences": ["|"]}),
    ("stop_sequences", ["|"], "inferenceConfig", {"stopSequences": ["|"]}),
    ("top_k", 20, FIELDS, {"inferenceConfig": {"topK": 20}}),
    ("reasoning_effort", "low", FIELDS,
     {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
    ("thinking", {"type": "disabled"}, FIELDS, {"reasoningConfig": {"type": "disabled"}}),
    ("system", "Be brief.", "system", [{"text": "Be brief."}]),
    ("system", [{"type": "text", "text": "Be brief."}], "system", [{"text": "Be brief."}]),
    ("cache_prompt", True, "messages",
     [{"role": "user", "content": [{"text": "hi"}, {"cachePoint": {"type": "default"}}]}]),
    ("guardrail_config", GUARD, "guardrailConfig", GUARD),
    ("guardrails", GUARD, "guardrailConfig", GUARD),
    ("guard_last_turn_only", True, "messages",
     [{"role": "user", "content": [{"guardContent": {"text": {"text": "hi"}}}]}]),
    ("performance_config", {"latency": "optimized"}, "performanceConfig",
     {"latency": "optimized"}),
    ("service_tier", "flex", "serviceTier", {"type": "flex"}),
    ("request_metadata", {"team": "a"}, "requestMetadata", {"team": "a"}),
    ("project_identifier", "p1", "projectIdentifier", "p1"),
    ("prompt_variables", {"x": "1"}, "promptVariables", {"x": {"text": "1"}}),
    ("additional_model_request_fields", {"a": 1}, FIELDS, {"a": 1}),
    ("additional_model_response_field_paths", ["/a"], "additionalModelResponseFieldPaths",
     ["/a"]),
    ("model_kwargs", {"requestMetadata": {"b": "c"}}, "requestMetadata", {"b": "c"}),
    ("extra_body", {"brandNew": {"x": 1}}, "brandNew", {"x": 1}),
]  # fmt: skip


def asked(stream: bool = False, **params: Any) -> tuple[Any, Any]:
    """What the server received, and the answer's metadata."""
    given = {"model": "us.amazon.nova-2-lite-v1:0", "region_name": "us-east-1", "api_key": "k"}
    with LoopbackServer(ScriptedChatModel(["Hello."]), ConverseWire()) as server:
        model = ChatBedrockConverse(**{**given, "base_url": server.base_url, **params})
        answer: Any = list(model.stream("hi"))[-1] if stream else model.invoke("hi")
        return server.received[-1], answer.response_metadata


@pytest.mark.parametrize(("name", "value", "key", "sent"), WIRE, ids=[row[0] for row in WIRE])
def test_a_parameter_reaches_the_wire(name: str, value: Any, key: str, sent: Any) -> None:
    assert asked(**{name: value})[0].body[key] == sent


def test_no_parameter_is_without_a_test() -> None:
    account = "libs/partners/aws/tests/test_credentials.py"
    chat = "libs/partners/aws/tests/test_chat.py"
    held: dict[Any, list[str]] = {
        test_the_base_model_says_what_an_arn_is: ["base_model"],
        account: ["region_name", "aws_access_key_id", "aws_secret_access_key"],
        f"{account}::test_a_session_token_goes_along": ["aws_session_token"],
        f"{account}::test_what_is_given_goes_before_the_environment": ["profile_name"],
        f"{account}::test_a_session_of_the_callers_own_signs": ["session"],
        f"{chat}::test_boto3_tries_once_and_keeps_connections": ["max_pool_connections"],
        f"{chat}::test_a_proxy_and_a_config_of_the_callers_own_reach_boto3": ["config"],
    }
    assert untested(ChatBedrockConverse, [row[0] for row in WIRE], held) == set()


def test_the_model_stands_in_the_path_and_not_in_the_body() -> None:
    received, about = asked(model="us.amazon.nova-2-lite-v1:0")
    assert received.path == "/model/us.amazon.nova-2-lite-v1%3A0/converse"
    assert received.body == {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
    assert about["model_name"] == "us.amazon.nova-2-lite-v1:0"


def test_a_stream_goes_to_its_own_path() -> None:
    received, _ = asked(stream=True)
    assert received.path.endswith("/converse-stream")


def test_headers_are_added_and_say_that_it_is_headrace() -> None:
    received, _ = asked(default_headers={"x-team": "a"})
    assert received.headers["x-team"] == "a"
    assert "headrace/" in received.headers["user-agent"]


def test_an_endpoint_is_taken_for_its_base() -> None:
    url = "https://gateway.example/bedrock/model/m/converse-stream"
    model = ChatBedrockConverse(model="m", base_url=url, region_name="r", api_key="k")
    assert model._account().url == "https://gateway.example/bedrock"


def test_the_base_model_says_what_an_arn_is() -> None:
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"
    model = ChatBedrockConverse(model=arn, base_model_id="amazon.nova-2-lite-v1:0")
    assert model.profile["reasoning_effort_levels"] == ["low", "medium", "high"]
    assert model.profile["cost"]["input"] == 0.33
    received, _ = asked(model=arn, base_model="amazon.nova-2-lite-v1:0", top_k=3)
    assert received.body[FIELDS] == {"inferenceConfig": {"topK": 3}}
    assert "application-inference-profile" in received.path


def test_an_arn_alone_is_asked_without_a_warning_and_without_facts() -> None:
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"
    model = ChatBedrockConverse(model=arn)
    assert dict(model.profile) == {}


def test_a_region_before_the_name_keeps_the_facts() -> None:
    model = ChatBedrockConverse(model="apac.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert model.profile["max_output_tokens"] == 64_000


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_temperature_is_brought_to_what_converse_takes() -> None:
    received, about = asked(temperature=1.5)
    assert received.body["inferenceConfig"] == {"temperature": 1.0}
    assert about["adapted"][0]["action"] == "clamped"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_effort_of_high_leaves_no_room_for_other_numbers_at_nova() -> None:
    received, about = asked(reasoning_effort="high", temperature=0.5, max_tokens=100)
    assert "inferenceConfig" not in received.body
    assert {record["name"] for record in about["adapted"]} >= {"temperature", "max_tokens"}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "model",
    [
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "eu.anthropic.claude-sonnet-4-20250514-v1:0",
    ],
)
def test_a_level_is_a_budget_for_older_claude_and_makes_room(model: str) -> None:
    received, _ = asked(
        model=model, reasoning_effort="low",
        max_tokens=500,
    )  # fmt: skip
    assert received.body[FIELDS] == {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    assert received.body["inferenceConfig"] == {"maxTokens": 1524}


def test_newer_claude_thinks_as_it_sees_fit() -> None:
    received, _ = asked(model="us.anthropic.claude-sonnet-5", reasoning_effort="high")
    assert received.body[FIELDS] == {"thinking": {"type": "adaptive"}}
    assert received.body["outputConfig"] == {"effort": "high"}


def test_a_thinking_that_says_more_is_an_error() -> None:
    with pytest.raises(InputError, match="says more than an effort"):
        ChatBedrockConverse(model="m", thinking={"type": "adaptive", "display": "summarized"})


def test_an_unknown_parameter_names_the_nearest() -> None:
    with pytest.raises(InputError, match="guardrail_config"):
        ChatBedrockConverse(model="m", guardrail_confg={})


def test_both_names_are_one_class() -> None:
    assert ChatBedrock is ChatBedrockConverse
