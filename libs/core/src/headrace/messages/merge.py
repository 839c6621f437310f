"""Joining neighbours of the same kind into one message."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, TypeAlias, cast, overload

from headrace.messages.chunks import message_chunk_to_message
from headrace.messages.coerce import convert_to_messages
from headrace.messages.kinds import AIMessage, ChatMessage, RemoveMessage, ToolMessage
from headrace.messages.message import BaseMessage, Content
from headrace.messages.usage import add_usage

Transform: TypeAlias = Callable[[Any], list[BaseMessage]]


@overload
def merge_message_runs(messages: None = None, *, chunk_separator: str = "\n") -> Transform: ...
@overload
def merge_message_runs(messages: Any, *, chunk_separator: str = "\n") -> list[BaseMessage]: ...
def merge_message_runs(
    messages: Any = None, *, chunk_separator: str = "\n"
) -> list[BaseMessage] | Transform:
    """The messages with each run of one kind and `name` merged; without `messages`, a function.

    Texts are joined by `chunk_separator`, lists of blocks one after the other. Tool messages
    are never merged: each answers its own call.
    """
    if messages is None:
        return cast("Transform", partial(_merge, chunk_separator))
    return _merge(chunk_separator, messages)


def _merge(separator: str, messages: Any) -> list[BaseMessage]:
    runs: list[list[BaseMessage]] = []
    for message in map(message_chunk_to_message, convert_to_messages(messages)):
        if runs and _are_alike(runs[-1][-1], message):
            runs[-1].append(message)
        else:
            runs.append([message])
    return [run[0] if len(run) == 1 else _merged(run, separator) for run in runs]


def _are_alike(left: BaseMessage, right: BaseMessage) -> bool:
    if left.__class__ is not right.__class__ or isinstance(left, ToolMessage | RemoveMessage):
        return False
    if isinstance(left, ChatMessage) and isinstance(right, ChatMessage):
        return left.role == right.role and left.name == right.name
    return left.name == right.name


def _merged(run: list[BaseMessage], separator: str) -> BaseMessage:
    update: dict[str, Any] = {
        "content": _joined([message.content for message in run], separator),
        "id": next((message.id for message in run if message.id is not None), None),
    }
    for field in ("additional_kwargs", "response_metadata"):
        update[field] = {k: v for message in run for k, v in getattr(message, field).items()}
    answers = [message for message in run if isinstance(message, AIMessage)]
    if answers:
        for field in ("tool_calls", "invalid_tool_calls"):
            update[field] = [call for answer in answers for call in getattr(answer, field)]
        usages = [a.usage_metadata for a in answers if a.usage_metadata]
        update["usage_metadata"] = reduce(add_usage, usages) if usages else None
    return run[0].model_copy(update=update)


def _joined(contents: list[Content], separator: str) -> Content:
    if all(isinstance(content, str) for content in contents):
        return separator.join(content for content in contents if content)  # type: ignore[misc]  # all are str
    parts: list[str | dict[str, Any]] = []
    for content in contents:
        if isinstance(content, list):
            parts.extend(content)
        elif content:
            parts.append(content)
    return parts
