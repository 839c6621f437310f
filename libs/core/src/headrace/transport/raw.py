"""RawChatModel: a chat model over an SDK's unread response; bytes in, our chunks out.

A partner writes pure encoders and decoders, and an `Exchange` that joins them to its SDK.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from headrace.chat_models import BaseChatModel
from headrace.chat_models.wire import parse
from headrace.messages import AIMessage, AIMessageChunk, BaseMessage
from headrace.transport.door import Door, Gate, RawModel, bytes_of, close_response
from headrace.transport.names import names_of, read_chunk_names, read_names
from headrace.transport.reading import (
    EventDecoder,
    StreamReader,
    is_event_stream,
    whole_of_stream,
)
from headrace.transport.sdk import Limits

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.engine.run import Run


class Exchange(Door):
    """One request for an answer of a chat model, and its codec."""

    @abstractmethod
    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        """The body of the request; what is not written as asked is in `settings.notes`."""

    @abstractmethod
    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        """The message in the parsed JSON of a whole response."""

    @abstractmethod
    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> EventDecoder:
        """The decoder of the stream that answers the request `body`."""


class RawChatModel(RawModel, BaseChatModel, abstract=True):
    """A chat model whose partner writes `_exchange`, and `_warm` if its SDK is slow to load."""

    def _exchange(self) -> Exchange:
        """The service as it is resolved now; keys are never kept in the model."""
        raise NotImplementedError

    def _exchange_for(self, settings: Settings) -> Exchange:
        """As `_exchange`, where a request itself decides by which of several APIs it goes."""
        return self._exchange()

    def _address(self) -> str:
        return self.base_url or self._exchange().host

    async def _generate(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AIMessage:
        exchange, watch = self._exchange_for(settings), settings.watch
        body = exchange.encode(messages, settings, stream=False)
        with Gate(exchange, watch) as gate:
            data, headers = await self._read(exchange, body, gate, watch, run)
            message = _whole(exchange, data, body, headers)
        return read_names(message, names_of(settings))

    async def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        exchange, watch = self._exchange_for(settings), settings.watch
        body = exchange.encode(messages, settings, stream=True)
        names = names_of(settings)
        with Gate(exchange, watch) as gate:
            limits = Limits.of(watch, stream=True)
            response = await self._send(exchange, body, limits, run)
            gate.begun, watch.headers = True, response.headers
            decoder = exchange.decoder(body, response.headers)
            reader = StreamReader(response.headers.get("content-type"), decoder)
            try:
                async for data in run.io.iterate(bytes_of(response, run.io)):
                    watch.saw(False)  # keep-alives are no content
                    for chunk in reader.feed(data):
                        yield read_chunk_names(chunk, names)
                    gate.done = reader.ended
            finally:
                await close_response(response, run.io)
            gate.done = False  # what is wrong with the end of an answer does matter
            for chunk in reader.end():
                yield read_chunk_names(chunk, names)

    def _request(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool = False
    ) -> dict[str, Any]:
        return self._exchange_for(settings).encode(messages, settings, stream=stream)


def _whole(
    exchange: Exchange, data: bytes, body: Mapping[str, Any], headers: Mapping[str, str]
) -> AIMessage:
    kind = headers.get("content-type")
    if is_event_stream(kind):  # a server that streams unasked
        return whole_of_stream(data, kind, exchange.decoder(body, headers))
    return exchange.decode(parse(data), headers)
