from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from headrace.errors import InputError, OutputParserError
from headrace.messages import AIMessage, AIMessageChunk
from headrace.output_parsers import (
    BaseOutputParser,
    JsonOutputParser,
    PydanticOutputParser,
    StrOutputParser,
)


def chunks(*texts: str) -> list[AIMessageChunk]:
    return [*map(AIMessageChunk, texts), AIMessageChunk("", chunk_position="last")]


@pytest.mark.parametrize(
    "input",
    ["hi", AIMessage("hi"), AIMessageChunk("hi"), AIMessage([{"type": "text", "text": "hi"}])],
)
def test_the_text_of_a_message_or_a_str_is_given(world: Any, input: Any) -> None:
    assert world.invoke(StrOutputParser(), input) == "hi"


def test_reasoning_is_not_text(world: Any) -> None:
    blocks = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "hi"}]
    assert world.invoke(StrOutputParser(), AIMessage(blocks)) == "hi"


def test_text_is_streamed_piece_by_piece_without_empty_pieces(world: Any) -> None:
    assert world.transform(StrOutputParser(), chunks("a", "", "b")) == ["a", "b"]


def test_a_stream_without_text_gives_one_empty_str(world: Any) -> None:
    assert world.transform(StrOutputParser(), chunks("", "")) == [""]
    assert world.transform(StrOutputParser(), []) == []


def test_the_first_piece_comes_before_the_second_is_read() -> None:
    read = []

    def pieces() -> Any:
        for text in ("a", "b"):
            read.append(text)
            yield text

    stream = StrOutputParser().transform(pieces())
    assert (next(stream), read) == ("a", ["a"])
    stream.close()


def test_what_is_no_message_is_an_input_error(world: Any) -> None:
    with pytest.raises(InputError, match="reads a message or a str, not 3"):
        world.invoke(StrOutputParser(), 3)


class Upper(BaseOutputParser[str]):
    def parse(self, text: str) -> str:
        return text.upper()


def test_a_parser_of_ones_own_needs_parse_alone(world: Any) -> None:
    assert world.invoke(Upper(), AIMessage("hi")) == "HI"
    assert world.transform(Upper(), chunks("a", "b")) == ["AB"]


def test_a_parser_without_parse_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="class Half has no `def parse"):
        type("Half", (BaseOutputParser,), {})


class Movie(BaseModel):
    title: str
    year: int


def test_an_object_is_made_of_the_json(world: Any) -> None:
    text = '```json\n{"title": "Alien", "year": "1979"}\n```'
    assert world.invoke(PydanticOutputParser(Movie), text) == Movie(title="Alien", year=1979)


def test_an_object_is_streamed_once_and_whole(world: Any) -> None:
    pieces = chunks('{"title": "Al', 'ien", "year": 1979}')
    found = world.transform(PydanticOutputParser(Movie), pieces)
    assert found == [Movie(title="Alien", year=1979)]


def test_a_type_adapter_stands_for_other_types(world: Any) -> None:
    assert world.invoke(PydanticOutputParser(TypeAdapter(list[int])), "[1, 2]") == [1, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"title": "Alien"}', "no Movie: `year`: Field required; found .*Alien"),
        ("sorry", "not JSON: .*found 'sorry'"),
        ("", "there is no text"),
    ],
)
def test_a_text_that_is_no_such_object_is_an_error_that_shows_it(text: str, message: str) -> None:
    with pytest.raises(OutputParserError, match=message):
        PydanticOutputParser(Movie).invoke(text)


def test_a_long_text_is_shortened_in_the_error() -> None:
    with pytest.raises(OutputParserError) as caught:
        PydanticOutputParser(Movie).invoke("x" * 10_000)
    assert len(str(caught.value)) < 800


def test_the_instructions_hold_the_schema() -> None:
    assert '"year"' in PydanticOutputParser(Movie).get_format_instructions()


def test_what_is_no_schema_is_an_input_error() -> None:
    with pytest.raises(InputError, match="takes a pydantic model"):
        PydanticOutputParser(dict)


def test_importing_parsers_loads_neither_pydantic_nor_asyncio() -> None:
    code = (
        "import sys, headrace.output_parsers\n"
        "sys.exit(' '.join({'pydantic', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_the_model_of_a_parser_may_be_named_pydantic_object(world: Any) -> None:
    said = '{"title": "Alien", "year": 1979}'
    found = world.invoke(PydanticOutputParser(pydantic_object=Movie), said)
    assert found == Movie(title="Alien", year=1979)
    parser = JsonOutputParser(pydantic_object=Movie)
    assert world.invoke(parser, said) == {"title": "Alien", "year": 1979}
    asks = parser.get_format_instructions()
    assert asks == PydanticOutputParser(Movie).get_format_instructions()
    with pytest.raises(InputError, match="takes a pydantic model, not None"):
        PydanticOutputParser()
