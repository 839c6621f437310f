"""Answers and events in the form of Chat Completions, and what the decoders make of them."""

from __future__ import annotations

from typing import Any

from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace_openai.decode import Decoder


def response(message: Any, finish: Any = "stop", **rest: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "r1", "model": "m-1", "choices": [choice], **rest}


def event(delta: Any, finish: Any = None, index: int = 0, **rest: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "r1", "model": "m-1", "choices": [choice], **rest}


def chunks_of(*events: Any, done: bool = True) -> list[AIMessageChunk]:
    decoder = Decoder()
    chunks = [chunk for item in events for chunk in decoder.feed(item)]
    if done:
        chunks += decoder.read(b"[DONE]")
    return [*chunks, *decoder.finish()]


def total_of(*events: Any, done: bool = True) -> AIMessage:
    last = AIMessageChunk(chunk_position="last")
    message = message_chunk_to_message(sum([*chunks_of(*events, done=done), last]))  # type: ignore[arg-type]
    assert isinstance(message, AIMessage)
    return message


def calls(*pieces: Any) -> dict[str, Any]:
    return {"tool_calls": list(pieces)}


def call(
    args: Any = "", *, index: Any = 0, id: Any = None, name: Any = None, **rest: Any
) -> dict[str, Any]:
    piece: dict[str, Any] = {"function": {"name": name, "arguments": args}, "id": id, **rest}
    return piece if index is None else {**piece, "index": index}


def called(message: AIMessage) -> list[tuple[Any, ...]]:
    return [(c["id"], c["name"], c["args"]) for c in message.tool_calls]
