"""What the loopback server answers: the bytes of replies, rendered before anything is timed.

A reply's name says what it is: `plain`, `wait` (plain, 50 ms late), `movie`, `text-N` and
`tools-N` (N chunks in bursts), `paced-N` (one event a read, 1 ms apart).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

WORDS = [f" w{i:03}" for i in range(1_000)]  # LiteLLM ends a stream that repeats a chunk
MOVIE = {"title": "Inception", "year": 2010, "cast": ["DiCaprio", "Page", "Hardy"]}
SIZE = len(WORDS[0])
PLAIN = "".join(WORDS[:200])
BURST = 16_384  # bytes
EVENT_STREAM, JSON = "text/event-stream", "application/json"


@dataclass(frozen=True)
class Reply:
    """Pieces of a body; each is written by itself, `pause` seconds after the one before."""

    kind: str
    pieces: tuple[bytes, ...]
    pause: float = 0
    delay: float = 0


def words(count: int) -> list[str]:
    """The pieces of a text."""
    return [WORDS[i % len(WORDS)] for i in range(count)]


def arguments(count: int) -> list[str]:
    """The pieces of a tool call's arguments."""
    return ['{"text": "', *words(count - 2), '"}']


def length(name: str) -> int:
    """How many characters of text or of arguments a reply has."""
    kind, _, count = name.partition("-")
    if kind == "tools":
        return sum(map(len, arguments(int(count))))
    return SIZE * int(count) if count else len(PLAIN)


@cache
def reply(name: str, wire: str) -> Reply:
    """The reply of that name as `openai` (Chat Completions) or `anthropic` sends it."""
    kind, _, count = name.partition("-")
    if not count:
        text = json.dumps(MOVIE) if kind == "movie" else PLAIN
        whole = _completion(text) if wire == "openai" else _message(text)
        return Reply(JSON, (json.dumps(whole).encode(),), delay=0.05 if kind == "wait" else 0)
    is_tool = kind == "tools"
    texts = arguments(int(count)) if is_tool else words(int(count))
    events = (_chat_events if wire == "openai" else _claude_events)(texts, is_tool)
    if kind == "paced":
        return Reply(EVENT_STREAM, tuple(events), pause=0.001)
    data = b"".join(events)
    bursts = (data[at : at + BURST] for at in range(0, len(data), BURST))
    return Reply(EVENT_STREAM, tuple(bursts))


def _completion(text: str) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None, "annotations": []},
        "logprobs": None,
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 12, "completion_tokens": 200, "total_tokens": 212}
    return {**_head("chat.completion"), "choices": [choice], "usage": usage}


def _head(kind: str) -> dict[str, Any]:
    made = {"id": "chatcmpl-1", "object": kind, "created": 1_790_000_000, "model": "gpt-4o-mini"}
    return {**made, "service_tier": "default", "system_fingerprint": "fp_1"}


def _chat_events(texts: list[str], is_tool: bool) -> list[bytes]:
    head = _head("chat.completion.chunk")
    named = {"index": 0, "id": "call_1", "type": "function"}
    first: dict[str, Any] = {"role": "assistant", "content": None if is_tool else ""}
    if is_tool:
        first["tool_calls"] = [{**named, "function": {"name": "write", "arguments": ""}}]
    deltas = [first]
    for text in texts:
        call = {"index": 0, "function": {"arguments": text}}
        deltas.append({"tool_calls": [call]} if is_tool else {"content": text})
    deltas.append({})
    events = []
    for delta in deltas:
        reason = None if delta else "tool_calls" if is_tool else "stop"
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        event = json.dumps({**head, "choices": [choice]}, separators=(",", ":"))
        events.append(b"data: %b\n\n" % event.encode())
    return [*events, b"data: [DONE]\n\n"]


def _message(text: str | None) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [] if text is None else [{"type": "text", "text": text}],
        "stop_reason": None if text is None else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 200},
    }


def _claude_events(texts: list[str], is_tool: bool) -> list[bytes]:
    block: dict[str, Any] = {"type": "text", "text": ""}
    if is_tool:
        block = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": _message(None)},
        {"type": "content_block_start", "index": 0, "content_block": block},
    ]
    for text in texts:
        delta = {"type": "text_delta", "text": text}
        if is_tool:
            delta = {"type": "input_json_delta", "partial_json": text}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    end = {"stop_reason": "tool_use" if is_tool else "end_turn", "stop_sequence": None}
    events += [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": len(texts)}},
        {"type": "message_stop"},
    ]
    line = "event: {}\ndata: {}\n\n"
    compact = [json.dumps(event, separators=(",", ":")) for event in events]
    return [line.format(e["type"], text).encode() for e, text in zip(events, compact, strict=True)]
