"""An answer as bytes: a message or the chunks of a stream, read back as either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic_core import from_json, to_json

from headrace.chat_models.chunking import as_chunk
from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    message_chunk_to_message,
    message_from_dict,
    sum_chunks,
)

VERSION = 1
# What metadata say of one request and not of its answer.
_OF_A_REQUEST = frozenset(
    {
        "adapted", "cached", "duration_s", "first_chunk_s", "model_asked", "structured_output",
        "waited_s",
    }
)  # fmt: skip
Fields = dict[str, Any]


def fields_of(message: AIMessage) -> Fields:
    """A message or chunk as plain data of its own, without what was said of its request."""
    data: Fields = message.model_dump(mode="json")
    about = data["response_metadata"]
    data["response_metadata"] = {k: v for k, v in about.items() if k not in _OF_A_REQUEST}
    return {name: value for name, value in data.items() if value or name == "content"}


def write_record(items: Sequence[Fields]) -> bytes:
    """The record of one message, or of the chunks of a stream."""
    return to_json({"v": VERSION, "items": items})


class Record:
    """What a store kept. Each reading gives messages of its own."""

    __slots__ = ("_items",)

    def __init__(self, data: bytes) -> None:
        """Raises InputError for what is no record of this version."""
        try:
            found = from_json(data)
            if found["v"] != VERSION or not found["items"]:
                raise InputError("a record of another version")
            self._items = [self._read(item) for item in found["items"]]
        except InputError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise InputError("the record of an answer cannot be read") from error

    @staticmethod
    def _read(item: Mapping[str, Any]) -> AIMessage:
        message = message_from_dict(item)
        if not isinstance(message, AIMessage):
            raise InputError(f"an answer is an AIMessage, not {type(message).__name__}")
        return message

    def chunks(self, about: Mapping[str, Any]) -> list[AIMessageChunk]:
        """The chunks as they came, a whole message as one; `about` is said by first and last."""
        chunks = [i if isinstance(i, AIMessageChunk) else as_chunk(i) for i in self._items]
        for index, said in ((0, {"cached": True}), (-1, about)):
            chunk = chunks[index]
            metadata = {**chunk.response_metadata, **said}
            position = "last" if index else chunk.chunk_position
            chunks[index] = chunk.model_copy(
                update={"response_metadata": metadata, "chunk_position": position}
            )
        return chunks

    def message(self, about: Mapping[str, Any]) -> AIMessage:
        """The whole answer."""
        first = self._items[0]
        if isinstance(first, AIMessageChunk):
            total = sum_chunks(cast("list[AIMessageChunk]", self._items))
            first = cast(AIMessage, message_chunk_to_message(total))
        first.response_metadata = {**first.response_metadata, **about}
        return first

    @property
    def said(self) -> dict[str, Any]:
        """The metadata of the answer, as far as each was said last."""
        said: dict[str, Any] = {}
        for item in self._items:
            said.update(item.response_metadata)
        return said
