"""Conversations as plain data for storage: {"type": …, "data": …}, JSON in and JSON out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headrace.errors import InputError
from headrace.messages.coerce import message_from_dict
from headrace.messages.message import BaseMessage


def message_to_dict(message: BaseMessage) -> dict[str, Any]:
    """{"type", "data"} of one message, plain JSON values all the way down."""
    return {"type": message.type, "data": message.model_dump(mode="json")}


def messages_to_dict(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """{"type", "data"} of each message."""
    return [message_to_dict(message) for message in messages]


def messages_from_dict(data: Iterable[Mapping[str, Any]]) -> list[BaseMessage]:
    """The messages in what `messages_to_dict` wrote, here or in LangChain.

    Only data is read: the classes come from a fixed table. Raises InputError naming the
    position and the type that this version does not know.
    """
    messages: list[BaseMessage] = []
    for position, item in enumerate(data):
        if not isinstance(item, Mapping):
            raise InputError(f"message {position}: expected a dict, found {item!r}")
        try:
            messages.append(message_from_dict(item))
        except InputError as exc:
            raise InputError(f"message {position}: {exc}") from exc
    return messages
