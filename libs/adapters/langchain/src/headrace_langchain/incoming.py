"""LangChain's messages and chunks as headrace's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage as LangChainAIMessage
from langchain_core.messages import AIMessageChunk as LangChainChunk
from langchain_core.messages import BaseMessage as LangChainMessage
from langchain_core.messages import ChatMessage as LangChainChatMessage
from langchain_core.messages import HumanMessage as LangChainHumanMessage
from langchain_core.messages import RemoveMessage as LangChainRemoveMessage
from langchain_core.messages import SystemMessage as LangChainSystemMessage
from langchain_core.messages import ToolMessage as LangChainToolMessage
from langchain_core.messages import message_chunk_to_message as finished

from headrace.chat_models.chunking import as_chunk
from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    UsageMetadata,
    message_chunk_to_message,
)
from headrace_langchain.blocks import CALL_EXTRAS, CALLS, VERSION, Block, own_id, without_marks
from headrace_langchain.reasons import read_metadata

_ROLE = "__openai_role__"  # how LangChain marks a system message as a developer's


def messages_from_langchain(messages: Iterable[LangChainMessage]) -> list[BaseMessage]:
    """LangChain's messages as headrace's, in order."""
    return [message_from_langchain(message) for message in messages]


def message_from_langchain(message: LangChainMessage) -> BaseMessage:
    """A message of LangChain's as headrace's; a sum of chunks as the message it makes.

    Raises InputError for a kind that has no counterpart.
    """
    if isinstance(message, LangChainChunk) and message.chunk_position is None:
        return message_chunk_to_message(chunk_from_langchain(message))
    message = finished(cast("Any", message))
    about = _about(message)
    match message:
        case LangChainAIMessage():
            return _answer(message, about)
        case LangChainToolMessage():
            return ToolMessage(
                _content(message),
                message.tool_call_id,
                artifact=message.artifact,
                status=message.status,
                **about,
            )
        case LangChainRemoveMessage():
            return RemoveMessage(str(message.id))
        case LangChainSystemMessage():
            role = about["additional_kwargs"].pop(_ROLE, None)
            kind = DeveloperMessage if role == "developer" else SystemMessage
            return kind(_content(message), **about)
        case LangChainHumanMessage():
            return HumanMessage(_content(message), **about)
        case LangChainChatMessage():
            return ChatMessage(_content(message), message.role, **about)
    raise InputError(
        f"headrace has no message like LangChain's {type(message).__name__}; "
        "give a system, human, AI, tool or chat message"
    )


def chunk_from_langchain(chunk: LangChainMessage) -> AIMessageChunk:
    """A chunk of LangChain's as headrace's; its whole tool calls are pieces of their own."""
    if not isinstance(chunk, LangChainChunk):
        return _whole_as_chunk(chunk)
    kwargs = dict(chunk.additional_kwargs)
    content: Any = chunk.content
    pieces: list[Any] = [dict(piece) for piece in chunk.tool_call_chunks]
    if isinstance(content, list) and chunk.response_metadata.get(VERSION) == "v1":
        content = [without_marks(block, chunk=True) for block in content]
        if any(isinstance(block, dict) and block.get("type") in CALLS for block in content):
            pieces = []  # they are among the blocks, with their extras
    elif not isinstance(content, str) or kwargs:
        blocks = [block for block in _blocks(chunk) if block["type"] not in CALLS]
        plain = all(block.keys() <= {"type", "text"} for block in blocks)
        if not (isinstance(content, str) and plain):
            content = [without_marks(block, chunk=True) for block in blocks]
            kwargs.pop("reasoning_content", None)  # it is among the blocks now
    return AIMessageChunk(
        content,
        tool_call_chunks=pieces,
        usage_metadata=read_usage(chunk.usage_metadata),
        response_metadata=_metadata(chunk),
        id=own_id(chunk.id),
        name=chunk.name,
        additional_kwargs=kwargs,
    )


def _whole_as_chunk(message: LangChainMessage) -> AIMessageChunk:
    """A whole answer, as integrations that do not stream give it, as the one chunk."""
    found = message_from_langchain(message)
    if not isinstance(found, AIMessage):
        raise InputError(f"a chat model answers with an AIMessage, not {type(message).__name__}")
    return as_chunk(found, last=False)


def read_usage(usage: Mapping[str, Any] | None) -> UsageMetadata | None:
    """The usage, None where all of it is 0: no answer is without tokens, so nobody counted."""
    if not usage or not any(usage.get(name) for name in ("input_tokens", "output_tokens")):
        return None
    return cast("UsageMetadata", dict(usage))


def _about(message: LangChainMessage) -> dict[str, Any]:
    return {
        "name": message.name,
        "id": own_id(message.id),
        "additional_kwargs": dict(message.additional_kwargs),
        "response_metadata": _metadata(message),
    }


def _metadata(message: LangChainMessage) -> dict[str, Any]:
    given = {key: value for key, value in message.response_metadata.items() if key != VERSION}
    return read_metadata(given) if isinstance(message, LangChainAIMessage) else given


def _content(message: LangChainMessage) -> Any:
    """The content of what is no answer: headrace reads every spelling of it itself."""
    content = message.content
    return content if isinstance(content, str) else [without_marks(part) for part in content]


def _blocks(message: LangChainAIMessage) -> list[Block]:
    """The standard blocks, read by LangChain, which knows what its integrations write."""
    return cast("list[Block]", message.content_blocks)


def _answer(message: LangChainAIMessage, about: dict[str, Any]) -> AIMessage:
    blocks = [without_marks(block) for block in _blocks(message)]
    extras: dict[str, Any] = about["additional_kwargs"].pop(CALL_EXTRAS, {})
    for block in blocks:
        if block["type"] == "tool_call" and block.get("extras"):
            extras = {**extras, str(block.get("id")): block["extras"]}
    said = "reasoning_content" in about["additional_kwargs"]
    more = [b for b in blocks if b["type"] not in ("text", *CALLS)]
    if said and isinstance(message.content, str):
        more = [block for block in more if block["type"] != "reasoning"]
    content: Any = message.content
    if not isinstance(content, str) or more:
        content = blocks
    return AIMessage(
        content,
        tool_calls=[_call(call, extras) for call in message.tool_calls],
        invalid_tool_calls=[dict(call) for call in message.invalid_tool_calls],
        usage_metadata=read_usage(message.usage_metadata),
        **about,
    )


def _call(call: Any, extras: Mapping[str, Any]) -> dict[str, Any]:
    own = extras.get(str(call["id"]))
    return {**call, "extras": own} if own else dict(call)
