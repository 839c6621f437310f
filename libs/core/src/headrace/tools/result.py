"""What a tool gave back, as the content of the message that a model reads."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from headrace.messages import BaseMessage
from headrace.messages.canonical import canonical_block


def content_of(value: Any) -> str | list[Any]:
    """Text as it is, content blocks as they are, anything else as JSON text.

    A list of plain strings is JSON too: as content its items would run together.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, BaseMessage):  # of a model that is a tool
        return value.text
    if isinstance(value, list) and _are_blocks(value):
        return value
    if _is_block(value):
        return [value]
    try:
        return to_json(value, serialize_unknown=True, bytes_mode="base64").decode()
    except ValueError:  # half of a surrogate pair, or a serializer of its own that fails
        return str(value)


def _are_blocks(parts: list[Any]) -> bool:
    blocks = [part for part in parts if not isinstance(part, str)]
    return bool(blocks) and all(map(_is_block, blocks))


def _is_block(part: Any) -> bool:
    """Whether a dict is a content block, and not just data that has a `type`."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    if part["type"] == "text":
        return isinstance(part.get("text"), str)
    try:
        return canonical_block(part)["type"] != "non_standard"
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
