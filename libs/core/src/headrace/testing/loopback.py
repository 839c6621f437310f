"""A server on loopback that speaks a provider's wire and answers with any headrace model.

For demos, conformance and README examples: the real SDK, real HTTP and real streams, without a
provider. A partner writes a `LoopbackWire`: its codec the other way round.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, Self

from headrace.engine.workers import WORKERS
from headrace.errors import HeadraceError
from headrace.messages import AIMessage, AIMessageChunk, convert_to_messages

if TYPE_CHECKING:
    from headrace.chat_models import Model


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for, in neutral terms: what `bind_tools` and `bind` take.

    `schema`: a JSON schema that the answer must follow. `stream`: whether chunks are wanted.
    """

    messages: list[Any]
    tools: list[Any] = field(default_factory=list)
    tool_choice: Any = None
    stop: list[str] | None = None
    max_tokens: int | None = None
    schema: Mapping[str, Any] | None = None
    stream: bool = False


@dataclass(frozen=True)
class Received:
    """One request as it came: `body` is its parsed JSON, `headers` have lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class LoopbackWire(Protocol):
    """How one provider's requests are read and its answers written.

    `base`: what follows the port in `base_url`. `stream_type`: the content type of streams.
    """

    base: str
    stream_type: str

    def read(self, request: Received) -> Asked | None:
        """What a request asks for; None for a path that is not the API's."""

    def whole(self, request: Received, message: AIMessage) -> Any:
        """The JSON body of a whole answer."""

    def events(self, request: Received, chunks: Iterable[AIMessageChunk]) -> Iterator[bytes]:
        """The bytes of a stream, event by event, its end marker included."""

    def error(self, status: int, message: str) -> Any:
        """The JSON body of an error."""


class LoopbackServer:
    """Serves `model` at `base_url` (a port of 127.0.0.1) inside a `with` block.

    A ModelError that the model raises goes out with its status and Retry-After; one in
    mid-stream breaks the connection. `received`: all requests, `closed_early`: those whose
    sender left before the end.
    """

    def __init__(
        self, model: Model[AIMessage], wire: LoopbackWire, *, chunk_delay: float = 0
    ) -> None:
        self.received: list[Received] = []
        self.closed_early: list[Received] = []
        handler = partial(_Handler, model, wire, chunk_delay, self.received, self.closed_early)
        self._server = _Server(("127.0.0.1", 0), handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}{wire.base}"

    @property
    def requests(self) -> list[Any]:
        """The bodies received so far."""
        return [request.body for request in self.received]

    def __enter__(self) -> Self:
        WORKERS.submit(partial(self._server.serve_forever, 0.02), Context())
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(
        self,
        model: Model[AIMessage],
        wire: LoopbackWire,
        delay: float,
        received: list[Received],
        closed: list[Received],
        *rest: Any,
    ) -> None:
        self.model, self.wire, self.delay, self.begun = model, wire, delay, False
        self.received, self.closed = received, closed
        super().__init__(*rest)

    def log_message(self, *args: Any) -> None:
        """Says nothing: the terminal belongs to the caller."""

    def do_POST(self) -> None:
        self.begun = False  # a connection serves several requests
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        names = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.command, self.path, names, json.loads(data or b"null"))
        self.received.append(request)
        try:
            asked = self.wire.read(request)
            if asked is None:
                self._send(404, self.wire.error(404, f"nothing at {self.path}"))
            elif asked.stream:
                self._stream(request, asked)
            else:
                self._send(200, self.wire.whole(request, _answer(self.model, asked)))
        except HeadraceError as error:
            self._fail(error)
        except (BrokenPipeError, ConnectionResetError):
            self.closed.append(request)
            self.close_connection = True

    def _fail(self, error: HeadraceError) -> None:
        """The error as the service would send it; in mid-stream the connection breaks off."""
        if self.begun:
            self.close_connection = True
            return
        status = getattr(error, "status", None) or 400
        wait = getattr(error, "retry_after", None)
        headers = {} if wait is None else {"retry-after": f"{wait:g}"}
        self._send(status, self.wire.error(status, str(error)), headers)

    def do_GET(self) -> None:
        self.do_POST()

    def _send(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, request: Received, asked: Asked) -> None:
        model, messages = _bound(self.model, asked)
        with model.stream(messages) as chunks:
            items = map(_chunk, chunks)
            first = list(islice(items, 1))  # what fails at once is answered by its status
            self.begun = True
            self.send_response(200)
            self.send_header("content-type", self.wire.stream_type)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for data in self.wire.events(request, chain(first, items)):
                time.sleep(self.delay)
                self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")


def _bound(model: Model[Any], asked: Asked) -> tuple[Model[Any], list[Any]]:
    """The model as the request asks for it, and the messages of the request."""
    if asked.tools:
        model = model.bind_tools(asked.tools, tool_choice=asked.tool_choice)
    if asked.stop:
        model = model.bind(stop=asked.stop)
    if asked.max_tokens:
        model = model.bind(max_tokens=asked.max_tokens)
    if asked.schema:
        schema = {"title": "Answer", **asked.schema}
        model = model.with_structured_output(schema, method="json_schema", include_raw=True)
    return model, convert_to_messages(asked.messages)


def _answer(model: Model[Any], asked: Asked) -> AIMessage:
    bound, messages = _bound(model, asked)
    answer = bound.invoke(messages)
    message: AIMessage = answer["raw"] if isinstance(answer, dict) else answer
    return message


def _chunk(item: Any) -> AIMessageChunk:
    """A chunk of a stream; of a structured one, its raw message whole."""
    if isinstance(item, AIMessageChunk):
        return item
    message = item["raw"]
    return AIMessageChunk(
        message.content,
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        id=message.id,
    )
