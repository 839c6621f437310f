"""headrace's messages as LangChain's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage as LangChainAIMessage
from langchain_core.messages import BaseMessage as LangChainMessage
from langchain_core.messages import ChatMessage as LangChainChatMessage
from langchain_core.messages import HumanMessage as LangChainHumanMessage
from langchain_core.messages import RemoveMessage as LangChainRemoveMessage
from langchain_core.messages import SystemMessage as LangChainSystemMessage
from langchain_core.messages import ToolMessage as LangChainToolMessage
from langchain_core.messages.ai import UsageMetadata as LangChainUsage

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
)
from headrace_langchain.blocks import VERSION

_FIGURES = ("input_tokens", "output_tokens")
_DETAILS = ("input_token_details", "output_token_details")


def messages_to_langchain(messages: Iterable[BaseMessage]) -> list[LangChainMessage]:
    """headrace's messages as LangChain's, in order."""
    return [message_to_langchain(message) for message in messages]


def message_to_langchain(message: BaseMessage) -> LangChainMessage:
    """A message of headrace's as LangChain's: plain text a str, else standard blocks."""
    message = message_chunk_to_message(message)
    if isinstance(message, AIMessage):
        return _answer(message)
    about: dict[str, Any] = {**_about(message), "content": _content(message)}
    match message:
        case ToolMessage():
            return LangChainToolMessage(
                tool_call_id=message.tool_call_id,
                artifact=message.artifact,
                status=message.status,
                **about,
            )
        case RemoveMessage():
            return LangChainRemoveMessage(id=str(message.id))
        case DeveloperMessage():
            about["additional_kwargs"] = {
                **about["additional_kwargs"], "__openai_role__": "developer",
            }  # fmt: skip
            return LangChainSystemMessage(**about)
        case SystemMessage():
            return LangChainSystemMessage(**about)
        case HumanMessage():
            return LangChainHumanMessage(**about)
        case ChatMessage():
            return LangChainChatMessage(role=message.role, **about)
    raise InputError(f"LangChain has no message like {type(message).__name__}")


def write_usage(usage: Mapping[str, Any] | None) -> LangChainUsage | None:
    """Usage as LangChain has it: whole, or None where one of its two figures is unknown."""
    if not usage or any(not isinstance(usage.get(name), int) for name in _FIGURES):
        return None
    found: dict[str, Any] = {name: usage[name] for name in _FIGURES}
    found["total_tokens"] = usage.get("total_tokens") or sum(found.values())
    for name in _DETAILS:
        figures = {
            key: value for key, value in (usage.get(name) or {}).items() if value is not None
        }
        if figures:
            found[name] = figures
    return cast("LangChainUsage", found)


def _about(message: BaseMessage) -> dict[str, Any]:
    return {
        "name": message.name,
        "id": message.id,
        "additional_kwargs": dict(message.additional_kwargs),
        "response_metadata": dict(message.response_metadata),
    }


def _content(message: BaseMessage) -> Any:
    return message.content if isinstance(message.content, str) else message.content_blocks


def _answer(message: AIMessage) -> LangChainAIMessage:
    """An answer; calls that carry extras stand as blocks, the only place where they are kept."""
    about, content = _about(message), _content(message)
    if any(call.get("extras") for call in message.tool_calls):
        content = message.content_blocks
    if not isinstance(content, str):
        about["response_metadata"][VERSION] = "v1"
    calls = [_only(call, "name", "args", "id") for call in message.tool_calls]
    cut = [_only(call, "name", "args", "id", "error") for call in message.invalid_tool_calls]
    return LangChainAIMessage(
        content=content,
        tool_calls=cast("Any", calls),
        invalid_tool_calls=cast("Any", cut),
        usage_metadata=write_usage(message.usage_metadata),
        **about,
    )


def _only(call: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: call[name] for name in names}
