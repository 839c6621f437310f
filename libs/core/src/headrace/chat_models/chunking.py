"""A whole answer as a piece of a stream."""

from __future__ import annotations

from typing import Any, cast

from pydantic_core import to_json

from headrace.messages import AIMessage, AIMessageChunk


def as_chunk(message: AIMessage) -> AIMessageChunk:
    """A whole message as the one chunk of a stream."""
    pieces = [
        {
            "type": "tool_call_chunk",
            "name": call["name"],
            "args": to_json(call["args"]).decode(),
            "id": call["id"],
            "index": index,
        }
        for index, call in enumerate(message.tool_calls)
    ]
    content = message.content
    if message.invalid_tool_calls and isinstance(content, str):
        unread = cast("list[Any]", message.invalid_tool_calls)
        content = [content, *unread] if content else unread
    return AIMessageChunk(
        content,
        tool_call_chunks=pieces,
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        id=message.id,
        name=message.name,
        additional_kwargs=message.additional_kwargs,
        chunk_position="last",
    )
