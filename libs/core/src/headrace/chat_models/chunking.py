"""A whole answer as a piece of a stream."""

from __future__ import annotations

from typing import Any, cast

from pydantic_core import to_json

from headrace.messages import AIMessage, AIMessageChunk, ToolCall
from headrace.messages.calls import split_calls


def as_chunk(message: AIMessage, *, last: bool = True) -> AIMessageChunk:
    """A whole message as one chunk of a stream, by which it ends unless `last` is false."""
    content, calls = calls_apart(message)
    pieces = [piece_of(call, index, to_json(call["args"]).decode()) for index, call in calls]
    return AIMessageChunk(
        content,
        tool_call_chunks=pieces,
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        id=message.id,
        name=message.name,
        additional_kwargs=message.additional_kwargs,
        chunk_position="last" if last else None,
    )


def calls_apart(message: AIMessage) -> tuple[Any, list[tuple[int, ToolCall]]]:
    """The content as a chunk carries it, and the calls that do not stand in it, by index.

    Calls that stand in the content stay there, as do those that cannot be read.
    """
    content, unread = message.content, message.invalid_tool_calls
    if isinstance(content, str):
        if unread:
            content = [*([content] if content else []), *cast("list[Any]", unread)]
        return content, list(enumerate(message.tool_calls))
    if unread or split_calls(content)[0]:
        return message.content_blocks, []
    return content, list(enumerate(message.tool_calls))


def piece_of(call: ToolCall, index: int, args: str) -> dict[str, Any]:
    """A call as a piece with these arguments: the whole one, or the head of several."""
    piece = {
        "type": "tool_call_chunk",
        "name": call["name"],
        "args": args,
        "id": call["id"],
        "index": index,
    }
    return {**piece, "extras": call["extras"]} if call.get("extras") else piece
