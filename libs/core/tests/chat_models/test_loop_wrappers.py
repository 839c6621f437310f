"""Loops under schemas and under every wrapper of a model."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from headrace import tool_loop
from headrace.chat_models.configurable import ConfigurableChatModel
from headrace.errors import (
    InputError,
    ModelAPIError,
    ModelRateLimitError,
    StructuredOutputError,
)
from headrace.messages import AIMessage, ToolMessage
from headrace.runnables import ConfigurableField
from headrace.testing import ScriptedChatModel
from headrace.tools import tool

ran: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    ran.clear()


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    ran.append(city)
    return f"21 degrees in {city}"


@tool
def broken(city: str) -> str:
    """Never works."""
    raise KeyError(city)


def call(name: str = "weather", id: str | None = "1", **args: Any) -> dict[str, Any]:
    return {"type": "tool_call", "name": name, "args": args, "id": id}


def calls(*given: dict[str, Any]) -> AIMessage:
    return AIMessage("", tool_calls=list(given))


def results(messages: Any) -> list[tuple[str, str, str]]:
    found = [m for m in messages if isinstance(m, ToolMessage)]
    return [(m.tool_call_id, m.text, m.status) for m in found]


def seen(model: ScriptedChatModel, request: int = 1) -> list[tuple[str, str, str]]:
    return results(model.calls[request].messages)


class Report(BaseModel):
    """A report."""

    place: str


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_loop_with_a_schema_runs_to_the_object(world: Any, method: Any) -> None:
    done: Any = '{"place": "Rome"}'
    if method == "function_calling":
        done = calls(call("Report", id="9", place="Rome"))
    replies = [calls(call(city="Rome")), done]
    for outside in (False, True):
        model = ScriptedChatModel(replies)
        loop = tool_loop(model.with_structured_output(Report, method=method), [weather])
        if outside:
            loop = tool_loop(model, [weather]).with_structured_output(Report, method=method)
        assert world.invoke(loop, "hi") == Report(place="Rome")
        assert seen(model) == [("1", "21 degrees in Rome", "success")]
    loop = tool_loop(ScriptedChatModel(replies), [weather])
    items = world.stream(loop.with_structured_output(Report, method=method), "hi")
    assert items[-1] == Report(place="Rome")
    assert results(items) == [("1", "21 degrees in Rome", "success")]


def test_a_call_in_place_of_an_object_is_no_reason_to_try_again(world: Any) -> None:
    model = ScriptedChatModel([calls(call(city="Rome")), '{"place": "Rome"}'])
    wrapped = model.with_structured_output(Report).with_retry(wait_exponential_jitter=False)
    assert world.invoke(tool_loop(wrapped, [weather]), "hi") == Report(place="Rome")
    assert len(model.calls) == 2


def test_an_object_that_is_never_read_is_an_error(world: Any) -> None:
    model = ScriptedChatModel([calls(call(city="Rome")), "no object"])
    with pytest.raises(StructuredOutputError):
        world.invoke(tool_loop(model.with_structured_output(Report), [weather]), "hi")


def test_all_new_messages_end_with_the_object(world: Any) -> None:
    model = ScriptedChatModel([calls(call(city="Rome")), '{"place": "Rome"}'])
    loop = tool_loop(model.with_structured_output(Report), [weather], returns="messages")
    found = world.invoke(loop, "hi")
    assert [type(item).__name__ for item in found] == ["AIMessage", "ToolMessage", "Report"]


def test_a_loop_runs_under_every_wrapper_of_a_model(world: Any) -> None:
    def replies() -> ScriptedChatModel:
        return ScriptedChatModel([calls(call(city="Rome")), "Warm."])

    spec = replies()
    made = ConfigurableChatModel(lambda values: spec, {"model": "m"}, "any")
    broken_first = ScriptedChatModel([ModelAPIError("down")] * 9, max_retries=0)
    for model in (
        replies().with_retry(),
        replies().with_config(tags=["t"]),
        replies().bind(temperature=0),
        replies().configurable_fields(temperature=ConfigurableField("t")),
        broken_first.with_fallbacks([replies()]),
        made,
    ):
        assert world.invoke(tool_loop(model, [weather]), "hi").text == "Warm."
    assert ran == ["Rome"] * 6


def test_a_retry_around_a_loop_leaves_its_requests_their_own_attempts(world: Any) -> None:
    busy = ModelRateLimitError("busy", retry_after=0)
    model = ScriptedChatModel([calls(call(city="Rome")), busy, "Warm."], max_retries=1)
    loop = tool_loop(model, [weather]).with_retry(wait_exponential_jitter=False)
    assert world.invoke(loop, "hi").text == "Warm."
    assert ran == ["Rome"]  # the conversation did not begin anew


WRAPPERS: dict[str, Any] = {
    "retry": lambda m: m.with_retry(),
    "config": lambda m: m.with_config(tags=["t"]),
    "listeners": lambda m: m.with_listeners(on_start=print),
    "bind": lambda m: m.bind(temperature=0),
    "fallbacks": lambda m: m.with_fallbacks([m]),
    "fields": lambda m: m.configurable_fields(temperature=ConfigurableField("t")),
    "configurable": lambda m: ConfigurableChatModel(lambda values: m, {"model": "m"}, "any"),
    "unmade": lambda m: ConfigurableChatModel(lambda values: m, {}, "any"),
    "structured": lambda m: m.with_structured_output(Report, method="json_schema"),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=list(WRAPPERS))
def test_tools_bound_inside_and_outside_of_a_wrapper_add_up(world: Any, wrap: Any) -> None:
    model = ScriptedChatModel(['{"place": "Rome"}'])
    asked = wrap(model.bind_tools([weather])).bind_tools([broken], tool_choice=["weather"])
    world.invoke(asked, "hi")
    settings = model.calls[0].settings
    assert [t["name"] for t in settings.tools] == ["weather", "broken"]
    assert settings.tool_choice == ("weather",)


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=list(WRAPPERS))
def test_a_choice_of_no_bound_tool_fails_before_any_request(world: Any, wrap: Any) -> None:
    model = ScriptedChatModel(["never"])
    for asked in (
        wrap(model.bind_tools([weather], tool_choice="wether")),
        wrap(model).bind_tools([weather], tool_choice="wether"),
    ):
        with pytest.raises(InputError, match="names `wether`"):
            world.invoke(asked, "hi")
    assert model.calls == []
