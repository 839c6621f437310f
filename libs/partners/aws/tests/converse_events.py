"""Events of ConverseStream for tests: as dicts, and as the frames that carry them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from headrace.chat_models.frames import FrameSplitter, write_frame

Event = tuple[str, dict[str, Any]]


def frame(kind: str, value: Any, *, failed: bool = False) -> bytes:
    """The bytes of one event, or of an exception."""
    meaning = {":message-type": "exception", ":exception-type": kind}
    if not failed:
        meaning = {":message-type": "event", ":event-type": kind}
    headers = {**meaning, ":content-type": "application/json"}
    return write_frame(headers, json.dumps(value).encode())


def body(events: Iterable[Event]) -> bytes:
    return b"".join(frame(kind, value) for kind, value in events)


def payloads(data: bytes) -> list[Any]:
    return FrameSplitter().feed(data)


def text(*pieces: str, index: int = 0) -> list[Event]:
    """The events of a block of text."""
    deltas = [
        ("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": p}}) for p in pieces
    ]
    return [*deltas, ("contentBlockStop", {"contentBlockIndex": index})]


def end(reason: str = "end_turn", **usage: int) -> list[Event]:
    """The events that end an answer."""
    told = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8, **usage}
    return [
        ("messageStop", {"stopReason": reason}),
        ("metadata", {"usage": told, "metrics": {"latencyMs": 12}}),
    ]
