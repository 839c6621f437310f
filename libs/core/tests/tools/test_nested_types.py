"""TypedDicts inside of arguments, and what a tool gives back."""

from __future__ import annotations

import typing
from typing import Annotated, Any

import pytest

from headrace.messages import AIMessage, image
from headrace.tools import ToolArgumentError, tool


class Place(typing.TypedDict):
    """A place."""

    city: Annotated[str, ..., "name of the city"]
    unit: Annotated[str, "C", "C or F"]
    days: typing.NotRequired[int]


def test_typed_dicts_of_typing_stand_in_arguments_with_their_texts_and_defaults() -> None:
    @tool
    def weather(places: list[Place], home: Place | None = None) -> Any:
        """The weather."""
        return places, home

    schema = weather.parameters["$defs"]["Place"]
    assert schema["required"] == ["city"]
    assert schema["properties"]["unit"]["description"] == "C or F"
    found = weather.invoke({"places": [{"city": "Rome"}, {"city": "Ulm", "unit": "F", "days": 2}]})
    rome, ulm = {"city": "Rome", "unit": "C"}, {"city": "Ulm", "unit": "F", "days": 2}
    assert found == ([rome, ulm], None)
    with pytest.raises(ToolArgumentError, match=r"`places\.0\.city` is missing"):
        weather.invoke({"places": [{}]})


def test_a_default_that_is_not_of_its_type_is_not_checked() -> None:
    @tool
    def f(a: str, b: int = None) -> Any:  # noqa: RUF013 - as people write it
        """F."""
        return a, b

    assert f.invoke({"a": "x"}) == ("x", None)
    with pytest.raises(ToolArgumentError, match="`a` is missing"):
        f.invoke({})


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (image(b"\x89PNG\r\n\x1a\n"), [image(b"\x89PNG\r\n\x1a\n")]),
        ({"type": "file", "name": "a.txt"}, '{"type":"file","name":"a.txt"}'),
        (AIMessage("Yes."), "Yes."),
    ],
)
def test_a_block_is_content_and_other_dicts_are_json(value: Any, content: Any) -> None:
    @tool
    def give() -> Any:
        """Gives."""
        return value

    call = {"type": "tool_call", "name": "give", "args": {}, "id": "1"}
    assert give.invoke(call).content == content
