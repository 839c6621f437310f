"""Tools: calls, choices, results, histories, and the loop that runs them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headrace.chat_models.looping import tool_loop
from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    ToolMessage,
    message_chunk_to_message,
)
from headrace.testing.conformance.hooks import WAYS, ConformanceHooks, Serve, ask
from headrace.tools import tool


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return f"Noon in {city}."


@tool
def ping() -> str:
    """Checks the line."""
    return "pong"


def calling(*calls: tuple[str, dict[str, Any]]) -> AIMessage:
    """A reply that calls tools."""
    made = [
        {"type": "tool_call", "name": name, "args": args, "id": f"call_{number}_abcdefgh"}
        for number, (name, args) in enumerate(calls, 1)
    ]
    return AIMessage("", tool_calls=made, response_metadata={"finish_reason": "tool_calls"})


def calls_of(message: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    return [(call["name"], call["args"]) for call in message.tool_calls]


class ToolTests(ConformanceHooks):
    @WAYS
    def test_a_tool_is_called(self, serve: Serve, way: str) -> None:
        self.needs("tools")
        model = serve().model().bind_tools([get_weather])
        message = ask(model, way, 'What is the weather in "Boston"?')
        assert calls_of(message) == [("get_weather", {"city": "Boston"})]
        assert message.tool_calls[0]["id"]
        assert message.response_metadata["finish_reason"] == "tool_calls"

    def test_a_tool_is_described_to_the_provider(self, serve: Serve) -> None:
        self.needs("tools")
        served = serve("fine")
        served.model().bind_tools([get_weather]).invoke("hi")
        wire = repr(served.last)
        assert "get_weather" in wire
        assert "The weather in a city." in wire
        assert "city" in wire

    @WAYS
    def test_parallel_calls_stay_apart(self, serve: Serve, way: str) -> None:
        self.needs("tools", "parallel_tool_calls")
        reply = calling(("get_weather", {"city": "Boston"}), ("get_weather", {"city": "Paris"}))
        message = ask(serve(reply).model().bind_tools([get_weather]), way, "Weather in both?")
        assert calls_of(message) == [
            ("get_weather", {"city": "Boston"}),
            ("get_weather", {"city": "Paris"}),
        ]
        ids = [call["id"] for call in message.tool_calls]
        assert len(set(ids)) == 2
        assert None not in ids

    @WAYS
    def test_text_beside_a_call_is_kept(self, serve: Serve, way: str) -> None:
        self.needs("tools")
        reply = calling(("get_time", {"city": "Oslo"}))
        reply = AIMessage("Let me see.", tool_calls=reply.tool_calls)
        message = ask(serve(reply).model().bind_tools([get_time]), way, "Time?")
        assert message.text == "Let me see."
        assert calls_of(message) == [("get_time", {"city": "Oslo"})]

    @WAYS
    def test_a_call_without_arguments_has_an_empty_dict(self, serve: Serve, way: str) -> None:
        self.needs("tools")
        message = ask(serve(calling(("ping", {}))).model().bind_tools([ping]), way, "Ping!")
        assert calls_of(message) == [("ping", {})]

    @WAYS
    def test_arguments_of_any_script_and_depth_survive(self, serve: Serve, way: str) -> None:
        self.needs("tools")
        args = {"text": '東京 "quoted" \\ \n 👩‍👩‍👧', "list": [1, 2.5, None, True, {"a": ["b"]}]}
        schema = {"name": "note", "description": "Notes.", "parameters": {"type": "object"}}
        message = ask(serve(calling(("note", args))).model().bind_tools([schema]), way, "Note.")
        assert calls_of(message) == [("note", args)]

    @pytest.mark.parametrize("choice", ["any", "get_weather"])
    def test_a_call_can_be_forced(self, serve: Serve, choice: str) -> None:
        self.needs("tools", "tool_choice")
        model = serve().model().bind_tools([get_weather], tool_choice=choice)
        assert [name for name, _ in calls_of(model.invoke("Hello."))] == ["get_weather"]

    def test_tools_can_be_forbidden(self, serve: Serve) -> None:
        self.needs("tools", "tool_choice")
        model = serve().model().bind_tools([get_weather], tool_choice="none")
        assert model.invoke('What is the weather in "Boston"?').tool_calls == []

    def test_a_choice_of_several_leaves_out_the_others(self, serve: Serve) -> None:
        self.needs("tools", "tool_choice")
        model = serve().model().bind_tools([get_weather, get_time], tool_choice=["get_time"])
        message = model.invoke('Weather and time in "Rome"?')
        assert [name for name, _ in calls_of(message)] == ["get_time"]

    def test_a_choice_of_no_bound_tool_is_an_error_before_any_request(self, serve: Serve) -> None:
        self.needs("tools")
        served = serve("never")
        model = served.model().bind_tools([get_weather], tool_choice="get_wether")
        with pytest.raises(InputError, match="get_weather"):
            model.invoke("hi")
        assert served.server is None or not served.server.requests

    def test_a_name_that_the_provider_forbids_comes_back_as_it_was(self, serve: Serve) -> None:
        self.needs("tools", "tool_choice")
        odd = {
            "name": "my.tool/with spaces",
            "description": "Odd.",
            "parameters": {"type": "object", "properties": {}},
        }
        model = serve().model().bind_tools([odd], tool_choice="any")
        for way in ("invoke", "stream"):
            assert [name for name, _ in calls_of(ask(model, way, "Go."))] == [odd["name"]]

    def test_results_reach_the_provider(self, serve: Serve) -> None:
        self.needs("tools")
        served = serve(calling(("get_weather", {"city": "Boston"})), "It is sunny.")
        model = served.model().bind_tools([get_weather])
        question = HumanMessage("Weather in Boston?")
        call = model.invoke([question])
        result = get_weather.invoke(call.tool_calls[0])
        answer = model.invoke([question, call, result])
        assert answer.text == "It is sunny."
        assert "Sunny in Boston." in repr(served.last)

    def test_a_history_with_parallel_results_is_accepted(self, serve: Serve) -> None:
        self.needs("tools", "parallel_tool_calls")
        reply = calling(("get_weather", {"city": "Boston"}), ("get_time", {"city": "Boston"}))
        served = serve(reply, "Sunny, noon.")
        model = served.model().bind_tools([get_weather, get_time])
        chunks = list(model.stream("Weather and time in Boston?"))
        call = message_chunk_to_message(sum(chunks))  # type: ignore[arg-type]
        assert isinstance(call, AIMessage)
        results = [
            ToolMessage(f"result {n}", tool_call_id=c["id"]) for n, c in enumerate(call.tool_calls)
        ]
        talk = [HumanMessage("Weather and time in Boston?"), call, *results]
        assert model.invoke(talk).text == "Sunny, noon."
        assert "result 0" in repr(served.last)
        assert "result 1" in repr(served.last)

    def test_a_result_may_be_a_list_of_blocks(self, serve: Serve) -> None:
        self.needs("tools")
        served = serve("Seen.")
        call = calling(("get_weather", {"city": "Boston"}))
        result = ToolMessage(
            [{"type": "text", "text": "Sunny."}], tool_call_id=call.tool_calls[0]["id"]
        )
        talk = [HumanMessage("Weather?"), call, result]
        assert served.model().bind_tools([get_weather]).invoke(talk).text == "Seen."
        assert "Sunny." in repr(served.last)

    def test_a_failed_tool_is_told(self, serve: Serve) -> None:
        self.needs("tools")
        served = serve("Sorry.")
        call = calling(("get_weather", {"city": "Atlantis"}))
        result = ToolMessage("no such city", tool_call_id=call.tool_calls[0]["id"], status="error")
        talk = [HumanMessage("Weather?"), call, result]
        assert served.model().bind_tools([get_weather]).invoke(talk).text == "Sorry."
        assert "no such city" in repr(served.last)

    @WAYS
    def test_arguments_that_were_cut_off_are_no_call(self, serve: Serve, way: str) -> None:
        self.needs("tools")
        piece = {"name": "get_weather", "args": '{"city": "Bos', "id": "call_1", "index": 0}
        cut = AIMessageChunk(
            tool_call_chunks=[piece], response_metadata={"finish_reason": "length"},
            chunk_position="last",
        )  # fmt: skip
        if self.wire is not None and not getattr(self.wire, "carries_cut_arguments", True):
            pytest.skip("the provider's wire has whole arguments only")
        message = ask(serve([cut]).model().bind_tools([get_weather]), way, "Weather?")
        assert message.tool_calls == []
        assert [call["name"] for call in message.invalid_tool_calls] == ["get_weather"]

    @pytest.mark.parametrize("world", ["sync", "async"])
    def test_a_loop_runs_to_the_answer(self, serve: Serve, world: str) -> None:
        self.needs("tools")
        loop = tool_loop(serve().model(), [get_weather])
        question = 'What is the weather in "Boston"?'
        answer = loop.invoke(question) if world == "sync" else asyncio.run(loop.ainvoke(question))
        assert "Sunny in Boston." in str(answer)
