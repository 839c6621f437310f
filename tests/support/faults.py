"""What a provider on loopback does wrong, by script: answers for the `Wire` of conftest."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any

Answer = Callable[[Any], None]

DONE = b"data: [DONE]\n\n"


def good(handler: Any) -> None:
    """A whole answer, streamed if asked for; a call of the first tool if there are tools."""
    said: dict[str, Any] = {"content": "whole"}
    if tools := handler.body.get("tools"):
        function = {"name": tools[0]["function"]["name"], "arguments": '{"name": "Ulm"}'}
        said = {"tool_calls": [{"index": 0, "id": "1", "type": "function", "function": function}]}
    if handler.body.get("stream"):
        begin_stream(handler)
        handler.event(said)
        handler.event({}, "stop")
        handler.piece(DONE)
        handler.wfile.write(b"0\r\n\r\n")
        return
    choice = {"index": 0, "message": {"role": "assistant", **said}, "finish_reason": "stop"}
    handler.whole(200, json.dumps({"id": "c", "model": "m", "choices": [choice]}))


def begin_stream(handler: Any) -> None:
    handler.head(200, "text/event-stream", transfer_encoding="chunked")


def refused(status: int, code: str = "", **headers: str) -> Answer:
    """An error status, with an error object."""

    def answer(handler: Any) -> None:
        error = {"message": f"status {status}", "code": code or None}
        handler.whole(status, json.dumps({"error": error}), **headers)

    return answer


def reset(handler: Any) -> None:
    """Resets the connection in place of an answer."""
    linger = struct.pack("ii", 1, 0)  # close sends RST
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    handler.server.shutdown_request = lambda request: request.close()


def half(handler: Any) -> None:
    """Half of an answer, then the end of the connection."""
    if handler.body.get("stream"):
        begin_stream(handler)
        handler.event({"content": "half "})
        handler.event({"content": "an answer"})
    else:
        handler.head(200, "application/json", content_length="1000")
        handler.wfile.write(b'{"id": "c", "choices"')
    handler.close_connection = True


def garbage(handler: Any) -> None:
    """What is not HTTP at all."""
    handler.wfile.write(b"\x00\x01garbage\r\n\r\n")
    handler.close_connection = True


def silent(handler: Any) -> None:
    """No byte of an answer, until the client leaves."""
    gone(handler)


def stalled(handler: Any) -> None:
    """A first chunk, and then silence until the client leaves."""
    begin_stream(handler)
    handler.event({"content": "half "})
    handler.event({"content": "an answer"})
    gone(handler)


def kept_alive(handler: Any) -> None:
    """Comments, and never any content."""
    begin_stream(handler)
    while True:
        handler.piece(b": ping\n\n")
        time.sleep(0.01)


def dripping_headers(handler: Any) -> None:
    """A byte of a header now and then, and never their end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.01)


def gone(handler: Any) -> None:
    """Waits until the client closes the connection, and says so to the test."""
    handler.rfile.read(1)
    raise ConnectionResetError


class Until:
    """`fault` for the first `count` requests of each prompt, then `then`."""

    def __init__(self, count: int, fault: Answer, then: Answer = good) -> None:
        self._count, self._fault, self._then = count, fault, then
        self._seen: Counter[str] = Counter()
        self._lock = Lock()

    def __call__(self, handler: Any) -> None:
        prompt = handler.body["messages"][-1]["content"]
        with self._lock:
            self._seen[prompt] += 1
            fails = self._seen[prompt] <= self._count
        (self._fault if fails else self._then)(handler)
