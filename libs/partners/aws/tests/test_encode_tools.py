"""Tools, schemas, reasoning, caches and guardrails in Converse requests."""

from __future__ import annotations

from typing import Any

import pytest
from converse_writing import (
    CALL,
    CLAUDE,
    LLAMA,
    NOVA,
    OWN,
    PNG,
    SPEC,
    TOOL,
    content,
    document,
    noted,
    written,
)

from headrace.chat_models import ResponseFormat
from headrace.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from headrace_aws import ChatBedrockConverse
from headrace_aws.families import FAMILIES, UNKNOWN, Family, family_of

# Tools


def test_tools_and_their_choice() -> None:
    body = written(tools=(TOOL,), choice="add")
    assert body["toolConfig"] == {"tools": [SPEC], "toolChoice": {"tool": {"name": "add"}}}


@pytest.mark.parametrize(("choice", "kind"), [("auto", {"auto": {}}), ("any", {"any": {}})])
def test_choices_by_word(choice: str, kind: Any) -> None:
    assert written(tools=(TOOL,), choice=choice)["toolConfig"]["toolChoice"] == kind


def test_no_tools_are_sent_where_none_may_be_called() -> None:
    body = written(tools=(TOOL,), choice="none")
    assert "toolConfig" not in body
    assert noted(body) == [("tool_choice", "translated")]


def test_a_subset_is_chosen_by_leaving_the_others_out() -> None:
    other = {**TOOL, "name": "sub"}
    body = written(tools=(TOOL, other), choice=("add",))
    assert body["toolConfig"] == {"tools": [SPEC], "toolChoice": {"any": {}}}


def test_mistral_is_made_to_call_one_tool_by_having_that_alone() -> None:
    other = {**TOOL, "name": "sub"}
    body = written(tools=(TOOL, other), choice="add", family=family_of("mistral.x"))
    assert body["toolConfig"] == {"tools": [SPEC], "toolChoice": {"any": {}}}


def test_llama_chooses_itself() -> None:
    body = written(tools=(TOOL,), choice="any", family=LLAMA)
    assert body["toolConfig"] == {"tools": [SPEC]}
    assert noted(body) == [("tool_choice", "left out")]


def test_a_strict_tool_has_a_closed_schema() -> None:
    spec = written(tools=({**TOOL, "strict": True},))["toolConfig"]["tools"][0]["toolSpec"]
    assert spec["strict"] is True
    assert spec["inputSchema"]["json"]["additionalProperties"] is False


def test_names_of_tools_are_mangled_in_tools_choice_and_history() -> None:
    tool = {**TOOL, "name": "files.read"}
    call = AIMessage("", tool_calls=[{**CALL, "name": "files.read"}])
    body = written("hi", call, ToolMessage("3", "call_1"), tools=(tool,), choice="files.read")
    assert body["toolConfig"]["tools"][0]["toolSpec"]["name"] == "files_read"
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "files_read"}}
    assert body["messages"][1]["content"][0]["toolUse"]["name"] == "files_read"


def test_a_history_of_calls_brings_its_tools_where_none_are_bound() -> None:
    body = written("hi", AIMessage("", tool_calls=[CALL]), ToolMessage("3", "call_1"))
    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["add"]
    assert noted(body) == [("tool add", "added")]


def test_results_of_parallel_calls_are_one_message() -> None:
    calls = [CALL, {**CALL, "id": "call_2"}]
    body = written(
        "hi", AIMessage("", tool_calls=calls), ToolMessage("3", "call_1"),
        ToolMessage("bad", "call_2", status="error"), "and?", tools=(TOOL,),
    )  # fmt: skip
    assert body["messages"][-1]["content"] == [
        {"toolResult": {"toolUseId": "call_1", "content": [{"text": "3"}]}},
        {"toolResult": {"toolUseId": "call_2", "content": [{"text": "bad"}], "status": "error"}},
        {"text": "and?"},
    ]


def test_an_empty_result_says_so() -> None:
    last = content("hi", AIMessage("", tool_calls=[CALL]), ToolMessage("", "call_1"))
    assert last[0]["toolResult"]["content"] == [{"text": "(no output)"}]


IMAGE = {"type": "image", "base64": PNG, "mime_type": "image/png"}


def test_an_image_in_a_result_stays_there() -> None:
    result = ToolMessage([IMAGE], "call_1")
    last = content("hi", AIMessage("", tool_calls=[CALL]), result)
    assert "image" in last[0]["toolResult"]["content"][0]


def test_an_image_stands_beside_the_result_where_the_model_wants_that() -> None:
    result = ToolMessage([IMAGE], "call_1")
    facts = {"image_tool_message": False}
    body = written("hi", AIMessage("", tool_calls=[CALL]), result, tools=(TOOL,), profile=facts)
    last = body["messages"][-1]["content"]
    assert [next(iter(part)) for part in last] == ["toolResult", "image"]
    assert noted(body) == [("tool result", "translated")]


@pytest.mark.parametrize("id", ["call|with|bars", "x" * 90])
def test_ids_that_are_not_taken_are_rewritten_alike_in_call_and_result(id: str) -> None:
    call = AIMessage("", tool_calls=[{**CALL, "id": id}])
    body = written("hi", call, ToolMessage("3", id))
    asked = body["messages"][1]["content"][0]["toolUse"]["toolUseId"]
    assert asked == body["messages"][2]["content"][0]["toolResult"]["toolUseId"]
    assert asked != id
    assert len(asked) <= 64


def test_calls_without_ids_are_paired_in_order() -> None:
    call = AIMessage("", tool_calls=[{**CALL, "id": None}])
    body = written("hi", call, ToolMessage("3", ""))
    asked = body["messages"][1]["content"][0]["toolUse"]["toolUseId"]
    assert asked == body["messages"][2]["content"][0]["toolResult"]["toolUseId"]


def test_a_tool_of_the_service_is_named() -> None:
    body = written(tools=({"type": "system_tool", "name": "nova_grounding"},), family=NOVA)
    assert body["toolConfig"]["tools"] == [{"systemTool": {"name": "nova_grounding"}}]


# Structured output


def test_a_schema_is_sent_as_text() -> None:
    form = ResponseFormat("City", {"type": "object", "description": "A city."})
    wanted = written(form=form)["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert wanted == {
        "name": "City",
        "schema": '{"type":"object","description":"A city."}',
        "description": "A city.",
    }


# Reasoning


@pytest.mark.parametrize(
    ("model", "effort", "adaptive", "sent"),
    [
        ("anthropic.c", "high", True,
         {"additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
          "outputConfig": {"effort": "high"}}),
        ("anthropic.c", True, True,
         {"additionalModelRequestFields": {"thinking": {"type": "adaptive"}}}),
        ("anthropic.c", 2048, True,
         {"additionalModelRequestFields": {
             "thinking": {"type": "enabled", "budget_tokens": 2048}}}),
        ("anthropic.c", "low", False,
         {"additionalModelRequestFields": {
             "thinking": {"type": "enabled", "budget_tokens": 1024}}}),
        ("anthropic.c", False, True,
         {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}),
        ("amazon.nova-2-lite-v1:0", "low", True,
         {"additionalModelRequestFields": {
             "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}}),
        ("amazon.nova-2-lite-v1:0", "none", True,
         {"additionalModelRequestFields": {"reasoningConfig": {"type": "disabled"}}}),
        ("openai.gpt-oss-120b-1:0", "high", True,
         {"additionalModelRequestFields": {"reasoning_effort": "high"}}),
        ("qwen.qwen3-32b-v1:0", "high", True,
         {"additionalModelRequestFields": {"reasoning_config": "high"}}),
        ("deepseek.r1-v1:0", "high", True, {}),
    ],
)  # fmt: skip
def test_effort_is_spelled_as_the_maker_of_the_model_spells_it(
    model: str, effort: Any, adaptive: bool, sent: Any
) -> None:
    facts = {"reasoning_adaptive": adaptive}
    body = written(family=family_of(model), reasoning_effort=effort, profile=facts)
    keys = ("additionalModelRequestFields", "outputConfig")
    assert {key: body[key] for key in keys if key in body} == sent


THOUGHT = {"type": "reasoning", "reasoning": "Hm.", "extras": {"signature": "sig"}}


def test_signed_reasoning_goes_back_as_it_came() -> None:
    hidden = {"type": "reasoning", "reasoning": "", "extras": {"redactedContent": "AAAA"}}
    answer = AIMessage([THOUGHT, hidden, {"type": "text", "text": "4"}], response_metadata=OWN)
    assert written("hi", answer, "ho")["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "AAAA"}},
        {"text": "4"},
    ]


@pytest.mark.parametrize(
    ("block", "about", "family"),
    [
        (THOUGHT, {"model_provider": "anthropic"}, CLAUDE),
        (THOUGHT, {}, CLAUDE),
        (THOUGHT, OWN, NOVA),
        ({"type": "reasoning", "reasoning": "Hm."}, OWN, CLAUDE),
    ],
)
def test_other_reasoning_is_left_out_with_a_record(block: Any, about: Any, family: Family) -> None:
    answer = AIMessage([block, {"type": "text", "text": "4"}], response_metadata=about)
    body = written("hi", answer, "ho", family=family)
    assert body["messages"][1]["content"] == [{"text": "4"}]
    assert noted(body) == [("reasoning", "left out")]


def test_citations_go_back_as_they_came_and_to_others_not() -> None:
    location = {"documentChar": {"documentIndex": 0, "start": 0, "end": 9}}
    note = {"type": "citation", "title": "doc", "cited_text": "the source",
            "extras": {"location": location}}  # fmt: skip
    block = {"type": "text", "text": "so", "annotations": [note]}
    source = {"title": "doc", "sourceContent": [{"text": "the source"}], "location": location}
    own = written("hi", AIMessage([block], response_metadata=OWN), "ho")
    cited = {"content": [{"text": "so"}], "citations": [source]}
    assert own["messages"][1]["content"] == [{"citationsContent": cited}]
    other = written("hi", AIMessage([block]), "ho")
    assert other["messages"][1]["content"] == [{"text": "so"}]


def test_server_tools_of_others_are_left_out() -> None:
    call = {"type": "server_tool_call", "name": "web_search", "args": {}, "id": "s1"}
    result = {"type": "server_tool_result", "tool_call_id": "s1", "status": "success"}
    body = written("hi", AIMessage([call, result, "done"]), "ho")
    assert body["messages"][1]["content"] == [{"text": "done"}]
    assert [name for name, _ in noted(body)] == ["server_tool_call", "server_tool_result"]


# Cache points and guardrails


MARKED: dict[str, Any] = {
    "type": "text",
    "text": "a",
    "extras": {"cache_control": {"type": "ephemeral"}},
}
POINT = {"cachePoint": {"type": "default"}}


def test_a_marker_puts_a_cache_point_behind_its_block() -> None:
    assert content([MARKED, "b"]) == [{"text": "a"}, POINT, {"text": "b"}]


def test_a_marker_says_how_long_the_cache_lives() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert content([{**MARKED, "extras": mark}])[-1] == {
        "cachePoint": {"type": "default", "ttl": "1h"}
    }


def test_nova_is_not_told_how_long_its_cache_lives() -> None:
    body = written([{**MARKED, "extras": {"cache_control": {"ttl": "1h"}}}], family=NOVA)
    assert body["messages"][0]["content"] == [{"text": "a"}, POINT]
    assert noted(body) == [("ttl", "left out")]


def test_a_cache_point_stands_before_the_documents_at_the_end() -> None:
    marked = document(filename="a.pdf", extras={"cache_control": {"type": "ephemeral"}})
    assert [next(iter(part)) for part in content(["Read:", marked])] == [
        "text", "cachePoint", "document",
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_models_without_caches_get_no_cache_points() -> None:
    model = ChatBedrockConverse(model="meta.llama3-1-8b-instruct-v1:0", cache_prompt=True)
    report = model.bind_tools([{**TOOL, **MARKED["extras"]}]).preflight([HumanMessage([MARKED])])
    assert report.errors == ()
    assert "cachePoint" not in str(report.request)
    assert [(record["name"], record["action"]) for record in report.adapted] == [
        ("cache_prompt", "left out"), ("cache_control", "left out"),
    ]  # fmt: skip


def test_cache_prompt_marks_tools_instructions_and_the_last_message() -> None:
    body = written(SystemMessage("s"), "a", AIMessage("b"), "c", tools=(TOOL,), cache_prompt=True)
    assert body["toolConfig"]["tools"][-1] == POINT
    assert body["system"][-1] == POINT
    assert [POINT in message["content"] for message in body["messages"]] == [False, False, True]


def test_cache_prompt_leaves_out_places_that_the_model_does_not_cache() -> None:
    body = written(SystemMessage("s"), "a", tools=(TOOL,), cache_prompt=True, family=NOVA)
    assert POINT not in body["toolConfig"]["tools"]
    assert body["system"][-1] == POINT


def test_a_block_may_be_shown_to_the_guardrail() -> None:
    block = {"type": "text", "text": "a", "extras": {"guard": ["query"]}}
    guarded = {"guardContent": {"text": {"text": "a", "qualifiers": ["query"]}}}
    assert content([block]) == [guarded]


def test_blocks_of_converse_itself_pass_as_they_are() -> None:
    guard = {"guardContent": {"text": {"text": "a"}}}
    found = {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}}
    assert content([guard, found, POINT]) == [guard, found, POINT]


def test_the_mode_of_streams_is_for_streams_alone() -> None:
    config = {"guardrailIdentifier": "g", "guardrailVersion": "1", "streamProcessingMode": "async"}
    assert written(guardrail_config=config, stream=True)["guardrailConfig"] == config
    assert "streamProcessingMode" not in written(guardrail_config=config)["guardrailConfig"]


def test_the_last_message_alone_is_guarded() -> None:
    body = written("a", AIMessage("b"), "c", guard_last_turn_only=True)
    assert body["messages"][0]["content"] == [{"text": "a"}]
    assert body["messages"][2]["content"] == [{"guardContent": {"text": {"text": "c"}}}]


# Families


@pytest.mark.parametrize(
    ("model", "id"),
    [
        ("us.anthropic.claude-sonnet-5", "claude"),
        ("global.anthropic.claude-fable-5", "claude"),
        ("us-gov.anthropic.claude-3", "claude"),
        ("amazon.nova-pro-v1:0", "nova"),
        ("arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-3-70b-instruct-v1:0", "llama"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.mistral.x", "mistral"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123", "unknown"),
        ("nobody.model", "unknown"),
        ("m", "unknown"),
    ],
)
def test_the_family_follows_from_the_maker_in_an_id(model: str, id: str) -> None:
    assert family_of(model).id == id


def test_no_maker_stands_in_two_families() -> None:
    makers = [maker for family in FAMILIES for maker in family.makers]
    assert len(makers) == len(set(makers))
    assert UNKNOWN not in FAMILIES
