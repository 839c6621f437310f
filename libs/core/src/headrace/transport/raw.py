"""RawChatModel: a chat model over an SDK's unread response; bytes in, our chunks out.

A partner writes pure encoders and decoders, and an `Exchange` that joins them to its SDK.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from headrace.chat_models import CLIENTS, BaseChatModel, Timeout
from headrace.chat_models.wire import parse
from headrace.errors import HeadraceError, ModelConnectionError
from headrace.messages import AIMessage, AIMessageChunk, BaseMessage
from headrace.transport.names import names_of, read_chunk_names, read_names
from headrace.transport.reading import (
    EventDecoder,
    StreamReader,
    is_event_stream,
    whole_of_stream,
)
from headrace.transport.sdk import Limits, SDKClient

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.engine.run import Run
    from headrace.engine.worlds import World


class Exchange(ABC):
    """One request to one service: address and key as resolved now, and its codec.

    `host`: for messages. `client_key`: models whose exchanges have equal keys share a client; it
    raises MissingCredentialError where a key is missing, which encoding does not need.
    `secrets`: texts that must not be in an error, because some servers repeat them.
    """

    @property
    @abstractmethod
    def host(self) -> str: ...

    @property
    @abstractmethod
    def client_key(self) -> Hashable: ...

    @property
    def secrets(self) -> tuple[str, ...]:
        return ()

    @abstractmethod
    def make_client(self, is_async: bool) -> SDKClient:
        """A new client for this service, for sync calls or for the running event loop."""

    @abstractmethod
    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        """The body of the request; what is not written as asked is in `settings.notes`."""

    @abstractmethod
    def send(self, client: SDKClient, body: Mapping[str, Any], limits: Limits) -> Any:
        """The unread response (`headers`, `iter_bytes`, `close` and their async twins).

        An awaitable of it from an async client.
        """

    @abstractmethod
    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        """The message in the parsed JSON of a whole response."""

    @abstractmethod
    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> EventDecoder:
        """The decoder of the stream that answers the request `body`."""

    @abstractmethod
    def error(self, exc: Exception, *, begun: bool) -> Exception:
        """The error of ours for one of the SDK's; `begun`: there was a response already."""


class Gate:
    """Lets errors of the SDK and its HTTP client out as headrace's: the one place for it.

    `begun`: there is a response, so a broken connection is a StreamInterruptedError. `done`: the
    answer is complete, so what still breaks does not matter.
    """

    __slots__ = ("_exchange", "_watch", "begun", "done")

    def __init__(self, exchange: Exchange, watch: Any = None) -> None:
        self._exchange, self._watch = exchange, watch
        self.begun = self.done = False

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> bool:
        if not isinstance(exc, Exception):
            return False
        if self._watch is not None and (refused := getattr(exc, "response", None)) is not None:
            self._watch.headers = getattr(refused, "headers", None)
        error = exc
        if not isinstance(exc, HeadraceError):
            error = self._exchange.error(exc, begun=self.begun)
        if self.done and isinstance(error, ModelConnectionError):
            return True
        redact(error, self._exchange.secrets)
        if error is exc:
            return False
        raise error from exc


def redact(error: Exception, secrets: tuple[str, ...]) -> None:
    """Cuts secrets out of a message, where some servers repeat them in full."""
    if not isinstance(error, HeadraceError):
        return
    for secret in secrets:
        if len(secret) >= 8:
            error.args = tuple(
                arg.replace(secret, "[key]") if isinstance(arg, str) else arg for arg in error.args
            )


class RawChatModel(BaseChatModel, abstract=True):
    """A chat model whose partner writes `_exchange`, and `warm` if its SDK is slow to load."""

    sdk: ClassVar[str] = ""  # the SDK's module, loaded by `warm` before a first request

    def _exchange(self) -> Exchange:
        """The service as it is resolved now; keys are never kept in the model."""
        raise NotImplementedError

    @classmethod
    def _warm(cls) -> None:
        """Does in a worker what would block an event loop: the imports, and the SSL context."""

    async def _prepare(self, run: Run) -> None:
        if self.sdk not in sys.modules:
            await run.io.blocking(type(self)._warm)

    async def _generate(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AIMessage:
        exchange, watch = self._exchange(), settings.watch
        body = exchange.encode(messages, settings, stream=False)
        pieces = []
        with Gate(exchange, watch) as gate:
            limits = Limits.of(settings, stream=False)
            response = await self._send(exchange, body, limits, run)
            gate.begun, watch.headers = True, response.headers
            try:
                async for data in run.io.iterate(_bytes_of(response, run)):
                    watch.saw(False)
                    pieces.append(data)
            finally:
                await _close(response, run)
            message = _whole(exchange, b"".join(pieces), body, response.headers)
        return read_names(message, names_of(settings))

    async def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        exchange, watch = self._exchange(), settings.watch
        body = exchange.encode(messages, settings, stream=True)
        names = names_of(settings)
        with Gate(exchange, watch) as gate:
            limits = Limits.of(settings, stream=True)
            response = await self._send(exchange, body, limits, run)
            gate.begun, watch.headers = True, response.headers
            decoder = exchange.decoder(body, response.headers)
            reader = StreamReader(response.headers.get("content-type"), decoder)
            try:
                async for data in run.io.iterate(_bytes_of(response, run)):
                    watch.saw(False)  # keep-alives are no content
                    for chunk in reader.feed(data):
                        yield read_chunk_names(chunk, names)
                    gate.done = reader.ended
            finally:
                await _close(response, run)
            gate.done = False  # what is wrong with the end of an answer does matter
            for chunk in reader.end():
                yield read_chunk_names(chunk, names)

    def _request(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool = False
    ) -> dict[str, Any]:
        return self._exchange().encode(messages, settings, stream=stream)

    async def _client(self, exchange: Exchange, io: World) -> SDKClient:
        """The client for this exchange, in this world; closed with its event loop."""
        make = partial(exchange.make_client, io.is_async)
        client: SDKClient = CLIENTS.use(self._user, exchange.client_key, make, is_async=io.is_async)
        if io.is_async:
            await client.watch()
        return client

    async def _send(
        self, exchange: Exchange, body: Mapping[str, Any], limits: Limits, run: Run
    ) -> Any:
        client = await self._client(exchange, run.io)
        return await run.io.settle(exchange.send(client, body, limits))

    async def _ask_aside(self, exchange: Exchange, ask: Any, io: World) -> Any:
        """What `ask(client, limits)` gives: a request beside the conversation, such as a list."""
        await io.blocking(type(self)._warm)
        patience = cast("Timeout", self.timeout)
        limits = Limits(patience.connect, patience.for_invoke())
        with Gate(exchange):
            return await io.settle(ask(await self._client(exchange, io), limits))


def _whole(
    exchange: Exchange, data: bytes, body: Mapping[str, Any], headers: Mapping[str, str]
) -> AIMessage:
    kind = headers.get("content-type")
    if is_event_stream(kind):  # a server that streams unasked
        return whole_of_stream(data, kind, exchange.decoder(body, headers))
    return exchange.decode(parse(data), headers)


def _bytes_of(response: Any, run: Run) -> Any:
    return response.aiter_bytes() if run.io.is_async else response.iter_bytes()


async def _close(response: Any, run: Run) -> None:
    await run.io.settle(response.aclose() if run.io.is_async else response.close())
