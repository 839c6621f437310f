"""Recorded answers to requests for objects, read by `with_structured_output`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from recorded import FOLDER, REPLAY, load_cases

from headrace.errors import ModelRefusalError, StructuredOutputError
from headrace_openai import ChatOpenAI

CASES = [case for case in load_cases("openai-chat") if case["status"] == 200 and not case["stream"]]
pytestmark = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")


def form_of(case: dict[str, Any]) -> dict[str, Any]:
    form = (case.get("request") or {}).get("response_format") or {}
    return form if form.get("type") == "json_schema" else {}


def tools_of(case: dict[str, Any]) -> list[Any]:
    """The tools of a request whose answer is one call of one of them."""
    calls = case["expected"].get("tool_calls") or []
    tools = (case.get("request") or {}).get("tools") or []
    found = [tool for tool in tools if "function" in tool]
    if len(calls) != 1 or "__unparsable__" in calls[0]["args"]:
        return []
    return [t for t in found if t["function"]["name"] == calls[0]["name"]]


FORMS = [case for case in CASES if form_of(case)]
CALLS = [case for case in CASES if tools_of(case)]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """`invoke`, in each of the two worlds."""
    if request.param == "sync":
        return lambda model: model.invoke("hello")
    return lambda model: asyncio.run(model.ainvoke("hello"))


def model_for(case: dict[str, Any]) -> Any:
    answer = json.loads(REPLAY.body_of(case))
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
    return ChatOpenAI(
        model="m",
        api_key="k",
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
        http_async_client=httpx2.AsyncClient(transport=transport),
    )


@pytest.mark.parametrize("case", FORMS, ids=lambda case: str(case["id"]))
def test_a_recorded_object_is_read_and_a_refusal_is_held(ask: Any, case: dict[str, Any]) -> None:
    structured = model_for(case).with_structured_output(form_of(case), include_raw=True)
    answer = ask(structured)
    if case["expected"].get("refusal"):
        assert isinstance(answer["parsing_error"], StructuredOutputError)
        assert isinstance(answer["parsing_error"].__cause__, ModelRefusalError)
    else:
        assert answer["parsed"] == json.loads(case["expected"]["text"])
    assert answer["raw"].usage_metadata is not None


@pytest.mark.parametrize("case", CALLS, ids=lambda case: str(case["id"]))
def test_a_recorded_call_gives_the_object_of_its_tool(ask: Any, case: dict[str, Any]) -> None:
    (tool,) = tools_of(case)[:1]
    structured = model_for(case).with_structured_output(tool, method="function_calling")
    (call,) = case["expected"]["tool_calls"]
    assert ask(structured) == call["args"]


# Draft 4, and a type of string beside null in its enum: strict modes refuse it as it stands.
OLD = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Person",
    "type": "object",
    "properties": {
        "mood": {"type": "string", "enum": ["good", None]},
        "age": {"type": "integer"},
    },
    "required": ["mood"],
}


def test_an_old_schema_is_sent_as_strict_mode_takes_it(ask: Any) -> None:
    seen: list[Any] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(json.loads(request.content))
        message = {"content": '{"mood": null, "age": null}'}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return httpx2.Response(200, json={"id": "r", "model": "m", "choices": [choice]})

    transport = httpx2.MockTransport(handler)
    model = ChatOpenAI(
        model="m",
        api_key="k",
        http_client=httpx2.Client(transport=transport),
        http_async_client=httpx2.AsyncClient(transport=transport),
    )
    assert ask(model.with_structured_output(OLD, strict=True)) == {"mood": None}
    sent = seen[0]["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert sent["schema"] == {
        "title": "Person",
        "type": "object",
        "properties": {
            "mood": {"type": ["string", "null"], "enum": ["good", None]},
            "age": {"type": ["integer", "null"]},
        },
        "required": ["mood", "age"],
        "additionalProperties": False,
    }
