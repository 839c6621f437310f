from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from headrace.errors import InputError, ToolError
from headrace.messages import ToolMessage
from headrace.tools import InjectedToolArg, Tool, ToolRuntime, tool


class Search(Tool):
    """Searches a catalogue.

    Args:
        query: what to look for
    """

    name = "search"

    def __init__(self, books: list[str]) -> None:
        self.books = books
        super().__init__()

    def _run(self, query: str, limit: int = 2) -> list[str]:
        return [book for book in self.books if query in book][:limit]


class Both(Tool):
    name = "both"
    description = "Says where it runs."
    handle_tool_error = True

    def _run(self, fail: bool = False) -> str:
        if fail:
            raise ToolError("failed")
        return "sync"

    async def _arun(self, fail: bool = False) -> str:
        await asyncio.sleep(0)
        return "async"


class Arguments(BaseModel):
    n: int


class WithSchema(Tool):
    """Doubles."""

    name = "double"
    args_schema = Arguments
    response_format = "content_and_artifact"
    return_direct = True

    def _run(self, n: int) -> tuple[str, int]:
        return str(2 * n), n


@tool
def shout(text: str, user: Annotated[str, InjectedToolArg] = "nobody") -> str:
    """Says it loud."""
    return f"{user}: {text.upper()}"


def plain(text: str) -> str:
    """Says it."""
    return text


def test_a_subclass_is_described_by_its_class_and_runs_its_method(world: Any) -> None:
    search = Search(["blue moon", "blue sky", "red"])
    assert search.definition() == {
        "name": "search",
        "description": "Searches a catalogue.",
        "parameters": {
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "what to look for"},
                "limit": {"type": "integer", "default": 2},
            },
            "required": ["query"],
        },
    }
    assert world.invoke(search, {"query": "blue", "limit": 1}) == ["blue moon"]


def test_a_subclass_may_have_a_method_for_each_world(world: Any) -> None:
    assert world.invoke(Both(), {}) == ("async" if world.is_async else "sync")


def test_a_subclass_says_its_settings_by_class_attributes() -> None:
    answer = WithSchema().invoke(
        {"type": "tool_call", "name": "double", "args": {"n": 2}, "id": "1"}
    )
    assert answer == ToolMessage("4", "1", name="double", artifact=2)
    assert WithSchema().return_direct
    assert Both().invoke({"fail": True}) == "failed"


def test_a_subclass_without_a_name_bears_that_of_its_class() -> None:
    class Halve(Tool):
        """Halves."""

        def _run(self, n: int) -> int:
            """:param n: the number"""
            return n // 2

    assert Halve().name == "Halve"
    assert Halve().description == "Halves."
    assert Halve().args["n"]["description"] == "the number"


def test_a_subclass_without_a_method_is_an_input_error() -> None:
    class Nothing(Tool):
        name = "nothing"

    with pytest.raises(InputError, match="_run"):
        Nothing()


def test_a_tool_in_a_module_is_pickled_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(shout)) is shout
    assert copy.copy(shout) is shout


def test_a_bound_tool_keeps_its_values_when_pickled() -> None:
    bound = pickle.loads(pickle.dumps(shout.bind(user="ann")))
    assert bound.invoke({"text": "hi"}) == "ann: HI"
    assert shout.invoke({"text": "hi"}) == "nobody: HI"


@pytest.mark.parametrize("made", [Tool(plain, name="other"), Search(["blue"])])
def test_other_tools_are_pickled_with_what_they_hold(made: Tool) -> None:
    again = pickle.loads(pickle.dumps(made))
    assert again.definition() == made.definition()
    assert again.invoke("blue") == made.invoke("blue")


def test_a_runtime_is_given_and_hidden(world: Any) -> None:
    @tool
    def who(question: str, runtime: ToolRuntime) -> str:
        """Tells who asks."""
        tags = runtime.config["tags"]
        return f"{runtime.tool_call_id} {tags} {list(runtime.messages)} {runtime.state}"

    assert list(who.args) == ["question"]
    answer = world.invoke(
        who,
        {"type": "tool_call", "name": "who", "args": {"question": "?"}, "id": "7"},
        {"tags": ["t"]},
    )
    assert answer.text == "7 ['t'] [] {}"


def test_a_runtime_may_be_optional_and_the_model_cannot_send_it() -> None:
    @tool
    def who(runtime: ToolRuntime | None = None) -> str:
        """Tells who asks."""
        return type(runtime).__name__

    assert who.args == {}
    assert who.invoke({}) == "ToolRuntime"
    with pytest.raises(ToolError, match="no argument `runtime`"):
        who.invoke({"runtime": {}})


def test_a_runtime_goes_on_the_run_in_calls_made_by_hand() -> None:
    @tool
    def outer(runtime: ToolRuntime) -> str:
        """Calls another."""
        return str(shout.invoke({"text": "hi"}, runtime.config))

    assert outer.invoke({}) == "nobody: HI"
