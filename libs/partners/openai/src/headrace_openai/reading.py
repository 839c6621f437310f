"""The bytes of a response, as chunks or as the message."""

from __future__ import annotations

from collections.abc import Iterator

from headrace.chat_models.wire import excerpt, parse, splitter_for
from headrace.errors import StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace_openai.decode import Decoder, decode_response


class StreamReader:
    """Bytes in, cut anywhere; chunks out."""

    __slots__ = ("_decoder", "_splitter", "begun")

    def __init__(self, content_type: str | None, decoder: Decoder) -> None:
        self._splitter, self._decoder = splitter_for(content_type), decoder
        self.begun = False

    @property
    def ended(self) -> bool:
        """Whether `[DONE]` was seen: what happens after it does not matter."""
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


def read_models(data: bytes) -> list[str]:
    """The names in a list of models; some services give the bare list, or name folders."""
    listed = parse(data)
    rows = listed.get("data") if isinstance(listed, dict) else listed
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WireError(f"a list of models was expected, not {excerpt(data)}")
    return sorted({str(row["id"]).removeprefix("models/") for row in rows if row.get("id")})


def read_whole(
    body: bytes, content_type: str | None, *, provider: str, request_id: str | None
) -> AIMessage:
    """The message of a whole body, also from a server that streams unasked."""
    if content_type is not None and content_type.startswith("text/event-stream"):
        decoder = Decoder(provider=provider, request_id=request_id)
        reader = StreamReader(content_type, decoder)
        last = AIMessageChunk(chunk_position="last")
        chunks = [*reader.feed(body), *reader.end(), last]
        total = chunks[0] + chunks[1:]
        message = message_chunk_to_message(total)
        assert isinstance(message, AIMessage)
        return message
    return decode_response(parse(body), provider=provider, request_id=request_id)
