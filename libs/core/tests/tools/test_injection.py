from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from headrace.errors import InputError
from headrace.tools import InjectedToolArg, InjectedToolCallId, Tool, ToolArgumentError, tool


@tool
def pay(amount: int, user: Annotated[str, InjectedToolArg]) -> str:
    """Pay an amount."""
    return f"{user} pays {amount}"


def test_a_hidden_parameter_is_not_in_the_schema() -> None:
    assert list(pay.args) == ["amount"]
    assert pay.parameters["required"] == ["amount"]


def test_the_caller_gives_a_hidden_value_by_bind_or_at_the_call(world: Any) -> None:
    assert world.invoke(pay.bind(user="ada"), {"amount": 1}) == "ada pays 1"
    assert world.invoke(pay, {"amount": 1}, user="bob") == "bob pays 1"
    assert world.invoke(pay.bind(user="ada"), {"amount": 1}, user="bob") == "bob pays 1"


def test_a_hidden_value_that_nobody_gave_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"needs a value for `user`.*tool\.bind\(user=\.\.\.\)"):
        pay.invoke({"amount": 1})


def test_an_argument_by_keyword_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"takes its arguments in a dict.*`amount`"):
        pay.bind(amount=1)


class Args(BaseModel):
    amount: int
    user: Annotated[str, InjectedToolArg] = "nobody"


class Open(BaseModel, extra="allow"):
    amount: int
    user: Annotated[str, InjectedToolArg()] = Field("nobody", alias="who")


def plain(amount: int, user: Annotated[str, InjectedToolArg] = "nobody") -> str:
    """Pay."""
    return user


def greedy(user: Annotated[str, InjectedToolArg] = "nobody", **rest: Any) -> str:
    """Pay."""
    return user


def unmarked(amount: int, user: str, **rest: Any) -> str:
    """Pay."""
    return user


SCHEMA = {"type": "object", "properties": {"amount": {}, "user": {}}, "additionalProperties": True}
HIDING = [
    Tool(plain),
    Tool(greedy),
    Tool(unmarked, args_schema=Args),
    Tool(unmarked, args_schema=Open),
    Tool(greedy, args_schema=SCHEMA),
]


@pytest.mark.parametrize("hiding", HIDING)
@given(extra=st.dictionaries(st.sampled_from(["user", "who", "config", "x"]), st.text()))
def test_a_hidden_value_that_the_model_sends_never_reaches_the_function(
    hiding: Tool, extra: dict[str, str]
) -> None:
    try:
        assert hiding.invoke({"amount": 1, **extra}) == "nobody"
    except ToolArgumentError:
        assert extra
    assert not {"user", "who"} & hiding.args.keys()


@pytest.mark.parametrize("hiding", HIDING)
def test_the_callers_value_reaches_the_function_whatever_the_schema(hiding: Tool) -> None:
    assert hiding.invoke({"amount": 1}, user="ada") == "ada"


def test_a_refusal_does_not_tell_the_model_what_is_hidden() -> None:
    with pytest.raises(ToolArgumentError) as caught:
        pay.bind(user="ada").invoke({"amount": 1, "user": "eve"})
    assert "ada" not in str(caught.value)
    assert "the tool takes `amount`" in str(caught.value)


def test_the_id_of_the_call_is_given(world: Any) -> None:
    @tool
    def which(x: int, id: Annotated[str, InjectedToolCallId]) -> str:
        """Say which call this is."""
        return id

    call = {"type": "tool_call", "name": "which", "args": {"x": 1}, "id": "call_7"}
    assert world.invoke(which, call).content == "call_7"
    with pytest.raises(InputError, match="invoke it with a ToolCall"):
        world.invoke(which, {"x": 1})


def test_a_hidden_parameter_may_be_of_any_type() -> None:
    class Session:
        pass

    @tool
    def use(x: int, session: Annotated[Session, InjectedToolArg]) -> bool:
        """Use a session."""
        return isinstance(session, Session)

    assert use.invoke({"x": 1}, session=Session())


def test_bound_values_stay_with_the_bound_tool() -> None:
    pay.bind(user="ada")
    with pytest.raises(InputError):
        pay.invoke({"amount": 1})
