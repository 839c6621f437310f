"""Answers that are nearly objects: what is mended, what is told apart, what is asked again."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from headrace.errors import StructuredOutputError
from headrace.messages import AIMessage
from headrace.testing import ScriptedChatModel


class Movie(BaseModel):
    title: str
    release_year: int = 0


class Options(BaseModel):
    """Nothing in it must be given."""

    dry: bool = False


class Mood(Enum):
    GOOD = "good"


def asked(schema: Any, *said: Any, **options: Any) -> Any:
    return ScriptedChatModel(list(said)).with_structured_output(schema, **options)


@pytest.mark.parametrize(
    ("schema", "said", "found"),
    [
        (Movie, "{'title': 'Alien', 'release_year': None,}", Movie(title="Alien")),
        (Movie, '```json\n{"title": "Alien",}\n```', Movie(title="Alien")),
        (Movie, '{"movie": {"title": "Alien"}}', Movie(title="Alien")),
        (Movie, '[{"title": "Alien"}]', Movie(title="Alien")),
        (Movie, '{"Title": "A", "releaseYear": 7}', Movie(title="A", release_year=7)),
        (list[Movie], '{"movies": [{"title": "A"}]}', [Movie(title="A")]),
        (Mood, "**Good**.", Mood.GOOD),
        (Literal["yes", "no"], "Yes", "yes"),
        (bool, "True", True),
        (Options, '{"options": {"dry": true}}', Options(dry=True)),
    ],
)
def test_what_is_meant_without_a_doubt_is_read_and_recorded(
    world: Any, schema: Any, said: str, found: Any
) -> None:
    answer = world.invoke(asked(schema, said, include_raw=True), "hi")
    assert (answer["parsed"], answer["parsing_error"]) == (found, None)
    assert answer["raw"].response_metadata["structured_output"]["repairs"]
    with pytest.raises(StructuredOutputError):
        world.invoke(asked(schema, said, repair=False), "hi")


@pytest.mark.parametrize(
    ("schema", "said", "why"),
    [
        (str, "Sure, here it is.", "not JSON"),
        (float, "The answer is 3.5", "not JSON"),
        (Mood, "good or bad", "not JSON"),
        (Options, '{"answer": 1}', "it has no key of the schema, only `answer`"),
        (Movie, '{"a": {"title": "A"}, "b": {"title": "B"}}', "title: Field required"),
        (Movie, "{'title': 'Ali", "not JSON"),
    ],
)
def test_what_might_mean_something_else_is_an_error(
    world: Any, schema: Any, said: str, why: str
) -> None:
    with pytest.raises(StructuredOutputError, match=why):
        world.invoke(asked(schema, said), "hi")


def test_two_different_calls_for_one_object_are_asked_again(world: Any) -> None:
    def call(title: str, id: str) -> Any:
        return {"type": "tool_call", "name": "Movie", "args": {"title": title}, "id": id}

    both = AIMessage("", tool_calls=[call("A", "1"), call("B", "2")])
    one = AIMessage("", tool_calls=[call("A", "3"), call("A", "4")])
    with pytest.raises(StructuredOutputError, match="called `Movie` 2 times"):
        world.invoke(asked(Movie, both, method="function_calling"), "hi")
    again = asked(Movie, both, one, method="function_calling", retries=1)
    assert world.invoke(again, "hi") == Movie(title="A")
