"""The bytes of a response, as chunks or as the message, whatever the provider's decoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from headrace.chat_models.wire import EventSplitter, LineSplitter, excerpt, splitter_for
from headrace.errors import StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message, sum_chunks

# What reading raises where an answer is not made as it should be; see `malformed`.
MALFORMED = (TypeError, AttributeError, LookupError, ValueError, ArithmeticError)


def malformed(form: str, what: str, value: Any, exc: BaseException) -> WireError:
    """The error for `what` (an event, a response) that does not have the `form` of an API."""
    return WireError(
        f"the {what} does not have the form of {form} "
        f"({type(exc).__name__}: {excerpt(str(exc))}): {excerpt(repr(value)[:4096])!r}"
    )


class EventDecoder(Protocol):
    """One stream of a provider: payloads in, chunks out. Pure."""

    @property
    def ended(self) -> bool:
        """Whether the end marker was seen: what happens after it does not matter."""

    def read(self, payload: bytes) -> list[AIMessageChunk]:
        """The chunks of one payload; raises ModelError or WireError, nothing else."""

    def finish(self) -> list[AIMessageChunk]:
        """The last chunks; StreamInterruptedError if the stream ended too early."""


class StreamReader:
    """Bytes in, cut anywhere; chunks out."""

    __slots__ = ("_decoder", "_splitter", "begun")

    def __init__(self, content_type: str | None, decoder: EventDecoder) -> None:
        self._splitter, self._decoder = splitter_for(content_type), decoder
        self.begun = False

    @property
    def ended(self) -> bool:
        return self._decoder.ended

    def feed(self, data: bytes) -> Iterator[AIMessageChunk]:
        """The chunks that `data` completes; those before an error come out before it."""
        for payload in self._splitter.feed(data):
            for chunk in self._decoder.read(payload):
                self.begun = True
                yield chunk

    def end(self) -> list[AIMessageChunk]:
        """The last chunks; StreamInterruptedError if the body ended too early."""
        chunks: list[AIMessageChunk] = []
        for payload in self._splitter.flush():
            try:
                chunks.extend(self._decoder.read(payload))
            except WireError as error:
                if not self.begun:
                    raise
                raise StreamInterruptedError(
                    "the stream ended in the middle of an event; the answer is not complete"
                ) from error
        return [*chunks, *self._decoder.finish()]


def is_event_stream(content_type: str | None) -> bool:
    """Whether a body comes as a stream of events or lines, asked for or not."""
    return isinstance(splitter_for(content_type), EventSplitter | LineSplitter)


def whole_of_stream(body: bytes, content_type: str | None, decoder: EventDecoder) -> AIMessage:
    """The message of a whole body from a server that streams unasked."""
    reader = StreamReader(content_type, decoder)
    last = AIMessageChunk(chunk_position="last")
    total = sum_chunks([*reader.feed(body), *reader.end(), last])
    message = message_chunk_to_message(total)
    assert isinstance(message, AIMessage)
    return message
