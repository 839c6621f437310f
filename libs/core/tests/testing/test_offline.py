from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from headrace import init_chat_model, tool
from headrace.chat_models.clients import CLIENTS, ClientUser
from headrace.errors import ConfigurationError
from headrace.messages import HumanMessage, ToolMessage
from headrace.testing import ScriptedChatModel, forbid_requests


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


@tool
def convert_money(amount: float, currency: Literal["euro", "dollar"] = "euro") -> str:
    """Converts money."""
    return f"{amount} {currency}"


def calls(text: str, **options: Any) -> list[Any]:
    model = init_chat_model("offline:demo").bind_tools([get_weather, convert_money], **options)
    return [(call["name"], call["args"]) for call in model.invoke(text).tool_calls]


def test_a_tool_that_shares_a_word_with_the_input_is_called_with_a_capitalised_span() -> None:
    assert calls("What is the weather in Boston?") == [("get_weather", {"city": "Boston"})]


def test_a_quoted_span_wins_over_capitals() -> None:
    assert calls('Weather of "los angeles" not Boston') == [
        ("get_weather", {"city": "los angeles"})
    ]


def test_a_pair_makes_two_calls_with_two_ids() -> None:
    model = init_chat_model("offline:demo").bind_tools([get_weather])
    found = model.invoke("What is the weather in Boston and Paris?").tool_calls
    assert [call["args"]["city"] for call in found] == ["Boston", "Paris"]
    assert len({call["id"] for call in found}) == 2


def test_parallel_calls_can_be_forbidden() -> None:
    assert len(calls("Weather in Boston and Paris?", parallel_tool_calls=False)) == 1


def test_numbers_are_numerals_and_enums_the_first_named() -> None:
    assert calls("Please convert 12.5 in money to dollar") == [
        ("convert_money", {"amount": 12.5, "currency": "dollar"})
    ]


def test_a_forced_tool_is_called_whatever_the_words() -> None:
    assert calls("Hello", tool_choice="get_weather")[0][0] == "get_weather"
    assert calls("Hello", tool_choice="none") == []
    assert calls("Hello") == []


def test_after_results_the_answer_quotes_them(world: Any) -> None:
    model = init_chat_model("offline:demo").bind_tools([get_weather])
    history: list[Any] = [HumanMessage("What is the weather in Boston?")]
    answer = world.invoke(model, history)
    history += [answer, *(get_weather.invoke(call) for call in answer.tool_calls)]
    assert isinstance(history[-1], ToolMessage)
    assert "Sunny in Boston" in world.invoke(model, history).text


def test_streamed_calls_carry_id_and_name_first_and_arguments_after(world: Any) -> None:
    model = init_chat_model("offline:demo").bind_tools([get_weather])
    pieces = [p for c in world.stream(model, "Weather in Boston") for p in c.tool_call_chunks]
    assert (pieces[0]["name"], pieces[0]["args"]) == ("get_weather", "")
    assert all(piece["id"] is None and piece["name"] is None for piece in pieces[1:])
    assert "".join(piece["args"] for piece in pieces) == '{"city":"Boston"}'


def test_objects_are_filled_by_the_same_rule(world: Any) -> None:
    class Part(BaseModel):
        name: str

    class Machine(BaseModel):
        kind: Literal["mill", "pump"]
        power: int = Field(ge=0, le=100)
        part: Part

    model = init_chat_model("offline:demo").with_structured_output(Machine)
    made = world.invoke(model, 'A pump with "Francis wheel" of 250 kW')
    assert made == Machine(kind="pump", power=100, part=Part(name="Francis wheel"))


def test_the_same_input_gives_the_same_answer_whole_and_streamed(world: Any) -> None:
    model = init_chat_model("offline:demo")
    one, two = world.invoke(model, "Tell me"), sum(world.stream(model, "Tell me"))
    assert (one.id, one.content, one.usage_metadata) == (two.id, two.content, two.usage_metadata)


def test_stop_words_and_max_tokens_end_the_answer(world: Any) -> None:
    model = init_chat_model("offline:demo")
    assert world.invoke(model, "one two STOP three", stop="STOP").text == "one two "
    cut = world.invoke(model, "one two three", max_tokens=2)
    assert (cut.text, cut.response_metadata["finish_reason"]) == ("one two", "length")


def test_a_script_that_is_used_up_says_so(world: Any) -> None:
    with pytest.raises(ValueError, match="has 0 replies and this is request 1"):
        world.invoke(ScriptedChatModel(), "hi")


def test_forbidden_requests_raise_before_a_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Any:
        raise AssertionError("a client was made")

    with forbid_requests(), pytest.raises(ConfigurationError, match="forbidden here"):
        CLIENTS.use(ClientUser(), "key", make, is_async=False)
    monkeypatch.setenv("HEADRACE_FORBID_REQUESTS", "1")
    with pytest.raises(ConfigurationError, match="forbidden here"):
        CLIENTS.use(ClientUser(), "key", make, is_async=False)
