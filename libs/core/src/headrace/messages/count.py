"""A quick count of tokens: an estimate by characters, no tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any

from headrace.deferred import pydantic_core
from headrace.messages.coerce import convert_to_messages
from headrace.messages.kinds import AIMessage, ToolMessage
from headrace.messages.message import BaseMessage

_MEDIA = frozenset({"image", "audio", "video", "file"})
_UNSEEN = frozenset({"type", "extras", "base64", "index"})
_MAX_SCALE = 1.25


def count_tokens_approximately(
    messages: Iterable[Any],
    *,
    chars_per_token: float = 4.0,
    extra_tokens_per_message: float = 3.0,
    count_name: bool = True,
    tokens_per_image: int = 85,
    use_usage_metadata_scaling: bool = False,
    tools: Sequence[Any] | None = None,
) -> int:
    """An estimate of the tokens of `messages` and `tools`; media count `tokens_per_image` each.

    With `use_usage_metadata_scaling` the estimate is scaled, by at most a quarter, to what the
    last answer's usage said about the messages up to it.
    """
    total = 0.0
    scale = 1.0
    if tools:
        total += ceil(sum(len(_tool_text(tool)) for tool in tools) / chars_per_token)
    for message in convert_to_messages(messages):
        chars, media = _size(message)
        if count_name and message.name:
            chars += len(message.name)
        total += ceil(chars / chars_per_token) + media * tokens_per_image
        total += extra_tokens_per_message
        if use_usage_metadata_scaling and isinstance(message, AIMessage):
            known = (message.usage_metadata or {}).get("total_tokens")
            if known and total:
                scale = min(max(known / total, 1.0), _MAX_SCALE)
    return ceil(total * scale)


def _size(message: BaseMessage) -> tuple[int, int]:
    """Characters that the model reads, and pieces of media."""
    chars, media = len(message.type), 0
    if isinstance(message, ToolMessage):
        chars += len(message.tool_call_id)
    for block in message.content_blocks:
        if block["type"] in _MEDIA:
            media += 1
        elif block["type"] == "text":
            chars += len(block.get("text") or "")
        else:
            shown = {key: value for key, value in block.items() if key not in _UNSEEN}
            chars += len(pydantic_core.to_json(shown, serialize_unknown=True))
    return chars, media


def _tool_text(tool: Any) -> str:
    if not isinstance(tool, Mapping):
        schema = getattr(tool, "args", None)
        tool = {
            "name": getattr(tool, "name", getattr(tool, "__name__", "")),
            "description": getattr(tool, "description", None) or getattr(tool, "__doc__", ""),
            "parameters": schema if isinstance(schema, Mapping) else {},
        }
    return pydantic_core.to_json(tool, serialize_unknown=True).decode()
