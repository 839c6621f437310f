"""A finished message cut into the chunks of a stream, deterministically."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic_core import to_json

from headrace.chat_models.chunking import calls_apart, piece_of
from headrace.messages import AIMessage, AIMessageChunk

_WORDS = re.compile(r"\s*\S+\s*")


def pieces(message: AIMessage) -> Iterator[AIMessageChunk]:
    """Chunks that add up to the message: its text word by word, calls with arguments after."""
    id = message.id
    content, calls = calls_apart(message)
    if isinstance(content, str):
        for word in _WORDS.findall(content) or [content]:
            yield AIMessageChunk(word, id=id)
    else:
        yield AIMessageChunk(content, id=id)
    for index, call in calls:
        yield AIMessageChunk(tool_call_chunks=[piece_of(call, index, "")], id=id)
        args = to_json(call["args"]).decode()
        for at in range(0, len(args), 8):
            piece = {"name": None, "id": None, "args": args[at : at + 8], "index": index}
            yield AIMessageChunk(tool_call_chunks=[piece], id=id)
    yield AIMessageChunk(
        "",
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        id=id,
        name=message.name,
        additional_kwargs=message.additional_kwargs,
        chunk_position="last",
    )
