"""Each cell of the parameter matrix, observed in what a server on loopback received."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from headrace.chat_models import parameter_matrix
from headrace.chat_models.matrix import CONTENT, DEVELOPER, PROBES
from headrace.errors import InputError, UnsupportedContentError, UnsupportedParameterError
from headrace.messages import AIMessage, DeveloperMessage, HumanMessage
from headrace.testing import OfflineChatModel
from headrace.testing.loopback import LoopbackServer
from headrace_openai import ChatOpenAI
from headrace_openai.dialects import DIALECTS
from headrace_openai.loopback import ChatCompletionsWire

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

# A current model of each service, so that the profile and the dialect both have a say.
MODELS = {
    "openai": "gpt-5",
    "openai_compatible": "some-model",
    "deepseek": "deepseek-v4-flash",
    "moonshot": "kimi-k2.6",
    "xai": "grok-4.3",
    "groq": "openai/gpt-oss-120b",
    "together": "Qwen/Qwen3.5-397B-A17B",
    "openrouter": "anthropic/claude-haiku-4.5",
    "fireworks": "accounts/fireworks/models/deepseek-v4-flash",
    "perplexity": "sonar-deep-research",
    "llama_api": "llama-3.3-70b-instruct",
    "gemini_openai": "gemini-2.5-flash",
    "mistral_openai": "mistral-medium-2604",
    "dashscope_openai": "qwen-plus",
    "vllm": "qwen3-8b",
    "localai": "qwen3-8b",
    "lmstudio": "qwen3-8b",
    "ollama_openai": "qwen3:8b",
}
TOOL = {"name": "look", "description": "Looks.", "parameters": {"type": "object", "properties": {}}}
SCHEMA = {"title": "Out", "type": "object", "properties": {"a": {"type": "string"}}}


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(OfflineChatModel(), ChatCompletionsWire()) as running:
        yield running


async def _astream(model: Any, input: Any) -> list[Any]:
    items: AsyncIterator[Any] = model.astream(input)
    return [item async for item in items]


def _last(items: list[Any]) -> Any:
    return items[-1] if isinstance(items[-1], dict) else sum(items)


DOORS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda model, input: model.invoke(input),
    "stream": lambda model, input: _last(list(model.stream(input))),
    "ainvoke": lambda model, input: asyncio.run(model.ainvoke(input)),
    "astream": lambda model, input: _last(asyncio.run(_astream(model, input))),
}


def model_of(dialect: str, server: LoopbackServer, **given: Any) -> ChatOpenAI:
    given = {"model": MODELS[dialect], **given}
    return ChatOpenAI(
        dialect=dialect, base_url=server.base_url, api_key="k", max_retries=0, **given
    )


def asking(model: ChatOpenAI, name: str, value: Any) -> Any:
    """The model, asked for this one parameter."""
    match name:
        case "tools":
            return model.bind_tools([TOOL])
        case "tool_choice":
            return model.bind_tools([TOOL], tool_choice=value)
        case "parallel_tool_calls":
            return model.bind_tools([TOOL], parallel_tool_calls=value)
        case "json_mode" | "json_schema":
            return model.with_structured_output(SCHEMA, method=name, include_raw=True)  # type: ignore[arg-type]
    return model.bind(**{name: value})


def body_key(name: str) -> str:
    return {"json_mode": "response_format", "json_schema": "response_format"}.get(name, name)


def check_cell(
    parameter: str, outcome: str, value: Any, sent: Any, body: dict[str, Any], record: Any
) -> None:
    """That the body holds what the matrix and the record say."""
    name = body_key(parameter)
    if record is None:
        assert outcome in ("sent", "unknown")
        assert name in body
        if name == parameter and parameter not in ("tools", "tool_choice"):
            assert body[name] == (list(value) if isinstance(value, tuple) else value)
        return
    assert (record["action"], record["sent"]) == (outcome, sent)
    if isinstance(sent, dict) and name != "logit_bias":
        assert {key: body[key] for key in sent} == sent
        assert name not in body
    elif sent is None:
        assert name not in body
    else:
        assert body[name] == sent


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_parameter_arrives_as_the_matrix_says(
    dialect: str, door: str, server: LoopbackServer
) -> None:
    model = model_of(dialect, server)
    for row in parameter_matrix(model):
        for value, sent, outcome in zip(row.asked, row.sent, row.outcomes, strict=False):
            before = len(server.requests)
            asked = asking(model, row.parameter, value)
            if outcome == "refused":
                with pytest.raises(UnsupportedParameterError):
                    DOORS[door](asked, "look")
                assert len(server.requests) == before
                continue
            answer = DOORS[door](asked, "look")
            assert len(server.requests) == before + 1
            message: AIMessage = answer["raw"] if isinstance(answer, dict) else answer
            records = message.response_metadata.get("adapted", [])
            record = next((one for one in records if one["name"] == row.parameter), None)
            check_cell(row.parameter, outcome, value, sent, server.requests[-1], record)


# What must come out, written down by hand: parameter by dialect, for the models above.
EXPECTED = {
    "openai": {
        "temperature": "left out", "top_p": "left out", "max_tokens": "renamed", "seed": "sent",
        "reasoning_effort": "sent", "tools": "sent", "json_schema": "sent", "n": "sent",
        DEVELOPER: "sent", "image": "sent", "audio": "refused", "pdf by URL": "refused",
    },
    "openai_compatible": {
        "temperature": "unknown", "max_tokens": "unknown", "reasoning_effort": "unknown",
        "tools": "unknown", DEVELOPER: "translated", "image": "unknown",
    },
    "deepseek": {
        "temperature": "left out", "top_p": "left out", "frequency_penalty": "left out",
        "max_tokens": "sent", "reasoning_effort": "translated", "json_schema": "refused",
        "parallel_tool_calls": "left out", DEVELOPER: "translated", "image": "refused",
    },
    "moonshot": {
        "temperature": "left out", "n": "clamped", "max_tokens": "renamed",
        "reasoning_effort": "translated",
    },
    "xai": {
        "temperature": "sent", "stop": "left out", "presence_penalty": "left out",
        "max_tokens": "renamed", "reasoning_effort": "sent", "pdf": "refused",
    },
    "groq": {
        "n": "clamped", "logit_bias": "left out", "logprobs": "left out", "temperature": "sent",
        "max_tokens": "renamed", "reasoning_effort": "sent",
    },
    "together": {"max_tokens": "sent", "reasoning_effort": "translated"},
    "openrouter": {"reasoning_effort": "translated", "temperature": "sent", "seed": "sent"},
    "fireworks": {"reasoning_effort": "translated", "temperature": "sent"},
    "perplexity": {
        "tools": "refused", "tool_choice": "refused", "reasoning_effort": "sent",
        "temperature": "sent",
    },
    "llama_api": {"reasoning_effort": "left out", "max_tokens": "renamed"},
    "gemini_openai": {
        "frequency_penalty": "left out", "seed": "left out", "reasoning_effort": "sent",
        "max_tokens": "sent", "pdf": "sent", "audio": "sent",
    },
    "mistral_openai": {
        "seed": "renamed", "logprobs": "left out", "verbosity": "left out",
        "reasoning_effort": "translated", "temperature": "sent",
    },
    "dashscope_openai": {"reasoning_effort": "translated", "temperature": "sent"},
    "vllm": {DEVELOPER: "sent", "max_tokens": "unknown"},
    "localai": {DEVELOPER: "translated"},
    "lmstudio": {DEVELOPER: "translated", "audio": "refused"},
    "ollama_openai": {
        "n": "left out", "tool_choice": "left out", "logit_bias": "left out", "seed": "sent",
        "image by URL": "refused",
    },
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_matrix_says_what_the_vendors_say(dialect: str, server: LoopbackServer) -> None:
    rows = {row.parameter: row.outcome for row in parameter_matrix(model_of(dialect, server))}
    assert {name: rows[name] for name in EXPECTED[dialect]} == EXPECTED[dialect]
    assert rows.keys() == {*PROBES, *CONTENT, DEVELOPER}


@pytest.mark.parametrize("door", DOORS)
def test_a_developer_message_becomes_a_system_message(door: str, server: LoopbackServer) -> None:
    messages = [DeveloperMessage("Be brief."), HumanMessage("hi")]
    answer = DOORS[door](model_of("groq", server), messages)
    assert server.requests[-1]["messages"][0] == {"role": "system", "content": "Be brief."}
    (record,) = answer.response_metadata["adapted"]
    assert (record["name"], record["sent"]) == (DEVELOPER, "system")


PICTURE = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("policy", ["raise", "drop", "describe"])
def test_content_that_cannot_be_seen(door: str, policy: Any, server: LoopbackServer) -> None:
    model = model_of("deepseek", server, on_unsupported_content=policy)
    messages = [HumanMessage(["What is this?", PICTURE])]
    before = len(server.requests)
    if policy == "raise":
        with pytest.raises(UnsupportedContentError, match="takes no images; describe it"):
            DOORS[door](model, messages)
        assert len(server.requests) == before
        return
    (record,) = DOORS[door](model, messages).response_metadata["adapted"]
    content = server.requests[-1]["messages"][0]["content"]
    assert (record["name"], record["asked"]) == ("image", "image/png, 9 bytes")
    if policy == "drop":
        assert (content, record["action"]) == ("What is this?", "left out")
    else:
        assert content[1] == {"type": "text", "text": record["sent"]}
        assert record["action"] == "described"


def test_a_budget_at_a_service_of_budgets_widens_the_bound(server: LoopbackServer) -> None:
    model = model_of("dashscope_openai", server, max_tokens=2000, reasoning_effort="high")
    records = {r["name"]: r for r in model.invoke("hi").response_metadata["adapted"]}
    body = server.requests[-1]
    assert (body["enable_thinking"], body["max_tokens"]) == (True, records["max_tokens"]["sent"])
    assert body["max_tokens"] > body["thinking_budget"]
    effort = {"enable_thinking": True, "thinking_budget": body["thinking_budget"]}
    assert records["reasoning_effort"]["sent"] == effort


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"reasoning": {"effort": "low"}}, "low"),
        ({"reasoning": {"max_tokens": 2000}}, 2000),
        ({"reasoning": {"enabled": False}}, "none"),
        ({"thinking": {"type": "disabled"}}, "none"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, 1024),
        ({"thinking": {"type": "enabled"}}, "on"),
        ({"enable_thinking": True, "thinking_budget": 500}, 500),
        ({"reasoning_effort": False}, "none"),
    ],
)
def test_the_providers_own_spellings_are_aliases(given: Any, meant: Any) -> None:
    assert ChatOpenAI(model="m", **given).reasoning_effort == meant


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"reasoning_effort": "low", "reasoning": {"effort": "low"}}, "say the same"),
        ({"enable_thinking": False, "thinking_budget": 500}, "contradict"),
        ({"reasoning": {"effort": "low", "mode": "pro"}}, "extra_body"),
    ],
)
def test_an_effort_said_twice_is_an_error(given: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        ChatOpenAI(model="m", **given)


def test_a_spelling_of_a_call_replaces_the_effort_of_the_model(server: LoopbackServer) -> None:
    model = model_of("xai", server, reasoning_effort="low").bind(reasoning={"effort": "high"})
    model.invoke("hi")
    assert server.requests[-1]["reasoning_effort"] == "high"


def test_what_is_put_into_the_body_by_hand_is_left_alone(server: LoopbackServer) -> None:
    given: Any = {"reasoning": {"effort": "low", "summary": "auto"}}
    model_of("openai", server, extra_body=given, model_kwargs={"top_p": 0.5}).invoke("hi")
    assert server.requests[-1]["reasoning"] == given["reasoning"]
    assert server.requests[-1]["top_p"] == 0.5


def test_a_preflight_is_the_body_that_is_sent_then(server: LoopbackServer) -> None:
    model = model_of("groq", server, max_tokens=50, n=3).bind_tools([TOOL])
    report = model.preflight("look at this")
    message = model.invoke("look at this")
    assert report.request == server.requests[-1]
    assert list(report.adapted) == message.response_metadata["adapted"]


def test_another_model_that_answers_is_noted(server: LoopbackServer) -> None:
    same = model_of("openai", server).invoke("hi")
    assert "model_asked" not in same.response_metadata
