"""Tools made of generators and of methods."""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from headrace import tool_loop
from headrace.errors import InputError, ToolError
from headrace.messages import AIMessage, ToolMessage
from headrace.testing import ScriptedChatModel
from headrace.tools import tool


def call(name: str, **args: Any) -> Any:
    return {"type": "tool_call", "name": name, "args": args, "id": "1"}


@tool
def spell(word: str) -> Iterator[str]:
    """Spells a word."""
    yield from word


@tool
async def aspell(word: str) -> AsyncIterator[str]:
    """Spells a word."""
    for letter in word:
        yield letter


@pytest.mark.parametrize("made", [spell, aspell])
def test_a_generator_gives_the_sum_of_its_parts_and_streams_them(world: Any, made: Any) -> None:
    assert world.invoke(made, {"word": "abc"}) == "abc"
    assert world.stream(made, {"word": "abc"}) == ["a", "b", "c"]
    answer = ToolMessage("abc", "1", name=made.name)
    assert world.invoke(made, call(made.name, word="abc")) == answer
    assert world.stream(made, call(made.name, word="abc")) == [answer]


def test_a_loop_answers_a_call_with_the_sum_of_a_generator(world: Any) -> None:
    model = ScriptedChatModel([AIMessage("", tool_calls=[call("spell", word="ab")]), "ok"])
    items = world.stream(tool_loop(model, [spell]), "hi")
    assert [item.text for item in items if isinstance(item, ToolMessage)] == ["ab"]


def test_of_parts_that_do_not_add_the_last_is_the_value(world: Any) -> None:
    @tool(response_format="content_and_artifact")
    def search() -> Iterator[Any]:
        """Searches."""
        yield "looking"
        yield "found", [1]

    @tool
    def nothing() -> Iterator[str]:
        """Yields nothing."""
        yield from ()

    assert world.invoke(search, call("search")) == ToolMessage(
        "found", "1", name="search", artifact=[1]
    )
    assert world.invoke(nothing, {}) is None


def test_errors_of_a_generator_follow_the_policies(world: Any) -> None:
    @tool(handle_tool_error=True, handle_validation_error="wrong")
    def breaks(at: int) -> Iterator[str]:
        """Breaks."""
        yield "a"
        raise ToolError(f"broken at {at}")

    assert world.invoke(breaks, {"at": 1}) == "broken at 1"
    assert world.stream(breaks, {"at": 1}) == ["a", "broken at 1"]
    assert world.stream(breaks, {"at": "x"}) == ["wrong"]


def test_a_stream_that_is_left_closes_the_generator() -> None:
    closed: list[str] = []

    @tool
    def count() -> Iterator[int]:
        """Counts."""
        try:
            yield from range(9)
        finally:
            closed.append("closed")

    with count.stream({}) as numbers:
        assert next(numbers) == 0
    assert closed == ["closed"]


class Shelf:
    """A toolbox: its methods are tools of each instance."""

    def __init__(self, *books: str) -> None:
        self.books = books

    @tool
    def find(self, word: str) -> list[str]:
        """Finds books by a word."""
        return [book for book in self.books if word in book]

    @tool("fetch")
    async def get(self, number: int) -> str:
        """Fetches a book."""
        return self.books[number]


def test_a_method_is_a_tool_of_each_instance(world: Any) -> None:
    one, two = Shelf("blue moon"), Shelf("red moon")
    assert Shelf.find.parameters["required"] == ["word"]
    assert world.invoke(one.find, {"word": "moon"}) == ["blue moon"]
    assert world.invoke(two.find, {"word": "moon"}) == ["red moon"]
    assert world.invoke(one.get, call("fetch", number=0)).text == "blue moon"
    model = ScriptedChatModel([AIMessage("", tool_calls=[call("find", word="red")]), "ok"])
    world.invoke(tool_loop(model, [two.find, two.get]), "hi")
    assert model.calls[1].messages[-1].text == '["red moon"]'


def test_a_method_without_its_instance_says_so() -> None:
    with pytest.raises(InputError, match="`find` is a method; take it from an instance"):
        Shelf.find.invoke({"word": "moon"})
    with pytest.raises(ToolError, match="no argument `self`"):
        Shelf("a").find.invoke({"word": "a", "self": 1})


def test_a_tool_of_an_instance_pickles_with_it() -> None:
    found = pickle.loads(pickle.dumps(Shelf("blue").find))
    assert found.invoke({"word": "b"}) == ["blue"]


def test_a_tool_that_only_stands_in_a_class_is_no_method() -> None:
    class Agent:
        search = spell

    assert Agent().search is spell
