"""A provider on loopback that does what a test says: drips, fails, hangs, cuts off."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Wire

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(self.body)
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.disconnected.append(time.monotonic())
            self.close_connection = True

    def head(self, status: int, kind: str, **more: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, **more}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def whole(self, status: int, text: str, kind: str = "application/json", **more: str) -> None:
        data = text.encode()
        self.head(status, kind, content_length=str(len(data)), **more)
        self.wfile.write(data)

    def piece(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.server.written += 1

    def event(self, delta: dict[str, Any], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        value = {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
        self.piece(b"data: " + json.dumps(value).encode() + b"\n\n")


class Wire(ThreadingHTTPServer):
    """`answers`: what each request gets, the last one for all that follow."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.requests: list[Any] = []
        self.disconnected: list[float] = []
        self.written = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def dripping(every: float, pieces: int = 2000) -> Answer:
    """A chunk every so many seconds, for streams; a whole answer at once otherwise."""

    def answer(handler: Handler) -> None:
        if not handler.body.get("stream"):
            message = {"role": "assistant", "content": "whole"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            handler.whole(200, json.dumps({"id": "c", "model": "m", "choices": [choice]}))
            return
        handler.head(200, "text/event-stream", transfer_encoding="chunked")
        for number in range(pieces):
            handler.event({"content": f"{number} "})
            time.sleep(every)
        handler.event({}, "stop")
        handler.piece(b"data: [DONE]\n\n")
        handler.wfile.write(b"0\r\n\r\n")

    return answer


@pytest.fixture
def serve() -> Iterator[Callable[..., Wire]]:
    """Starts a Wire with the given answers; all end with the test."""
    opened: list[Wire] = []

    def start(*answers: Answer) -> Wire:
        wire = Wire(*answers)
        opened.append(wire)
        threading.Thread(target=wire.serve_forever, args=(0.01,), daemon=True).start()
        return wire

    yield start
    for wire in opened:
        wire.shutdown()
        wire.server_close()


@pytest.fixture
def drip() -> Callable[..., Answer]:
    return dripping
