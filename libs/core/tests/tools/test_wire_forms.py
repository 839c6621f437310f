"""Names as a wire allows them, nulls of strict modes, and arguments against a JSON Schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from headrace.errors import ToolError
from headrace.tools import InjectedToolArg, Tool, ToolArgumentError, WireNames, tool, without_nulls


class Address(TypedDict):
    city: Annotated[str, ..., "name of the city"]
    zip: NotRequired[Annotated[str, "postal code"]]


@dataclass
class Person:
    """A person.

    Args:
        age: in years
    """

    name: Annotated[str, "full name"]
    home: Address
    age: int = 0


FITS = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=8))
def test_every_name_fits_the_wire_and_comes_back(given: list[str]) -> None:
    names = WireNames(given)
    assert [names.back(names.out(name)) for name in given] == given
    assert all(FITS.fullmatch(names.out(name)) for name in given)
    assert {names.out(n) for n in given if FITS.fullmatch(n)} == {
        n for n in given if FITS.fullmatch(n)
    }


def test_a_name_that_fits_keeps_its_place_before_one_that_would_take_it() -> None:
    names = WireNames(["get.weather", "get_weather"])
    assert names.out("get_weather") == "get_weather"
    assert names.out("get.weather").startswith("get_weather_")
    assert list(names.changed.values()) == ["get.weather"]
    assert names.back("unheard") == "unheard"


def test_a_null_stands_for_an_argument_left_out(world: Any) -> None:
    @tool
    def find(city: str, limit: int = 3, note: str | None = "x") -> str:
        """Finds."""
        return f"{city} {limit} {note}"

    assert world.invoke(find, {"city": "Rome", "limit": None, "note": None}) == "Rome 3 None"
    with pytest.raises(ToolArgumentError, match="`city`"):
        find.invoke({"city": None})


def test_nulls_are_dropped_inside_of_values_too() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "integer"}}}
    schema = {
        "type": "object",
        "properties": {
            "one": {"$ref": "#/$defs/I"},
            "many": {"type": "array", "items": {"$ref": "#/$defs/I"}},
            "some": {"anyOf": [{"$ref": "#/$defs/I"}, {"type": "null"}]},
        },
        "$defs": {"I": inner},
    }
    value = {"one": {"a": None}, "many": [{"a": None}, {"a": 1}], "some": {"a": None}}
    assert without_nulls(value, schema) == {"one": {}, "many": [{}, {"a": 1}], "some": {}}
    assert without_nulls({"some": None}, schema) == {"some": None}


SCHEMA = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 1},
        "pair": {"prefixItems": [{"type": "string"}, {"type": "integer"}]},
        "x": {"type": "number"},
        "unit": {"enum": ["C", "F"]},
        "tree": {"$ref": "#/$defs/Tree"},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    },
    "required": ["n"],
    "$defs": {
        "Tree": {
            "type": "object",
            "properties": {"left": {"$ref": "#/$defs/Tree"}, "name": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        }
    },
}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"n": "one"}, "`n` must be of type integer, found 'one'"),
        ({"n": True}, "`n` must be of type integer, found True"),
        ({"n": 1, "unit": "K"}, r"`unit` must be one of \['C', 'F'\]"),
        ({"n": 1, "tree": {"name": "a", "left": {}}}, r"`tree\.left\.name` is missing"),
        ({"n": 1, "tree": {"name": "a", "right": 1}}, r"there is no `tree\.right`"),
        ({"n": 1, "either": [1.5]}, "`either` fits none of the 2 choices"),
        ({"n": 0}, "`n` must be at least 1, found 0"),
        ({"n": 1, "pair": ["a", "b"]}, r"`pair\.1` must be of type integer"),
        ({}, "`n` is missing"),
    ],
)
def test_arguments_are_held_against_a_json_schema(args: Any, said: str) -> None:
    made = Tool(lambda **values: values, name="f", description="F.", args_schema=SCHEMA)
    with pytest.raises(ToolArgumentError, match=said):
        made.invoke(args)


def test_arguments_of_a_json_schema_are_coerced_where_that_loses_nothing() -> None:
    made = Tool(lambda **values: values, name="f", description="F.", args_schema=SCHEMA)
    assert made.invoke({"n": "3", "x": "1.5", "unit": "c"}) == {"n": 3, "x": 1.5, "unit": "C"}


def test_arguments_that_fit_a_json_schema_arrive_as_they_are() -> None:
    made = Tool(lambda **values: values, name="f", description="F.", args_schema=SCHEMA)
    args = {
        "n": 1,
        "x": 2,
        "unit": "C",
        "tree": {"name": "a", "left": {"name": "b"}},
        "either": "y",
    }
    assert made.invoke(args) == args


def test_what_describes_a_field_is_seen_inside_of_arguments_too() -> None:
    @tool
    def greet(people: list[Person]) -> str:
        """Greets."""
        return people[0].home["city"]

    found = {
        name: {key: part.get("description") for key, part in kind["properties"].items()}
        for name, kind in greet.parameters["$defs"].items()
    }
    assert found == {
        "Address": {"city": "name of the city", "zip": "postal code"},
        "Person": {"name": "full name", "home": None, "age": "in years"},
    }
    assert greet.invoke({"people": [{"name": "A", "home": {"city": "Rome"}}]}) == "Rome"


@given(
    st.text(max_size=6),
    st.one_of(st.none(), st.text(), st.integers(), st.dictionaries(st.text(), st.text())),
)
def test_an_injected_argument_supplied_by_a_model_never_reaches_the_function(
    item: str, sent: Any
) -> None:
    got: list[Any] = []

    @tool
    def order(
        item: str, user: Annotated[str, InjectedToolArg], also: Annotated[Any, InjectedToolArg] = 0,
        **more: Any,
    ) -> str:  # fmt: skip
        """Orders."""
        got.append((user, also))
        return item

    bound = order.bind(user="ann")
    for name in ("user", "also"):
        call = {"type": "tool_call", "name": "order", "args": {"item": item, name: sent}, "id": "1"}
        with pytest.raises(ToolError):
            bound.invoke(call)
    assert got == []
    bound.invoke({"item": item})
    assert got == [("ann", 0)]
