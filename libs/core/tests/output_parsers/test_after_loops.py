"""Parsers after a tool loop: streamed they give what they give of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from headrace import JsonOutputParser, StrOutputParser, tool_loop
from headrace.errors import InputError
from headrace.messages import AIMessage
from headrace.output_parsers import NumberedListOutputParser
from headrace.testing import ScriptedChatModel
from headrace.tools import tool


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"21 degrees in {city}"


@tool(return_direct=True)
def direct(city: str) -> str:
    """The weather in a city."""
    return f"21 degrees in {city}"


def looping(said: Any, text: str = "", name: str = "weather") -> Any:
    call: Any = {"type": "tool_call", "name": name, "args": {"city": "Rome"}, "id": "1"}
    return tool_loop(
        ScriptedChatModel([AIMessage(text, tool_calls=[call]), said]), [weather, direct]
    )


@pytest.mark.parametrize(
    ("parser", "said"),
    [
        (StrOutputParser(), ["It is ", "warm."]),
        (JsonOutputParser(), ['{"a": ', "1}"]),
        (NumberedListOutputParser(), ["1. one\n", "2. two"]),
    ],
)
def test_a_stream_leaves_out_the_results_of_tools(world: Any, parser: Any, said: Any) -> None:
    whole = world.invoke(looping(said) | parser, "hi")
    assert (looping(said) | parser).stream("hi").result == whole
    assert world.stream(looping(said) | parser, "hi")[-1:] != ["21 degrees in Rome"]


def test_text_before_a_call_is_streamed_and_is_no_part_of_an_object(world: Any) -> None:
    pieces = world.stream(looping("Warm.", "Let me see. ") | StrOutputParser(), "hi")
    assert "".join(pieces) == "Let me see. Warm."
    found = world.stream(looping('{"a": 1}', "Let me see. ") | JsonOutputParser(), "hi")
    assert found[-1] == {"a": 1}


def test_a_result_that_is_the_answer_is_parsed(world: Any) -> None:
    def chain() -> Any:
        return looping("never", name="direct") | StrOutputParser()

    assert world.invoke(chain(), "hi") == "21 degrees in Rome"
    assert world.stream(chain(), "hi") == ["21 degrees in Rome"]


@pytest.mark.parametrize("given", [weather, {"type": "function"}, "weather"])
def test_tools_are_given_in_a_list(given: Any) -> None:
    with pytest.raises(InputError, match="`tools` is a list of tools"):
        ScriptedChatModel(["ok"]).bind_tools(given)
