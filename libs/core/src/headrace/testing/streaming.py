"""A finished message cut into the chunks of a stream, deterministically."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic_core import to_json

from headrace.messages import AIMessage, AIMessageChunk

_WORDS = re.compile(r"\s*\S+\s*")


def pieces(message: AIMessage) -> Iterator[AIMessageChunk]:
    """Chunks that add up to the message: its text word by word, calls with arguments after."""
    id = message.id
    if isinstance(message.content, str):
        for word in _WORDS.findall(message.content) or [message.content]:
            yield AIMessageChunk(word, id=id)
    else:
        yield AIMessageChunk(message.content, id=id)
    for index, call in enumerate(message.tool_calls):
        head = {"name": call["name"], "id": call["id"], "args": "", "index": index}
        yield AIMessageChunk(tool_call_chunks=[head], id=id)
        args = to_json(call["args"]).decode()
        for at in range(0, len(args), 8):
            piece = {"name": None, "id": None, "args": args[at : at + 8], "index": index}
            yield AIMessageChunk(tool_call_chunks=[piece], id=id)
    if message.invalid_tool_calls and isinstance(message.content, str):
        yield AIMessageChunk(list(message.invalid_tool_calls), id=id)
    yield AIMessageChunk(
        "",
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        id=id,
        chunk_position="last",
    )
