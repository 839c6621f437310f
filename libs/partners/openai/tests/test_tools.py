"""Tools over the wire: names, strict schemas, and loops on literals and on recorded traffic."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from recorded import FOLDER, REPLAY, load_cases

from headrace import tool_loop
from headrace.errors import InputError
from headrace.messages import ToolMessage
from headrace.tools import Tool
from headrace_openai import ChatOpenAI

CASES = {case["id"]: case for case in load_cases("openai-chat")}
_RECORDED = "openllmetry.test_functions-test_open_ai_function_calls_tools"
PARALLEL = f"{_RECORDED}_parallel_with_events_with_content.1"
STREAMED = f"{_RECORDED}_streaming_parallel.0"
JSON, SSE = {"content-type": "application/json"}, {"content-type": "text/event-stream"}


def answer(*calls: dict[str, Any], text: str | None = None) -> tuple[dict[str, str], bytes]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = list(calls)
    finish = "tool_calls" if calls else "stop"
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return JSON, json.dumps({"id": "r", "model": "m", "choices": [choice]}).encode()


def events(*deltas: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    lines = [{"id": "r", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    lines.append({"id": "r", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    text = "".join(f"data: {json.dumps(line)}\n\n" for line in lines)
    return SSE, f"{text}data: [DONE]\n\n".encode()


def recorded(id: str) -> tuple[dict[str, str], bytes]:
    case = CASES[id]
    return {"content-type": case["headers"]["content-type"]}, REPLAY.body_of(case)


def wire_call(name: str, args: str, id: str = "c1", **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": args}, **more}


def model_of(*answers: tuple[dict[str, str], bytes]) -> tuple[ChatOpenAI, list[dict[str, Any]]]:
    """A model that gets these answers in order, and the bodies of its requests."""
    asked: list[dict[str, Any]] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append(json.loads(request.content))
        headers, body = answers[len(asked) - 1]
        return httpx2.Response(200, headers=headers, content=body)

    transport = httpx2.MockTransport(handle)
    model = ChatOpenAI(
        model="gpt-5-mini",
        api_key="sk-secret-key",
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
        http_async_client=httpx2.AsyncClient(transport=transport),
    )
    return model, asked


Ask = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    if request.param == "sync":
        return lambda step, *args: step.invoke(*args)
    return lambda step, *args: asyncio.run(step.ainvoke(*args))


async def gathered(step: Any, *args: Any) -> list[Any]:
    async with step.astream(*args) as items:
        return [item async for item in items]


@pytest.fixture(params=["sync", "async"])
def stream(request: pytest.FixtureRequest) -> Ask:
    if request.param == "sync":
        return lambda step, *args: list(step.stream(*args))
    return lambda step, *args: asyncio.run(gathered(step, *args))


def look(city: str) -> str:
    return f"dry in {city}"


DOTTED = Tool(look, name="weather.look up", description="Looks up the weather.")
SENT = "weather_look_up"


def test_a_name_the_wire_forbids_is_mangled_and_comes_back(ask: Ask) -> None:
    model, asked = model_of(answer(wire_call(SENT, '{"city": "Rome"}')), answer(text="Dry."))
    loop = tool_loop(model.bind(tool_choice=DOTTED.name), [DOTTED], returns="messages")
    first, result, _ = ask(loop, "hi")
    assert first.tool_calls[0]["name"] == result.name == "weather.look up"
    assert result.text == "dry in Rome"
    assert asked[0]["tools"][0]["function"]["name"] == SENT
    assert asked[0]["tool_choice"] == {"type": "function", "function": {"name": SENT}}
    assert asked[1]["messages"][1]["tool_calls"][0]["function"]["name"] == SENT


def test_a_mangled_name_comes_back_in_a_stream(stream: Ask) -> None:
    begun = {"tool_calls": [wire_call(SENT, '{"city"', index=0)]}
    rest = {"tool_calls": [{"index": 0, "function": {"arguments": ': "Rome"}'}}]}
    model, _ = model_of(events(begun, rest), events({"content": "Dry."}))
    items = stream(tool_loop(model, [DOTTED]), "hi")
    found = [item for item in items if isinstance(item, ToolMessage)]
    assert [m.text for m in found] == ["dry in Rome"]
    names = {c["name"] for i in items if not isinstance(i, ToolMessage) for c in i.tool_call_chunks}
    assert names == {"weather.look up", None}


# As a platform's sample has it: draft 4, `type: string`, and null among the values.
DRAFT_4 = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {
        "unit": {"type": "string", "enum": ["C", "F", None]},
        "days": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        "place": {"$ref": "#/definitions/place"},
    },
    "required": ["unit", "place"],
    "definitions": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def test_a_strict_tool_goes_out_as_strict_mode_takes_it() -> None:
    model, asked = model_of(answer(text="ok"))
    given = {"name": "forecast", "description": "Tells.", "parameters": DRAFT_4}
    model.bind_tools([given], strict=True).invoke("hi")
    function = asked[0]["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"] == {
        "type": "object",
        "properties": {
            "unit": {"type": ["string", "null"], "enum": ["C", "F", None]},
            "days": {"type": ["integer", "null"], "exclusiveMinimum": 0},
            "place": {"$ref": "#/$defs/place"},
        },
        "required": ["unit", "days", "place"],
        "additionalProperties": False,
        "$defs": {
            "place": {
                "type": "object",
                "properties": {"city": {"type": ["string", "null"]}},
                "required": ["city"],
                "additionalProperties": False,
            }
        },
    }


def test_a_schema_that_cannot_be_strict_is_an_error_before_any_request() -> None:
    model, asked = model_of()
    given = {"name": "f", "parameters": {"type": "object", "additionalProperties": True}}
    with pytest.raises(InputError, match="tool `f` cannot be strict"):
        model.bind_tools([given], strict=True).invoke("hi")
    with pytest.raises(InputError, match="strict=False"):
        model.bind_tools([{**given, "strict": False}], strict=True)
    assert asked == []


def test_a_null_of_strict_mode_is_an_argument_left_out(ask: Ask) -> None:
    def look(city: str, days: int = 3) -> str:
        """Looks up the weather."""
        return f"{city} {days}"

    model, _ = model_of(
        answer(wire_call("look", '{"city": "Rome", "days": null}')), answer(text="ok")
    )
    loop = tool_loop(model, [Tool(look)], returns="messages")
    assert ask(loop, "hi")[1].text == "Rome 3"


def test_a_recursive_schema_keeps_its_references() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/$defs/T"}}}
    parameters = {
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/T"}},
        "$defs": {"T": tree},
    }
    model, asked = model_of(answer(text="ok"), answer(text="ok"))
    bound = model.bind_tools([{"name": "grow", "parameters": parameters}])
    bound.invoke("hi")
    assert asked[0]["tools"][0]["function"]["parameters"] == parameters
    model.bind_tools([{"name": "grow", "parameters": parameters}], strict=True).invoke("hi")
    sent = asked[1]["tools"][0]["function"]["parameters"]
    inner = sent["$defs"]["T"]["properties"]["left"]
    assert inner == {"anyOf": [{"$ref": "#/$defs/T"}, {"type": "null"}]}


traffic = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")


def current(**asked: Any) -> str:
    return f"dry at {asked['location']}"


RECORDED = Tool(current, name="get_current_weather", description="Tells the weather.")


@traffic
def test_recorded_parallel_calls_are_run_and_answered_by_their_ids(ask: Ask) -> None:
    model, asked = model_of(recorded(PARALLEL), answer(text="Dry everywhere."))
    assert ask(tool_loop(model, [RECORDED]), "hi").text == "Dry everywhere."
    expected = CASES[PARALLEL]["expected"]["tool_calls"]
    assert len({call["id"] for call in expected}) == 2
    sent = asked[1]["messages"][2:]
    assert [(m["tool_call_id"], m["content"]) for m in sent] == [
        (call["id"], f"dry at {call['args']['location']}") for call in expected
    ]


@traffic
def test_recorded_streamed_calls_are_run_and_answered(stream: Ask) -> None:
    model, asked = model_of(recorded(STREAMED), events({"content": "Dry."}))
    items = stream(tool_loop(model, [RECORDED]), "hi")
    expected = CASES[STREAMED]["expected"]["tool_calls"]
    found = {m.tool_call_id: m.text for m in items if isinstance(m, ToolMessage)}
    assert found == {call["id"]: f"dry at {call['args']['location']}" for call in expected}
    assert items[-1].chunk_position == "last"
    assert [m["role"] for m in asked[1]["messages"]] == ["user", "assistant", "tool", "tool"]


@traffic
def test_a_loop_by_hand_on_recorded_traffic(ask: Ask) -> None:
    model, asked = model_of(recorded(PARALLEL), answer(text="Dry."))
    bound = model.bind_tools([RECORDED])
    history: list[Any] = [("human", "hi")]
    message = ask(bound, history)
    history.append(message)
    history += [RECORDED.invoke(call) for call in message.tool_calls]
    assert ask(bound, history).text == "Dry."
    assert len(asked[1]["messages"]) == 4


@traffic
def test_no_cut_prefix_of_a_recorded_stream_runs_a_call() -> None:
    headers, body = recorded(STREAMED)
    lines = [line for line in body.split(b"\n\n") if line.strip()]
    whole = {call["id"]: call["args"] for call in CASES[STREAMED]["expected"]["tool_calls"]}
    ran: list[Any] = []

    def current(**asked: Any) -> str:
        ran.append(asked)
        return "dry"

    noted = Tool(current, name="get_current_weather", description="Tells the weather.")
    end = {"id": "r", "choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    tail = f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n".encode()
    for count in range(1, len(lines) - 2):
        cut = b"\n\n".join(lines[:count]) + b"\n\n" + tail
        model, _ = model_of((headers, cut), events({"content": "ok"}))
        list(tool_loop(model, [noted]).stream("hi"))
    assert all(args in whole.values() for args in ran)
