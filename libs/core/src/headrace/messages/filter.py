"""Choosing messages by name, type, id, and tool call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias, cast, overload

from headrace.errors import InputError, suggestion
from headrace.messages.coerce import KINDS, convert_to_messages
from headrace.messages.kinds import AIMessage, ToolMessage
from headrace.messages.message import BaseMessage
from headrace.messages.schema import ROLES

TypeChoice: TypeAlias = str | type[BaseMessage]
Transform: TypeAlias = Callable[[Any], list[BaseMessage]]


@overload
def filter_messages(messages: None = None, **criteria: Any) -> Transform: ...
@overload
def filter_messages(messages: Any, **criteria: Any) -> list[BaseMessage]: ...
def filter_messages(messages: Any = None, **criteria: Any) -> list[BaseMessage] | Transform:
    """The messages that match; without `messages`, a function of them.

    Criteria: include_names, exclude_names, include_types, exclude_types, include_ids,
    exclude_ids, exclude_tool_calls (True: every call and result; or the ids of calls). A
    message stays if nothing excludes it and, where anything is included, something includes it.
    """
    unknown = next((name for name in criteria if name not in _CRITERIA), None)
    if unknown:
        hint = suggestion(unknown, _CRITERIA)
        raise InputError(f"filter_messages has no criterion `{unknown}`{hint}")
    for name in ("include_types", "exclude_types"):
        _check_types(criteria.get(name) or ())
    if messages is None:
        return cast("Transform", partial(_filter, criteria))
    return _filter(criteria, messages)


_CRITERIA = (
    "include_names", "exclude_names", "include_types", "exclude_types", "include_ids",
    "exclude_ids", "exclude_tool_calls",
)  # fmt: skip


def has_type(message: BaseMessage, wanted: TypeChoice | Iterable[TypeChoice]) -> bool:
    """Whether `message` is of a type given by name ("human", "user", …) or class."""
    choices = [wanted] if isinstance(wanted, str | type) else wanted
    kind = "ai" if message.type == "AIMessageChunk" else message.type
    return any(
        (ROLES.get(choice, choice) in (kind, message.type))
        if isinstance(choice, str)
        else isinstance(message, choice)
        for choice in choices
    )


def check_types(wanted: TypeChoice | Sequence[TypeChoice]) -> None:
    """Raise InputError, with a suggestion, for a type name that no message has."""
    _check_types([wanted] if isinstance(wanted, str | type) else wanted)


def _check_types(wanted: Iterable[Any]) -> None:
    for choice in wanted:
        if isinstance(choice, type) and issubclass(choice, BaseMessage):
            continue
        if not isinstance(choice, str) or (choice not in KINDS and choice not in ROLES):
            hint = suggestion(str(choice), [*KINDS, *ROLES])
            raise InputError(f"unknown message type {choice!r}{hint}")


def _filter(criteria: dict[str, Any], messages: Any) -> list[BaseMessage]:
    dropped = criteria.get("exclude_tool_calls")
    kept = []
    for message in convert_to_messages(messages):
        if _is_excluded(message, criteria) or not _is_included(message, criteria):
            continue
        left = _without_calls(message, dropped) if dropped else message
        if left is not None:
            kept.append(left)
    return kept


def _is_excluded(message: BaseMessage, criteria: dict[str, Any]) -> bool:
    return (
        message.name in (criteria.get("exclude_names") or ())
        or message.id in (criteria.get("exclude_ids") or ())
        or has_type(message, criteria.get("exclude_types") or ())
    )


def _is_included(message: BaseMessage, criteria: dict[str, Any]) -> bool:
    names, types, ids = (criteria.get(f"include_{what}") for what in ("names", "types", "ids"))
    if not (names or types or ids):
        return True
    return (
        message.name in (names or ()) or message.id in (ids or ()) or has_type(message, types or ())
    )


def _without_calls(message: BaseMessage, dropped: Any) -> BaseMessage | None:
    every = dropped is True
    if isinstance(message, ToolMessage):
        return None if every or message.tool_call_id in dropped else message
    if not isinstance(message, AIMessage) or not message.tool_calls:
        return message
    if every:
        return None
    left = [call for call in message.tool_calls if call["id"] not in dropped]
    if len(left) == len(message.tool_calls):
        return message
    if not left and not message.text:
        return None
    # The blocks of the calls go too; `tool_calls` alone would hide them, not remove them.
    gone = {call["id"] for call in message.tool_calls} & set(dropped)
    content = message.content
    if isinstance(content, list):
        content = [p for p in content if isinstance(p, str) or p.get("id") not in gone]
    return message.model_copy(update={"content": content, "tool_calls": left})
