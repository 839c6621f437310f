"""The Responses API: when it is chosen, what is sent, and what goes back in a history."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from covering import untested
from recorded import FOLDER, REPLAY, load_cases

from headrace.chat_models import Notes, Settings, Timeout, Watch
from headrace.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from headrace_openai import AzureChatOpenAI, ChatAzureAI, ChatOpenAI
from headrace_openai.responses import decode_response, encode
from headrace_openai.responses.items import server_blocks, server_item

WHOLE = {"id": "resp_1", "object": "response", "status": "completed", "model": "m", "output": []}
CHAT = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}


class Sent:
    """What the SDK sent; the API that is asked answers in its form."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.bodies: list[Any] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.paths.append(request.url.path)
        self.bodies.append(json.loads(request.content))
        return httpx2.Response(200, json=WHOLE if request.url.path.endswith("responses") else CHAT)


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def model_of(sent: Sent) -> Callable[..., Any]:
    def make(**given: Any) -> Any:
        client = httpx2.Client(transport=httpx2.MockTransport(sent))
        return ChatOpenAI(**{"model": "gpt-5.4", "api_key": "k", **given}, http_client=client)

    return make


WEB = {"type": "web_search"}


@pytest.mark.parametrize(
    ("given", "bound"),
    [
        ({"use_responses_api": True}, {}),
        ({"model": "o3-pro"}, {}),
        ({}, {"tools": [WEB]}),
        ({}, {"tools": [{"type": "mcp", "server_label": "s", "server_url": "https://x"}]}),
        ({"include": ["web_search_call.results"]}, {}),
        ({"truncation": "auto"}, {}),
        ({"previous_response_id": "resp_0"}, {}),
        ({"conversation": "conv_1"}, {}),
        ({"reasoning_summary": "auto"}, {}),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, {}),
        ({"background": True}, {}),
        ({"max_tool_calls": 3}, {}),
        ({"prompt": {"id": "pmpt_1"}}, {}),
        ({"context_management": [{"type": "compaction"}]}, {}),
        ({}, {"include": ["web_search_call.results"]}),
    ],
    ids=str,
)
def test_it_is_chosen_where_it_is_needed(
    sent: Sent, model_of: Any, given: dict[str, Any], bound: dict[str, Any]
) -> None:
    model_of(**given).bind(**bound).invoke("hi")
    assert sent.paths == ["/v1/responses"]


@pytest.mark.parametrize(
    ("given", "tools"),
    [
        ({}, []),
        ({}, [{"name": "f", "description": "F.", "parameters": {"type": "object"}}]),
        ({"use_responses_api": False}, [WEB]),
        ({"base_url": "https://example.com/v1"}, [WEB]),
    ],
    ids=str,
)
def test_it_is_not_chosen_where_it_is_not(
    sent: Sent, model_of: Any, given: dict[str, Any], tools: list[Any]
) -> None:
    model_of(**given).bind_tools(tools).invoke("hi")
    assert sent.paths == ["/v1/chat/completions"]


PARAMETERS: list[tuple[str, Any, dict[str, Any]]] = [
    ("max_tokens", 9, {"max_output_tokens": 9}),
    ("top_logprobs", 2, {"top_logprobs": 2, "include": ["message.output_text.logprobs"]}),
    ("logprobs", True, {"include": ["message.output_text.logprobs"]}),
    ("temperature", 0.5, {"temperature": 0.5}),
    ("top_p", 0.5, {"top_p": 0.5}),
    ("reasoning_summary", "auto", {"reasoning": {"summary": "auto"}}),
    ("verbosity", "low", {"text": {"verbosity": "low"}}),
    ("service_tier", "flex", {"service_tier": "flex"}),
    ("store", True, {"store": True}),
    ("user", "u", {"user": "u"}),
    ("safety_identifier", "s", {"safety_identifier": "s"}),
    ("prompt_cache_key", "k", {"prompt_cache_key": "k"}),
    ("prompt_cache_retention", "24h", {"prompt_cache_retention": "24h"}),
    ("prompt_cache_options", {"mode": "explicit"}, {"prompt_cache_options": {"mode": "explicit"}}),
    ("include", ("a.b",), {"include": ["a.b"]}),
    ("truncation", "auto", {"truncation": "auto"}),
    ("previous_response_id", "resp_0", {"previous_response_id": "resp_0"}),
    ("conversation", "conv_1", {"conversation": "conv_1"}),
    (
        "context_management",
        ({"type": "compaction"},),
        {"context_management": [{"type": "compaction"}]},
    ),
    ("background", True, {"background": True}),
    ("max_tool_calls", 3, {"max_tool_calls": 3}),
    ("prompt", {"id": "p"}, {"prompt": {"id": "p"}}),
    ("moderation", {"mode": "x"}, {"moderation": {"mode": "x"}}),
    ("extra_body", {"custom": 1}, {"custom": 1}),
]


@pytest.mark.parametrize(("name", "value", "wire"), PARAMETERS, ids=[row[0] for row in PARAMETERS])
def test_every_parameter_reaches_the_wire(
    sent: Sent, model_of: Any, name: str, value: Any, wire: dict[str, Any]
) -> None:
    model_of(use_responses_api=True, model="gpt-4.1", **{name: value}).invoke("hi")
    body = sent.bodies[-1]
    assert {key: body[key] for key in wire} == wire


def test_no_parameter_is_without_a_test() -> None:
    here = "libs/partners/openai/tests"
    chat = f"{here}/test_encode_request.py"
    held: dict[Any, list[str]] = {
        test_it_is_chosen_where_it_is_needed: ["use_responses_api"],
        test_only_what_follows_the_last_stored_answer_is_sent: ["use_previous_response_id"],
        f"{chat}::test_each_parameter_is_in_the_body": [
            "seed", "n", "logit_bias", "frequency_penalty", "presence_penalty", "prediction",
            "modalities", "audio", "web_search_options", "reasoning_effort",
        ],
        f"{chat}::test_stop_words_are_a_list": ["stop"],
        f"{chat}::test_parallel_calls_are_a_word_about_tools": ["parallel_tool_calls"],
        f"{chat}::test_a_stream_does_not_ask_where_it_must_not": ["stream_usage"],
        f"{chat}::test_stream_options_of_the_caller_stand": ["stream_options"],
        f"{here}/test_chat.py::model_at": ["http_client", "http_async_client"],
        "tests/test_aiohttp.py": ["async_transport"],
        f"{here}/test_chat.py::test_the_request_is_the_sdks_own_with_our_body": [
            "default_query", "organization", "project",
        ],
        f"{here}/test_chat.py::test_what_belongs_to_openai_is_not_told_to_others": ["dialect"],
    }  # fmt: skip
    rows = [row[0] for row in PARAMETERS]
    assert untested(ChatOpenAI, rows, held) == set()
    azure = f"{here}/test_azure.py"
    held |= {
        azure: ["azure_ad_token"],
        f"{azure}::test_a_token_provider_is_asked_for_each_request": ["azure_ad_token_provider"],
        f"{azure}::test_each_world_has_its_token_provider": ["azure_ad_async_token_provider"],
    }
    assert untested(ChatAzureAI, rows, held) == set()
    held |= {
        f"{azure}::test_a_dated_version_goes_to_the_deployment": [
            "api_version", "azure_deployment",
        ],
        f"{azure}::test_the_model_of_a_deployment_decides_the_profile": [
            "model_of_azure_deployment",
        ],
    }  # fmt: skip
    assert untested(AzureChatOpenAI, rows, held) == set()


@pytest.mark.parametrize("name", ["stop", "seed", "n", "frequency_penalty", "logit_bias"])
def test_what_the_api_lacks_is_left_out_and_recorded(sent: Sent, model_of: Any, name: str) -> None:
    value: Any = {"stop": ["END"], "logit_bias": {"1": 1}}.get(name, 1)
    with pytest.warns(UserWarning, match=name):
        answer = model_of(use_responses_api=True, model=f"gpt-4.1-{name}", **{name: value}).invoke(
            "hi"
        )
    assert name not in sent.bodies[-1]
    assert answer.response_metadata["adapted"][0]["action"] == "left out"


def test_nothing_is_stored_unless_it_is_asked_for(sent: Sent, model_of: Any) -> None:
    model_of(use_responses_api=True).invoke("hi")
    assert sent.bodies[-1]["store"] is False
    assert sent.bodies[-1]["include"] == ["reasoning.encrypted_content"]
    model_of(previous_response_id="resp_0").invoke("hi")
    assert "store" not in sent.bodies[-1]


def body_of(messages: list[BaseMessage], **params: Any) -> dict[str, Any]:
    return encode(messages, Settings({"model": "m", **params}, Watch(Timeout())))


def test_only_what_follows_the_last_stored_answer_is_sent() -> None:
    ours = {"model_provider": "openai"}
    talk = [
        SystemMessage("Be brief."),
        HumanMessage("one"),
        AIMessage("1", id="resp_7", response_metadata=ours),
        HumanMessage("two"),
    ]
    body = body_of(talk, use_previous_response_id=True)
    assert body["previous_response_id"] == "resp_7"
    assert body["input"] == [{"role": "user", "content": "two"}]


REASONED = {
    "id": "resp_2",
    "status": "completed",
    "model": "gpt-5",
    "output": [
        {
            "type": "reasoning",
            "id": "rs_1",
            "encrypted_content": "secret",
            "summary": [
                {"type": "summary_text", "text": "First."},
                {"type": "summary_text", "text": "Then."},
            ],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "id": "rs_2", "encrypted_content": "more", "summary": []},
        {"type": "function_call", "id": "fc_2", "call_id": "c2", "name": "g", "arguments": "{}"},
    ],
}


def test_reasoning_and_calls_go_back_in_their_order() -> None:
    message = decode_response(REASONED)
    assert [call["id"] for call in message.tool_calls] == ["c1", "c2"]
    talk = [HumanMessage("hi"), message, ToolMessage("1", "c1"), ToolMessage("2", "c2")]
    items = body_of(talk)["input"]
    kinds = [item.get("type", item.get("role")) for item in items]
    assert kinds == [
        "user",
        "reasoning",
        "function_call",
        "reasoning",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert items[1] == {
        "type": "reasoning",
        "id": "rs_1",
        "encrypted_content": "secret",
        "summary": REASONED["output"][0]["summary"],
    }


def test_reasoning_of_another_service_is_left_out_and_recorded() -> None:
    message = decode_response(REASONED, provider="azure_openai")
    notes = Notes()
    settings = Settings({"model": "m"}, Watch(Timeout()), notes=notes)
    body = encode([HumanMessage("hi"), message], settings)
    assert "secret" not in json.dumps(body)
    assert {record["name"] for record in notes.records} == {"reasoning"}


CALLS: list[dict[str, Any]] = [
    {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    },
    {
        "type": "file_search_call",
        "id": "fs_1",
        "status": "completed",
        "queries": ["q"],
        "results": [{"text": "t"}],
    },
    {
        "type": "code_interpreter_call",
        "id": "ci_1",
        "status": "completed",
        "code": "1",
        "container_id": "c",
        "outputs": [{"type": "logs", "logs": "1"}],
    },
    {
        "type": "mcp_call",
        "id": "mcp_1",
        "status": "completed",
        "server_label": "s",
        "name": "n",
        "arguments": "{}",
        "output": "o",
    },
    {
        "type": "shell_call",
        "id": "sh_1",
        "call_id": "c1",
        "status": "completed",
        "action": {"commands": ["ls"]},
    },
]


@pytest.mark.parametrize("item", CALLS, ids=[item["type"] for item in CALLS])
def test_a_call_of_a_server_side_tool_goes_back_as_it_came(item: dict[str, Any]) -> None:
    call, *rest = server_blocks(item, "0")
    assert call["type"] == "server_tool_call"
    assert server_item(call, rest[0] if rest else None) == item


def test_a_made_image_is_an_image_and_goes_back() -> None:
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "aGk="}
    message = decode_response({**WHOLE, "output": [item]})
    assert message.content_blocks[-1]["type"] == "image"
    assert body_of([HumanMessage("draw"), message])["input"][1] == item


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (
            {"type": "shell_call", "id": "i", "call_id": "c1", "action": {"commands": ["ls"]}},
            {"type": "shell_call_output", "call_id": "c1", "output": "done"},
        ),
        (
            {
                "type": "apply_patch_call",
                "id": "i",
                "call_id": "c1",
                "operation": {"type": "delete_file"},
            },
            {
                "type": "apply_patch_call_output",
                "call_id": "c1",
                "output": "done",
                "status": "completed",
            },
        ),
        (
            {
                "type": "custom_tool_call",
                "id": "i",
                "call_id": "c1",
                "name": "sql",
                "input": "SELECT 1",
            },
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"},
        ),
    ],
    ids=["shell", "apply_patch", "custom"],
)
def test_what_is_answered_here_goes_back_in_the_form_of_its_call(
    call: dict[str, Any], answer: dict[str, Any]
) -> None:
    message = decode_response({**WHOLE, "output": [call]})
    items = body_of([HumanMessage("go"), message, ToolMessage("done", "c1")])["input"]
    assert items[-1] == answer


def test_a_computers_screenshot_is_its_output() -> None:
    call = {"type": "computer_call", "id": "i", "call_id": "c1", "action": {"type": "screenshot"}}
    message = decode_response({**WHOLE, "output": [call]})
    shown: Any = [{"type": "image", "url": "https://example.com/a.png"}]
    item = body_of([HumanMessage("go"), message, ToolMessage(shown, "c1")])["input"][-1]
    assert item["output"] == {
        "type": "computer_screenshot",
        "image_url": "https://example.com/a.png",
    }


def test_an_approval_is_asked_for_and_given() -> None:
    asked = {"type": "mcp_approval_request", "id": "mcpr_1", "name": "n", "arguments": "{}"}
    message = decode_response({**WHOLE, "output": [asked]})
    given = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
    answer: Any = [{"type": "non_standard", "value": given}]
    items = body_of([HumanMessage("go"), message, HumanMessage(answer)])["input"]
    assert items[1:] == [asked, given]


def test_a_refusal_is_a_block_and_a_reason() -> None:
    part = {"type": "refusal", "refusal": "I will not."}
    message = decode_response({**WHOLE, "output": [{"type": "message", "content": [part]}]})
    assert message.response_metadata["finish_reason"] == "refusal"
    assert message.content_blocks[0]["type"] == "refusal"


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("incomplete", {"reason": "max_output_tokens"}, "length"),
        ("incomplete", {"reason": "content_filter"}, "content_filter"),
        ("queued", None, "pause"),
        ("completed", None, "stop"),
    ],
)
def test_each_status_has_its_reason(status: str, details: Any, reason: str) -> None:
    body = {**WHOLE, "status": status, "incomplete_details": details}
    meta = decode_response(body).response_metadata
    assert (meta["finish_reason"], meta["finish_reason_raw"]) == (reason, status)


def test_a_phase_comes_back_with_its_text() -> None:
    def said(text: str, phase: str) -> dict[str, Any]:
        part = {"type": "output_text", "text": text, "annotations": []}
        return {"type": "message", "phase": phase, "content": [part]}

    both = [said("Let me see.", "commentary"), said("It is 4.", "final_answer")]
    items = body_of([HumanMessage("2+2"), decode_response({**WHOLE, "output": both})])["input"]
    assert [item["phase"] for item in items[1:]] == ["commentary", "final_answer"]
    alone = decode_response({**WHOLE, "output": [said("4", "final_answer")]})
    assert alone.content == "4"
    assert body_of([HumanMessage("2+2"), alone])["input"][1]["phase"] == "final_answer"


@pytest.mark.skipif(not load_cases("openai-responses"), reason=f"no recorded traffic in {FOLDER}")
def test_a_recorded_web_search_is_three_blocks() -> None:
    found = []
    for case in load_cases("openai-responses"):
        if case["stream"] or case["status"] != 200 or not case["expected"]["citations"]:
            continue
        message = decode_response(json.loads(REPLAY.body_of(case)))
        kinds = [block["type"] for block in message.content_blocks]
        if kinds == ["server_tool_call", "server_tool_result", "text"]:
            text: Any = message.content_blocks[2]
            found.append((case["id"], len(text["annotations"])))
    assert found
    assert all(count > 0 for _, count in found)
