from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from headrace.errors import InputError
from headrace.runnables import RunnableLambda
from headrace.tools import convert_to_tool, tool

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "where"}},
    "required": ["city"],
}
NEUTRAL = {"name": "weather", "description": "Tell the weather.", "parameters": PARAMETERS}


def weather(city: Annotated[str, "where"]) -> str:
    """Tell the weather."""
    return city


class Model(BaseModel):
    """Tell the weather."""

    city: str = Field(description="where")


class Keys(TypedDict):
    """Tell the weather."""

    city: Annotated[str, ..., "where"]


@dataclass
class Data:
    """Tell the weather."""

    city: Annotated[str, "where"]


BARE = {"name": "weather", "description": "Tell the weather."}
SPELLINGS: list[Any] = [
    weather,
    tool(weather),
    {"type": "function", "function": NEUTRAL},
    {"type": "function", **NEUTRAL},
    NEUTRAL,
    {**BARE, "input_schema": PARAMETERS},
    {**BARE, "type": "custom", "input_schema": PARAMETERS},
    {**BARE, "inputSchema": PARAMETERS},
    {"toolSpec": {**BARE, "inputSchema": {"json": PARAMETERS}}},
    {"title": "weather", "description": "Tell the weather.", **PARAMETERS},
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_tool_is_read_the_same(spelling: Any) -> None:
    assert convert_to_tool(spelling) == NEUTRAL


@pytest.mark.parametrize("kind", [Model, Keys, Data])
def test_a_class_is_a_tool_of_its_name(kind: type) -> None:
    assert convert_to_tool(kind) == {**NEUTRAL, "name": kind.__name__}


def test_a_class_without_a_docstring_has_an_empty_description() -> None:
    class Bare(BaseModel):
        n: int

    @dataclass
    class AlsoBare:
        n: int

    assert [convert_to_tool(kind)["description"] for kind in (Bare, AlsoBare)] == ["", ""]


def test_a_key_with_a_default_is_not_required() -> None:
    class Search(TypedDict):
        query: str
        limit: Annotated[int, 5, "how many"]

    parameters = convert_to_tool(Search)["parameters"]
    assert parameters["required"] == ["query"]
    assert parameters["properties"]["limit"]["default"] == 5


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search"},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
        {"type": "mcp", "server_label": "x", "headers": {"a": "b"}},
        {"type": "custom", "name": "code", "format": {"type": "text"}},
    ],
)
def test_a_tool_that_the_provider_runs_passes_unchanged(tool: dict[str, Any]) -> None:
    assert convert_to_tool(tool) == tool
    assert convert_to_tool(tool, strict=True) == tool


def test_strict_is_kept_or_set_and_may_not_contradict() -> None:
    assert convert_to_tool({**NEUTRAL, "strict": True})["strict"] is True
    assert convert_to_tool(weather, strict=False)["strict"] is False
    assert "strict" not in convert_to_tool(weather)
    with pytest.raises(InputError, match="strict=True"):
        convert_to_tool({**NEUTRAL, "strict": True}, strict=False)


def test_what_only_a_provider_knows_stays_in_extras() -> None:
    marked = {**BARE, "input_schema": PARAMETERS, "cache_control": {"type": "ephemeral"}}
    assert convert_to_tool(marked)["extras"] == {"cache_control": {"type": "ephemeral"}}


def test_a_dict_without_parameters_takes_none() -> None:
    empty = {"type": "object", "properties": {}}
    assert convert_to_tool(BARE)["parameters"] == empty
    assert convert_to_tool({"type": "function", "function": BARE})["parameters"] == empty


def test_the_result_is_a_copy() -> None:
    convert_to_tool(NEUTRAL)["parameters"]["properties"].clear()
    made = tool(weather)
    convert_to_tool(made)["parameters"]["properties"].clear()
    assert list(made.args) == list(PARAMETERS["properties"]) == ["city"]


@pytest.mark.parametrize(
    "thing",
    [
        None,
        3,
        "weather",
        int,
        {},
        {"name": "x"},
        {"type": "function"},
        {"type": "function", "function": {"name": ""}},
        PARAMETERS,
        RunnableLambda(weather),
        lambda city: city,
    ],
)
def test_anything_else_is_an_input_error(thing: Any) -> None:
    with pytest.raises(InputError):
        convert_to_tool(thing)


def test_a_dict_of_one_key_with_a_dict_is_a_tool_that_the_provider_runs() -> None:
    assert convert_to_tool({"google_search": {}}) == {"google_search": {}}
