"""Recorded tool calls through `tool_loop` and streams of objects, by the real SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from recorded import FOLDER, REPLAY, load_cases

from headrace import tool_loop
from headrace.messages import AIMessage, AIMessageChunk, ToolMessage
from headrace.tools import Tool
from headrace_openai import ChatOpenAI

CASES = [case for case in load_cases("openai-chat") if case["status"] == 200]
pytestmark = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")


def calls_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of an answer, if all of them can be read and are of tools of its request."""
    calls = case["expected"].get("tool_calls") or []
    known = {tool["name"] for tool in functions_of(case)}
    fit = all(call["name"] in known and "__unparsable__" not in call["args"] for call in calls)
    return calls if fit else []


def functions_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    tools = (case.get("request") or {}).get("tools") or []
    return [tool["function"] for tool in tools if "function" in tool]


def results_in(request: dict[str, Any]) -> list[tuple[str, Any]]:
    messages = request.get("messages") or []
    return [(m["tool_call_id"], m["content"]) for m in messages if m["role"] == "tool"]


def answered(case: dict[str, Any]) -> dict[str, Any] | None:
    """The exchange of the same recording in which the calls of a case have been answered."""
    group, ids = case["id"].rpartition(".")[0], [call["id"] for call in calls_of(case)]
    for other in CASES if ids and all(ids) else ():
        results = results_in(other.get("request") or {})
        if other["id"].rpartition(".")[0] != group or other["expected"].get("tool_calls"):
            continue
        if [id for id, _ in results] == ids and all(isinstance(said, str) for _, said in results):
            return other
    return None


PAIRS = [(case, after) for case in CASES if (after := answered(case)) is not None]
STREAMED = [case for case in CASES if case["stream"] and len(calls_of(case)) == 1]
PARALLEL = [case for case in CASES if len(calls_of(case)) > 1]
DONE = {"id": "r", "model": "m", "choices": [{"index": 0, "message": {"content": "Done."}}]}


def named(value: Any) -> str | None:
    case = value[0] if isinstance(value, tuple) else value
    return str(case["id"]) if isinstance(case, dict) else None


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Callable[[Any, bool], list[Any]]:
    """What a step gives, streamed or whole, in each of the two worlds."""

    async def collected(step: Any, stream: bool) -> list[Any]:
        return [i async for i in step.astream("hi")] if stream else [await step.ainvoke("hi")]

    if request.param == "async":
        return lambda step, stream: asyncio.run(collected(step, stream))
    return lambda step, stream: list(step.stream("hi")) if stream else [step.invoke("hi")]


def model_of(answers: list[httpx2.Response]) -> tuple[ChatOpenAI, list[dict[str, Any]]]:
    """A model that is given these answers in turn, and the list of its requests."""
    seen: list[dict[str, Any]] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(json.loads(request.content))
        return answers[len(seen) - 1]

    transport = httpx2.MockTransport(handler)
    model = ChatOpenAI(
        model="m",
        api_key="k",
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
        http_async_client=httpx2.AsyncClient(transport=transport),
    )
    return model, seen


def answer_of(case: dict[str, Any]) -> httpx2.Response:
    kind = {k.lower(): v for k, v in case["headers"].items()}.get("content-type")
    headers = {"content-type": kind or "application/json"}
    return httpx2.Response(200, headers=headers, content=REPLAY.body_of(case))


def tools_for(case: dict[str, Any], said: list[str], ran: list[Any]) -> list[Tool]:
    """The tools of a request; each call is noted and answered by the next of `said`."""
    rest = iter(said)

    def made(function: dict[str, Any]) -> Tool:
        def work(**args: Any) -> str:
            ran.append((function["name"], args))
            return next(rest)

        schema = {"type": "object", "properties": {}, **(function.get("parameters") or {})}
        about = function.get("description") or "A tool."
        return Tool(work, name=function["name"], description=about, args_schema=schema)

    return [made(function) for function in functions_of(case)]


@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_a_recorded_conversation_with_tools_runs_as_it_was(run: Any, pair: Any) -> None:
    case, after = pair
    model, seen = model_of([answer_of(case), answer_of(after)])
    ran: list[Any] = []
    results = results_in(after["request"])
    tools = tools_for(case, [said for _, said in results], ran)
    items = run(tool_loop(model, tools, parallel=False), case["stream"])
    assert ran == [(call["name"], call["args"]) for call in calls_of(case)]
    assert results_in(seen[1]) == results
    text = "".join(item.text for item in items if isinstance(item, AIMessage))
    before = case["expected"]["text"] if case["stream"] else ""
    assert text == before + after["expected"]["text"]


@pytest.mark.parametrize("case", PARALLEL, ids=named)
def test_recorded_parallel_calls_are_run_and_answered_by_id(run: Any, case: Any) -> None:
    model, seen = model_of([answer_of(case), httpx2.Response(200, json=DONE)])
    if case["stream"]:
        pieces = {"index": 0, "delta": {"content": "Done."}, "finish_reason": "stop"}
        said = f"data: {json.dumps({**DONE, 'choices': [pieces]})}\n\ndata: [DONE]\n\n"
        headers = {"content-type": "text/event-stream"}
        model, seen = model_of([answer_of(case), httpx2.Response(200, headers=headers, text=said)])
    calls, ran = calls_of(case), list[Any]()
    tools = tools_for(case, [f"result {n}" for n in range(len(calls))], ran)
    items = run(tool_loop(model, tools, parallel=False), case["stream"])
    assert ran == [(call["name"], call["args"]) for call in calls]
    given = results_in(seen[1])
    assert [said for _, said in given] == [f"result {n}" for n in range(len(calls))]
    assert len({id for id, _ in given}) == len(calls) >= 2
    if case["stream"]:
        assert sum(isinstance(item, ToolMessage) for item in items) == len(calls)


@pytest.mark.parametrize("case", STREAMED, ids=named)
def test_the_object_of_a_recorded_stream_grows_to_what_was_called(run: Any, case: Any) -> None:
    (call,) = calls_of(case)
    (function,) = [tool for tool in functions_of(case) if tool["name"] == call["name"]][:1]
    model, _ = model_of([answer_of(case)])
    values = run(model.with_structured_output(function, method="function_calling"), True)
    assert values[-1] == call["args"]
    assert all(grows(before, after) for before, after in pairwise(values))


def grows(before: Any, after: Any) -> bool:
    """Whether no value that was shown is taken back."""
    if isinstance(before, dict):
        return all(key in after and grows(before[key], after[key]) for key in before)
    if isinstance(before, list):
        return len(before) <= len(after) and all(map(grows, before, after))
    return bool(after.startswith(before)) if isinstance(before, str) else before == after


@pytest.mark.parametrize("case", STREAMED, ids=named)
def test_a_recorded_stream_of_a_call_shows_its_pieces(run: Any, case: Any) -> None:
    model, _ = model_of([answer_of(case)])
    chunks = run(model, True)
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    pieces = [piece for chunk in chunks for piece in chunk.tool_call_chunks]
    said = "".join(piece["args"] or "" for piece in pieces)
    assert json.loads(said or "{}") == calls_of(case)[0]["args"]
