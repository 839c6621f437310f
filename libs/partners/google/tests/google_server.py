"""A stand-in for Google on loopback that answers what a test tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

_SAID = {"role": "model", "parts": [{"text": "hi"}]}
HELLO = {
    "candidates": [{"index": 0, "content": _SAID, "finishReason": "STOP"}], "modelVersion": "m",
}  # fmt: skip


@dataclass
class Google:
    """`answers`: what each request gets, the last one for all that follow: JSON, or (status,
    JSON, headers), or the events of a stream as a list. `seen`: what was asked."""

    answers: list[Any]
    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)

    @property
    def last(self) -> dict[str, Any]:
        return self.seen[-1]

    @property
    def body(self) -> Any:
        """The body of the last request."""
        return self.last["body"]


@contextmanager
def google(*answers: Any) -> Iterator[Google]:
    """A server that gives these answers; `HELLO` if none are given."""
    state = Google(list(answers) or [HELLO])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(data) if data else None
            state.seen.append({"path": self.path, "headers": headers, "body": body})
            answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            status, value, more = answer if isinstance(answer, tuple) else (200, answer, {})
            kind = "application/json"
            if "stream" in self.path and status == 200:
                kind = "text/event-stream"
                events = value if isinstance(value, list) else [value]
                out = b"".join(b"data: " + json.dumps(e).encode() + b"\r\n\r\n" for e in events)
            else:
                out = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {
                "content-type": kind,
                "content-length": str(len(out)),
                **more,
            }.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(out)

        def do_GET(self) -> None:
            self.do_POST()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
