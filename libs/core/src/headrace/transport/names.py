"""The names of tools in an answer: as the wire spelled them, back to the tools' own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from headrace.messages import AIMessage, AIMessageChunk
from headrace.tools import WireNames

if TYPE_CHECKING:
    from headrace.chat_models import Settings


def names_of(settings: Settings) -> WireNames:
    """The names of one request's tools; the same for the request and for its answer."""
    return WireNames(str(tool["name"]) for tool in settings.tools if tool.get("name"))


def read_names(message: AIMessage, names: WireNames) -> AIMessage:
    """A message that was just read, with the tools called by their own names."""
    if names.changed:
        calls: list[Any] = [*message.tool_calls, *message.invalid_tool_calls]
        _read_each(calls, names)
        _read_choices(message, names)
    return message


def read_chunk_names(chunk: AIMessageChunk, names: WireNames) -> AIMessageChunk:
    """As `read_names`, of one chunk."""
    if not names.changed:
        return chunk
    _read_choices(chunk, names)
    pieces = [dict(piece) for piece in chunk.tool_call_chunks]
    if not pieces:
        return chunk
    _read_each(pieces, names)
    content = chunk.content
    if not isinstance(content, str):  # a piece may stand there too, which is its place
        content = [dict(part) if isinstance(part, dict) else part for part in content]
        standing = [part for part in content if isinstance(part, dict)]
        _read_each((p for p in standing if p.get("type") == "tool_call_chunk"), names)
    return AIMessageChunk(
        content,
        tool_call_chunks=pieces,
        usage_metadata=chunk.usage_metadata,
        usage_kind=chunk.usage_kind,
        response_metadata=chunk.response_metadata,
        additional_kwargs=chunk.additional_kwargs,
        id=chunk.id,
        chunk_position=chunk.chunk_position,
    )


def _read_choices(message: AIMessage, names: WireNames) -> None:
    """The further answers of `n` stand as dicts in the metadata."""
    for other in message.response_metadata.get("choices", ()):
        _read_each([*other.get("tool_calls", ()), *other.get("invalid_tool_calls", ())], names)


def _read_each(calls: Iterable[dict[str, Any]], names: WireNames) -> None:
    for call in calls:
        if call.get("name"):
            call["name"] = names.back(call["name"])
