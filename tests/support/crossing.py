"""What the tests that cross providers share: every model, real answers, and how a body reads.

A `Line` is one wire that a history can be sent over. `made_by`: the `model_provider` of its own
answers; `takes_back`: those whose signatures it takes back as well as its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from recorded import REPLAY, load_cases

from headrace.chat_models import BaseChatModel, Call
from headrace.errors import ModelError, WireError
from headrace.messages import AIMessage, message_chunk_to_message
from headrace.transport import StreamReader
from headrace_anthropic import ChatAnthropic, ChatAnthropicBedrock, ChatAnthropicVertex
from headrace_aws import ChatBedrockConverse
from headrace_dashscope import ChatDashScope
from headrace_google import ChatGoogleGenerativeAI, ChatGoogleVertexAI
from headrace_huggingface import ChatHuggingFace
from headrace_mistral import ChatMistralAI
from headrace_ollama import ChatOllama
from headrace_openai import AzureChatOpenAI, ChatAzureAI, ChatOpenAI

KEY = "sk-not-a-real-key"


@dataclass(frozen=True, eq=False)
class Line:
    """One way to a provider; `ids`: the form of tool call ids that it takes, if it minds."""

    id: str
    make: Callable[..., BaseChatModel]
    asked: Mapping[str, Any]
    made_by: str
    ids: str | None = None
    dialect: str | None = None  # of the recorded traffic that it reads
    recorded: str | None = None  # whose traffic of that dialect, if not everybody's
    takes_back: frozenset[str] = frozenset()

    def model(self, **more: Any) -> BaseChatModel:
        return self.make(**{**self.asked, **more})

    def __str__(self) -> str:
        return self.id


_AZURE = {"azure_endpoint": "https://name.openai.azure.com", "api_version": "2024-10-21"}
_KEYED = {"api_key": KEY}
_AWS = {
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": KEY,
    "region_name": "eu-west-1",
}
_VERTEX = {"project": "p", "location": "europe-west4", **_KEYED}
_CLAUDE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"

# "Signature values are compatible across platforms (Claude APIs, Amazon Bedrock, and Vertex AI)":
# https://platform.claude.com/docs/en/build-with-claude/extended-thinking (read 2026-11)
_CLAUDES = frozenset({"anthropic", "anthropic_bedrock", "anthropic_vertex"})

LINES: tuple[Line, ...] = (
    Line(
        "openai", ChatOpenAI, {"model": "gpt-4.1", **_KEYED}, "openai",
        ids=r".{1,40}", dialect="openai-chat", recorded="openai",
    ),
    Line(
        "openai-responses", ChatOpenAI, {"model": "gpt-5", "use_responses_api": True, **_KEYED},
        "openai", ids=r".{1,64}", dialect="openai-responses",
    ),
    Line(
        "azure", AzureChatOpenAI, {"model": "gpt-4.1", "deployment": "d", **_KEYED, **_AZURE},
        "azure_openai", ids=r".{1,40}", dialect="openai-chat", recorded="azure",
    ),
    Line(
        "azure_ai", ChatAzureAI,
        {"model": "gpt-4.1", "endpoint": "https://name.services.ai.azure.com", **_KEYED},
        "azure_ai", ids=r".{1,40}",
    ),
    Line(
        "openrouter", ChatOpenAI, {"model": "z-ai/glm-4.6", "dialect": "openrouter", **_KEYED},
        "openrouter", dialect="openai-chat", recorded="openrouter",
    ),
    Line(
        "deepseek", ChatOpenAI, {"model": "deepseek-reasoner", "dialect": "deepseek", **_KEYED},
        "deepseek", dialect="openai-chat", recorded="deepseek",
    ),
    Line(
        "mistral", ChatMistralAI, {"model": "magistral-medium-latest", **_KEYED}, "mistralai",
        ids=r"[a-zA-Z0-9]{9}", dialect="openai-chat", recorded="mistral",
    ),
    Line(
        "anthropic", ChatAnthropic, {"model": "claude-sonnet-4-5", **_KEYED}, "anthropic",
        ids=r"[a-zA-Z0-9_-]+", dialect="anthropic", takes_back=_CLAUDES,
    ),
    Line(
        "anthropic_bedrock", ChatAnthropicBedrock,
        {"model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "region": "us-east-1", **_KEYED},
        "anthropic_bedrock", ids=r"[a-zA-Z0-9_-]+", takes_back=_CLAUDES,
    ),
    Line(
        "anthropic_vertex", ChatAnthropicVertex,
        {"model": "claude-sonnet-4-5@20250929", "project": "p", "region": "global", **_KEYED},
        "anthropic_vertex", ids=r"[a-zA-Z0-9_-]+", takes_back=_CLAUDES,
    ),
    Line(
        "google", ChatGoogleGenerativeAI, {"model": "gemini-3-pro-preview", **_KEYED},
        "google_genai", dialect="google", recorded="google",
    ),
    Line(
        "google_vertexai", ChatGoogleVertexAI, {"model": "gemini-3-pro-preview", **_VERTEX},
        "google_vertexai", dialect="google", recorded="google-vertex",
    ),
    Line(
        "bedrock-claude", ChatBedrockConverse, {"model": _CLAUDE, **_AWS}, "bedrock_converse",
        ids=r"[a-zA-Z0-9_.:-]{1,64}", dialect="bedrock-converse",
    ),
    Line(
        "bedrock-nova", ChatBedrockConverse, {"model": "us.amazon.nova-pro-v1:0", **_AWS},
        "bedrock_converse", ids=r"[a-zA-Z0-9_.:-]{1,64}",
    ),
    Line(
        "huggingface", ChatHuggingFace, {"model": "Qwen/Qwen3-8B", **_KEYED}, "huggingface",
        dialect="openai-chat", recorded="huggingface",
    ),
    Line(
        "dashscope", ChatDashScope, {"model": "qwen-plus", **_KEYED}, "dashscope",
        dialect="dashscope",
    ),
    Line("ollama", ChatOllama, {"model": "qwen3:8b"}, "ollama", dialect="ollama"),
)  # fmt: skip


@cache
def model_of(line: Line, content: str = "drop") -> BaseChatModel:
    """The model of a line, made once."""
    return line.model(on_unsupported_content=content)


def decoded(line: Line, case: Mapping[str, Any]) -> AIMessage | None:
    """The answer in a recorded exchange; None for errors."""
    if case["status"] >= 400:
        return None
    exchange: Any = model_of(line)._exchange_for(model_of(line).settings(Call()))  # type: ignore[attr-defined]  # of RawChatModel
    body, headers = REPLAY.body_of(case), case["headers"]
    try:
        if not case["stream"]:
            message: AIMessage = exchange.decode(json.loads(body), headers)
            return message
        reader = StreamReader(headers.get("content-type"), exchange.decoder({}, headers))
        chunks: Any = [*reader.feed(body), *reader.end()]
        total = message_chunk_to_message(sum(chunks))
    except (ModelError, WireError):
        return None
    return total if isinstance(total, AIMessage) else None


@cache
def recorded_answers(line: Line) -> tuple[AIMessage, ...]:
    """What models really said over a line, the richest first; none without the corpus."""
    if line.dialect is None:
        return ()
    cases = [c for c in load_cases(line.dialect) if line.recorded in (None, c["provider"])]
    answers = [decoded(line, case) for case in cases]
    found = [answer for answer in answers if answer is not None and answer.content_blocks]
    kinds = {id(answer): {str(b["type"]) for b in answer.content_blocks} for answer in found}
    return tuple(sorted(found, key=lambda answer: -len(kinds[id(answer)])))


# How a body reads, whatever its dialect.


def leaves(value: Any) -> Iterator[str]:
    """Every string in a body, in its order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)


def nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a body, in its order."""
    if isinstance(value, Mapping):
        yield value
        for item in value.values():
            yield from nodes(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from nodes(item)


_CALLS = {"tool_use": "id", "function_call": "call_id", "custom_tool_call": "call_id"}
_RESULTS = {
    "tool_result": "tool_use_id", "function_call_output": "call_id",
    "custom_tool_call_output": "call_id",
}  # fmt: skip


def called(body: Mapping[str, Any]) -> list[Any]:
    """The ids of the calls of the caller's tools in a request."""
    found: list[Any] = []
    for node in nodes(body):
        if isinstance(node.get("tool_calls"), list):
            found += [call.get("id") for call in node["tool_calls"]]
        if "functionCall" in node:
            found.append(node["functionCall"].get("id"))
        if "toolUse" in node and "type" not in node["toolUse"]:
            found.append(node["toolUse"]["toolUseId"])
        if node.get("type") in _CALLS and "name" in node:
            found.append(node[_CALLS[node["type"]]])
    return found


def answered(body: Mapping[str, Any]) -> list[Any]:
    """The ids under which results of the caller's tools go back."""
    found: list[Any] = []
    for node in nodes(body):
        if node.get("role") == "tool":
            found.append(node.get("tool_call_id"))
        if "functionResponse" in node:
            found.append(node["functionResponse"].get("id"))
        if "toolResult" in node and "type" not in node["toolResult"]:
            found.append(node["toolResult"]["toolUseId"])
        if node.get("type") in _RESULTS:
            found.append(node[_RESULTS[node["type"]]])
    return found
