"""JsonOutputParser: the JSON value in a model's text, growing while it streams."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from headrace.engine.sums import NOTHING
from headrace.errors import OutputParserError
from headrace.messages.growing import partial_json
from headrace.output_parsers.base import BaseOutputParser, Spoken, shown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run
    from headrace.messages import BaseMessage

_OPENING = re.compile(r"^[ \t]*```[ \t]*(?:json\w*)?(?=[\s{\[\"])", re.MULTILINE | re.IGNORECASE)
_CLOSING = re.compile(r"^[ \t]*```|```\s*\Z", re.MULTILINE)


class JsonOutputParser(BaseOutputParser[Any]):
    """The value of strict JSON, alone in the text or in a ```json block.

    A stream gives the value as far as it is known, whenever that has changed: strings grow, a
    key comes with its value, numbers come whole. The sum of these values is the last one.
    `pydantic_object`, a pydantic model, only stands in the instructions.
    """

    __slots__ = ("pydantic_object",)

    def __init__(self, pydantic_object: Any = None) -> None:
        self.pydantic_object = pydantic_object

    def parse(self, text: str) -> Any:
        return read_json(text)

    async def _transform(
        self, chunks: AsyncIterator[BaseMessage | str], run: Run
    ) -> AsyncGenerator[Any, None]:
        text, latest, came = "", NOTHING, False
        spoken = Spoken()
        async for chunk in chunks:
            came = True
            piece = spoken.read(chunk)
            text = "" if spoken.anew else text + piece
            if not piece:
                continue
            value: Any = partial_json(json_in(text))
            if value is not None and value != latest:
                latest = value
                yield replacing(value)
        if came:
            value = read_json(text + spoken.rest())
            if value != latest or latest is NOTHING:
                yield replacing(value)

    def get_format_instructions(self) -> str:
        """Words for a prompt that say what to answer with."""
        if self.pydantic_object is None:
            return "Answer with one JSON value and nothing else."
        return instructions(self.pydantic_object)


def instructions(schema: Any) -> str:
    """Words that ask for JSON of a pydantic model, or of what a TypeAdapter takes."""
    made = getattr(schema, "model_json_schema", None) or schema.json_schema
    return (
        "Answer with one JSON value that fits this JSON Schema and nothing else:\n"
        + to_json(made()).decode()
    )


def read_json(text: str) -> Any:
    """The value of the JSON in a text; OutputParserError if there is none, or it is cut off."""
    document = json_in(text)
    try:
        return from_json(document, allow_inf_nan=False)
    except ValueError as error:
        why = f"the text is not JSON: {error}" if document.strip() else "there is no text"
        raise OutputParserError(f"{why}; found {shown(text)}") from error


def json_in(text: str) -> str:
    """The part of a text that should be JSON: the first fenced block, or all of it."""
    if text.lstrip()[:1] in ("{", "[", '"'):
        return text
    opening = _OPENING.search(text)
    if opening is None:
        return text
    inside = text[opening.end() :]
    closing = _CLOSING.search(inside)
    return inside[: closing.start()] if closing else inside


class LatestDict(dict[str, Any]):
    """A dict that a later value replaces when the chunks of a stream are added up."""

    __slots__ = ()

    def __add__(self, later: Any) -> Any:
        return later


class LatestList(list[Any]):
    """A list that a later value replaces when the chunks of a stream are added up."""

    __slots__ = ()

    def __add__(self, later: Any) -> Any:
        return later


def replacing(value: Any) -> Any:
    """A dict or list that the next one replaces in a sum; another value as it is."""
    if isinstance(value, dict):
        return LatestDict(value)
    return LatestList(value) if isinstance(value, list) else value
