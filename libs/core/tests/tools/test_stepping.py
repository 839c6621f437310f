from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from headrace import ChatPromptTemplate, RunnableLambda, StrOutputParser, tool, tool_loop
from headrace.errors import InputError
from headrace.messages import ToolMessage
from headrace.testing import ScriptedChatModel


class Pair(TypedDict):
    a: Annotated[int, "the first"]
    b: int


class Point(BaseModel):
    x: int


@dataclass
class Sized:
    size: int


def add(pair: Pair) -> int:
    """Adds a pair."""
    return pair["a"] + pair["b"]


def test_the_keys_of_a_steps_input_are_the_arguments(world: Any) -> None:
    made = RunnableLambda(add).as_tool()
    assert made.definition() == {
        "name": "add",
        "description": "Adds a pair.",
        "parameters": {
            "type": "object",
            "properties": {
                "a": {"type": "integer", "description": "the first"}, "b": {"type": "integer"},
            },
            "required": ["a", "b"],
        },
    }  # fmt: skip
    assert world.invoke(made, {"a": 1, "b": 2}) == 3


def test_a_pipeline_is_a_tool(world: Any) -> None:
    prompt = ChatPromptTemplate.from_template("Translate {text} to {language}")
    chain = prompt | ScriptedChatModel(["Bonjour"]) | StrOutputParser()
    made = chain.as_tool(name="translate", description="Translates.")
    assert set(made.args) == {"text", "language"}
    asked = {"text": "Hello", "language": "French"}
    call = {"type": "tool_call", "name": "translate", "args": asked, "id": "1"}
    assert world.invoke(made, call) == ToolMessage("Bonjour", "1", name="translate")


def test_a_value_that_is_no_dict_is_the_one_argument(world: Any) -> None:
    def double(n: int) -> int:
        """Doubles."""
        return 2 * n

    made = tool(RunnableLambda(double))
    assert made.args == {"input": {"type": "integer"}}
    assert world.invoke(made, {"input": "4"}) == 8
    assert world.invoke(made, "4") == 8


@pytest.mark.parametrize(("kind", "args"), [(Point, {"x": 1}), (Sized, {"size": 1})])
def test_a_step_that_takes_an_object_gets_one(world: Any, kind: type, args: Any) -> None:
    def show(value: Any) -> str:
        """Shows it."""
        return type(value).__name__

    show.__annotations__["value"] = kind
    assert world.invoke(RunnableLambda(show).as_tool(), args) == kind.__name__


def test_types_and_schema_may_be_said() -> None:
    step = RunnableLambda(lambda d: d["n"] + 1)
    told = step.as_tool(name="next", description="Counts.", arg_types={"n": int})
    assert told.invoke({"n": "1"}) == 2
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert tool("next", step, description="Counts.", args_schema=schema).invoke({"n": 1}) == 2


def test_a_step_that_says_nothing_of_itself_is_an_input_error() -> None:
    with pytest.raises(InputError, match="no description"):
        RunnableLambda(lambda x: x).as_tool(name="f")


def test_what_is_a_tool_already_cannot_be_made_one() -> None:
    with pytest.raises(InputError, match="already"):
        tool(tool(add, name="add"))


def test_a_model_may_call_a_step() -> None:
    model = ScriptedChatModel(["ok"])
    model.bind_tools([RunnableLambda(add).as_tool()]).invoke("hi")
    assert model.calls[0].settings.tools[0]["name"] == "add"


def test_a_model_and_a_loop_are_tools_that_take_words_and_give_text(world: Any) -> None:
    for step in (ScriptedChatModel(["Yes."]), tool_loop(ScriptedChatModel(["Yes."]), [])):
        made = step.as_tool(name="expert", description="Knows.")
        assert made.args == {"input": {"type": "string"}}
        call = {"type": "tool_call", "name": "expert", "args": {"input": "Is it?"}, "id": "1"}
        assert world.invoke(made, call) == ToolMessage("Yes.", "1", name="expert")
