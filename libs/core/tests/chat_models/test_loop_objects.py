"""Objects that grow inside the stream of a loop, and the tools a loop may offer."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from headrace import tool_loop
from headrace.errors import InputError
from headrace.messages import AIMessage, AIMessageChunk, ToolMessage
from headrace.testing import ScriptedChatModel
from headrace.tools import tool


class Report(BaseModel):
    place: str
    degrees: int = 0


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"21 degrees in {city}"


@tool
def clock(city: str) -> str:
    """The time in a city."""
    return f"noon in {city}"


def call(name: str, id: str = "1", **args: Any) -> AIMessage:
    made: Any = {"type": "tool_call", "name": name, "args": args, "id": id}
    return AIMessage("", tool_calls=[made])


def by_call(*pieces: str) -> list[AIMessageChunk]:
    """The chunks of a call of the schema's tool, its arguments in pieces."""
    head: Any = {"name": "Report", "id": "9", "index": 0, "type": "tool_call_chunk"}
    made = [AIMessageChunk(tool_call_chunks=[{**head, "args": ""}])]
    for piece in pieces:
        more: Any = {"name": None, "id": None, "index": 0, "args": piece, "type": head["type"]}
        made.append(AIMessageChunk(tool_call_chunks=[more]))
    return made


PIECES = ('{"place": "Ro', 'me", "deg', 'rees": 21}')


def objects(items: list[Any]) -> list[Any]:
    return [item for item in items if not isinstance(item, AIMessageChunk | ToolMessage)]


def test_the_object_of_a_schema_grows_inside_the_stream_of_a_loop(world: Any) -> None:
    for method, said in (("json_schema", list(PIECES)), ("function_calling", by_call(*PIECES))):
        model = ScriptedChatModel([call("weather", city="Rome"), said])
        loop = tool_loop(model, [weather]).with_structured_output(Report, method=method)
        items = world.stream(loop, "hi")
        shown = [item.model_dump(exclude_unset=True) for item in objects(items)]
        assert [one["place"] for one in shown] == ["Ro", "Rome", "Rome", "Rome"]
        assert items[-1] == Report(place="Rome", degrees=21)
        kinds = [type(item) for item in items]
        assert kinds.index(ToolMessage) < kinds.index(Report)


def test_a_list_of_objects_grows_inside_the_stream_of_a_loop(world: Any) -> None:
    said = ['[{"place": "Rome"}', ', {"place": "Ulm"}', "]"]
    model = ScriptedChatModel([call("weather", city="Rome"), said])
    loop = tool_loop(model, [weather]).with_structured_output(list[Report], method="prompted")
    both = [Report(place="Rome"), Report(place="Ulm")]
    assert objects(world.stream(loop, "hi")) == [both[:1], both, both]


@pytest.mark.parametrize("schema", [Report, list[Report], {"title": "R", "type": "object"}])
def test_the_result_of_a_streamed_loop_is_what_invoke_gives(schema: Any) -> None:
    said = '{"place": "Rome"}'
    said = f"[{said}, {said}]" if schema == list[Report] else said
    script = [call("weather", city="Rome"), [said[:4], said[4:20], said[20:]]]

    def loop() -> Any:
        made = tool_loop(ScriptedChatModel(script), [weather])
        return made.with_structured_output(schema, method="prompted")

    assert loop().stream("hi").result == loop().invoke("hi")


def test_an_empty_list_ends_a_loop(world: Any) -> None:
    model = ScriptedChatModel(["[]"])
    loop = tool_loop(model, [weather]).with_structured_output(list[Report], method="prompted")
    assert objects(world.stream(loop, "hi")) == [[]]


def test_an_object_before_a_call_is_not_the_answer(world: Any) -> None:
    first = [AIMessageChunk('{"place": "Rome"}'), *chunks_of(call("weather", city="Rome"))]
    model = ScriptedChatModel([first, '{"place": "Ulm"}'])
    loop = tool_loop(model, [weather]).with_structured_output(Report, method="prompted")
    items = world.stream(loop, "hi")
    assert objects(items)[0] == Report(place="Rome")
    assert items[-1] == Report(place="Ulm")
    assert len(model.calls) == 2


def chunks_of(message: AIMessage) -> list[AIMessageChunk]:
    return list(ScriptedChatModel([message]).stream("hi"))


def test_an_answer_asked_for_again_starts_anew(world: Any) -> None:
    model = ScriptedChatModel([['{"place": ', "1}"], ['{"place": "Ulm"}']])
    loop = tool_loop(model, [weather])
    strict = loop.with_structured_output(Report, method="prompted", retries=1, repair=False)
    items = world.stream(strict, "hi")
    assert items[-1] == Report(place="Ulm")


def offered(model: ScriptedChatModel) -> list[tuple[list[str], Any]]:
    asked = [one.settings for one in model.calls]
    return [([t["name"] for t in one.tools], one.tool_choice) for one in asked]


def test_tools_outside_the_allowed_ones_are_not_offered_after_the_first_request(
    world: Any,
) -> None:
    model = ScriptedChatModel([call("weather", city="Rome"), "ok"])
    loop = tool_loop(model.bind(tool_choice=["weather"]), [weather, clock])
    world.invoke(loop, "hi")
    assert offered(model) == [(["weather", "clock"], ("weather",)), (["weather"], None)]


def test_a_list_that_begins_with_auto_only_narrows_what_is_offered(world: Any) -> None:
    model = ScriptedChatModel([call("weather", city="Rome"), "ok"])
    loop = tool_loop(model.bind(tool_choice=["auto", "weather"]), [weather, clock])
    world.invoke(loop, "hi")
    assert offered(model) == [(["weather"], "auto"), (["weather"], "auto")]


def test_a_narrowed_choice_names_bound_tools(world: Any) -> None:
    model = ScriptedChatModel(["never"]).bind_tools([weather], tool_choice=["auto", "wether"])
    with pytest.raises(InputError, match="names `wether`"):
        world.invoke(model, "hi")
    for choice in (["auto"], []):
        with pytest.raises(InputError, match="`tool_choice` is"):
            ScriptedChatModel([]).bind_tools([weather], tool_choice=choice)


def test_a_forced_choice_with_a_schema_leaves_room_for_the_object(world: Any) -> None:
    model = ScriptedChatModel([call("weather", city="Rome"), call("Report", place="Rome")])
    loop = tool_loop(model.bind(tool_choice=["weather"]), [weather, clock])
    found = loop.with_structured_output(Report, method="function_calling")
    assert world.invoke(found, "hi") == Report(place="Rome")
    first, second = offered(model)
    assert first == (["weather", "clock", "Report"], ("weather", "Report"))
    assert second == (["weather", "Report"], "any")
