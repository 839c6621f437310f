"""Each cell of the parameter matrix, as a loopback server sees it, for the native providers.

The compatible services have the same in libs/partners/openai/tests/test_parameters.py.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headrace.chat_models import parameter_matrix
from headrace.chat_models.matrix import CONTENT, DEVELOPER, PROBES
from headrace.errors import UnsupportedParameterError
from headrace.testing import OfflineChatModel
from headrace.testing.loopback import LoopbackServer
from headrace_anthropic import ChatAnthropic
from headrace_anthropic.loopback import MessagesWire
from headrace_aws import ChatBedrockConverse
from headrace_aws.loopback import ConverseWire
from headrace_google import ChatGoogleGenerativeAI
from headrace_google.loopback import GenerateContentWire
from headrace_mistral import ChatMistralAI
from headrace_ollama import ChatOllama
from headrace_ollama.loopback import OllamaWire
from headrace_openai import ChatOpenAI
from headrace_openai.loopback import ChatCompletionsWire
from headrace_openai.responses.loopback import ResponsesWire

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # each change warns once
TOOL = {"name": "look", "description": "Looks.", "parameters": {"type": "object", "properties": {}}}
SCHEMA = {"title": "Out", "type": "object", "properties": {"a": {"type": "string"}}}


def bedrock(**given: Any) -> ChatBedrockConverse:
    return ChatBedrockConverse(region_name="us-east-1", **given)


def responses(**given: Any) -> ChatOpenAI:
    return ChatOpenAI(dialect="openai", use_responses_api=True, **given)


# The wire and the class of each, with two models that differ in what they take.
MODELS: dict[str, tuple[Any, Callable[..., Any], str]] = {
    "claude-sonnet-4": (MessagesWire(), ChatAnthropic, "claude-sonnet-4-20250514"),
    "claude-sonnet-4-6": (MessagesWire(), ChatAnthropic, "claude-sonnet-4-6"),
    "gemini-2.5-flash": (GenerateContentWire(), ChatGoogleGenerativeAI, "gemini-2.5-flash"),
    "gemini-2.0-flash": (GenerateContentWire(), ChatGoogleGenerativeAI, "gemini-2.0-flash"),
    "bedrock-claude": (ConverseWire(), bedrock, "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    "bedrock-nova": (ConverseWire(), bedrock, "us.amazon.nova-pro-v1:0"),
    "mistral-small": (ChatCompletionsWire(), ChatMistralAI, "mistral-small-latest"),
    "qwen3:8b": (OllamaWire(), ChatOllama, "qwen3:8b"),
    "gpt-5 (responses)": (ResponsesWire(), responses, "gpt-5"),
    "gpt-4.1 (responses)": (ResponsesWire(), responses, "gpt-4.1"),
}
DOORS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda model: model.invoke("look"),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("look")),
}


@pytest.fixture(scope="module", params=MODELS, name="served")
def serve_each(request: pytest.FixtureRequest) -> Iterator[tuple[Any, LoopbackServer]]:
    wire, make, name = MODELS[request.param]
    with LoopbackServer(OfflineChatModel(), wire) as server:
        model = make(model=name, base_url=server.base_url, api_key="none-needed", max_retries=0)
        yield model, server


def asking(model: Any, name: str, value: Any) -> Any:
    """The model, asked for this one parameter."""
    match name:
        case "tools":
            return model.bind_tools([TOOL])
        case "tool_choice":
            return model.bind_tools([TOOL], tool_choice=value)
        case "parallel_tool_calls":
            return model.bind_tools([TOOL]).bind(parallel_tool_calls=value)
        case "json_mode" | "json_schema":
            return model.with_structured_output(SCHEMA, method=name, include_raw=True)
    return model.bind(**{name: value})


def without(model: Any, name: str) -> Any:
    """The same request without the parameter."""
    tools = name in ("tool_choice", "parallel_tool_calls")
    return model.bind_tools([TOOL]) if tools else model


def leaves(value: Any) -> Iterator[Any]:
    """The values at the ends of a JSON document."""
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def known_to(model: Any, name: str) -> bool:
    """Whether the class has the parameter at all: asked of another, it is an InputError."""
    built_in = {"tools", "tool_choice", "json_mode", "json_schema"}
    return name in built_in or name in type(model).model_fields


@pytest.mark.parametrize("door", DOORS)
def test_each_parameter_arrives_as_the_matrix_says(
    served: tuple[Any, LoopbackServer], door: str
) -> None:
    model, server = served
    wrong = {}
    for row in parameter_matrix(model):
        if row.parameter not in PROBES or not known_to(model, row.parameter):
            continue
        DOORS[door](without(model, row.parameter))
        plain = server.requests[-1]
        for value, sent, outcome in zip(row.asked, row.sent, row.outcomes, strict=False):
            asked = asking(model, row.parameter, value)
            before = len(server.requests)
            if outcome == "refused":
                with pytest.raises(UnsupportedParameterError):
                    DOORS[door](asked)
                assert len(server.requests) == before
                continue
            answer = DOORS[door](asked)
            assert len(server.requests) == before + 1
            told = seen(row.parameter, answer, plain, server.requests[-1], outcome, sent)
            if told is not None:
                wrong[row.parameter, str(value)] = told
    assert wrong == {}


def seen(name: str, answer: Any, plain: Any, body: Any, outcome: str, sent: Any) -> str | None:
    """What of a cell is not as the matrix says, in body or record; None if all is."""
    message = answer["raw"] if isinstance(answer, dict) else answer
    records = message.response_metadata.get("adapted", [])
    record = next((one for one in records if one["name"] == name), None)
    changed = json.dumps(body, sort_keys=True) != json.dumps(plain, sort_keys=True)
    if outcome == "left out":
        if record is None or record["action"] != "left out":
            return f"no record that it was left out: {records}"
        return "it was left out, and yet the request differs" if changed else None
    if outcome in ("sent", "unknown") and record is not None:
        return f"it was to be sent, and the record says {record}"
    if outcome not in ("sent", "unknown") and (record is None or record["action"] != outcome):
        return f"{outcome}, but the record is {record}"
    if not changed:
        return f"{outcome}, but the request is as without it"
    if name in ("tools", "tool_choice", "parallel_tool_calls", "json_mode", "json_schema"):
        return None
    there = list(leaves(body))
    missing = [one for one in leaves(sent) if one not in there and one not in (True, False)]
    return f"not in the request: {missing}" if missing else None


# What must come out, written down by hand from the vendors' pages; see docs/deviations.md.
EXPECTED: dict[str, dict[str, str]] = {
    "claude-sonnet-4": {
        "temperature": "clamped", "stop": "sent", "max_tokens": "sent", "tools": "sent",
        "frequency_penalty": "left out", "seed": "left out", "reasoning_effort": "translated",
        DEVELOPER: "translated", "image": "sent", "audio": "refused", "pdf": "sent",
        "pdf by URL": "sent",
    },
    "gemini-2.5-flash": {
        "temperature": "sent", "reasoning_effort": "translated", "frequency_penalty": "sent",
        "tools": "sent", DEVELOPER: "translated", "image": "sent", "audio": "sent", "pdf": "sent",
    },
    "mistral-small": {
        "frequency_penalty": "sent", "presence_penalty": "sent", "seed": "renamed",
        "tools": "sent", DEVELOPER: "translated", "pdf by URL": "sent",
    },
    "gpt-5 (responses)": {
        "temperature": "left out", "top_p": "left out", "max_tokens": "renamed",
        "reasoning_effort": "renamed", "stop": "left out", "n": "left out", "seed": "left out",
        DEVELOPER: "sent", "image": "sent", "pdf": "sent", "file by id": "unknown",
        "audio": "refused",
    },
}  # fmt: skip


@pytest.mark.parametrize("which", EXPECTED)
def test_the_matrix_says_what_the_vendors_say(which: str) -> None:
    _, make, name = MODELS[which]
    model = make(model=name, base_url="http://127.0.0.1:9", api_key="none-needed")
    rows = {row.parameter: row.outcome for row in parameter_matrix(model)}
    assert {name: rows[name] for name in EXPECTED[which]} == EXPECTED[which]
    assert rows.keys() == {*PROBES, *CONTENT, DEVELOPER}
