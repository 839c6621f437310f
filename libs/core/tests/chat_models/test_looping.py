from __future__ import annotations

import asyncio
import pickle
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from headrace import tool_loop
from headrace.engine.events import FunctionListener
from headrace.errors import (
    InputError,
    ToolError,
    ToolLoopLimitError,
)
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    InvalidToolCall,
    ToolMessage,
)
from headrace.testing import OfflineChatModel, ScriptedChatModel
from headrace.tools import ToolRuntime, tool

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


def calls(*given: dict[str, Any], **more: Any) -> AIMessage:
    return AIMessage("", tool_calls=list(given), **more)


def results(messages: Any) -> list[tuple[str, str, str]]:
    found = [m for m in messages if isinstance(m, ToolMessage)]
    return [(m.tool_call_id, m.text, m.status) for m in found]


def seen(model: ScriptedChatModel, request: int = 1) -> list[tuple[str, str, str]]:
    return results(model.calls[request].messages)


def test_calls_are_run_and_their_results_answered(world: Any) -> None:
    model = ScriptedChatModel([calls(call(city="Rome"), call(id="2", city="Ulm")), "Warm."])
    answer = world.invoke(tool_loop(model, [weather]), "How is the weather?")
    assert isinstance(answer, AIMessage)
    assert answer.text == "Warm."
    assert seen(model) == [
        ("1", "21 degrees in Rome", "success"), ("2", "21 degrees in Ulm", "success"),
    ]  # fmt: skip
    assert model.calls[0].settings.tools[0]["name"] == "weather"


def test_the_offline_model_calls_twice_and_quotes_the_results(world: Any) -> None:
    loop = tool_loop(OfflineChatModel(), [weather])
    answer = world.invoke(loop, "What is the weather in Boston and Paris?")
    assert answer.text == "21 degrees in Boston 21 degrees in Paris"


def test_the_offline_model_streams_two_calls_with_two_ids(world: Any) -> None:
    loop = tool_loop(OfflineChatModel(), [weather])
    items = world.stream(loop, "What is the weather in Boston and Paris?")
    found = {m.tool_call_id: m.text for m in items if isinstance(m, ToolMessage)}
    assert len(found) == 2
    assert sorted(found.values()) == ["21 degrees in Boston", "21 degrees in Paris"]
    assert any(
        c["args"] for i in items if not isinstance(i, ToolMessage) for c in i.tool_call_chunks
    )


def test_the_offline_model_may_be_forced_to_call(world: Any) -> None:
    forced = OfflineChatModel().bind(tool_choice="weather")
    assert world.invoke(tool_loop(forced, [weather]), "Hello").text.startswith("21 degrees in")


def test_all_new_messages_are_given_if_asked_for(world: Any) -> None:
    model = ScriptedChatModel([calls(call(city="Rome")), "Warm."])
    loop = tool_loop(model, [weather], returns="messages")
    kinds = [m.type for m in world.invoke(loop, [HumanMessage("hi")])]
    assert kinds == ["ai", "tool", "ai"]


def test_a_stream_gives_text_calls_and_results_on_the_way(world: Any) -> None:
    first = calls(call(city="Rome")).model_copy(update={"content": "Let me see"})
    loop = tool_loop(ScriptedChatModel([first, "It is warm"]), [weather])
    items = world.stream(loop, "hi")
    where = next(i for i, item in enumerate(items) if isinstance(item, ToolMessage))
    before, after = items[:where], items[where + 1 :]
    assert "".join(c.text for c in before) == "Let me see"
    assert sum(before).tool_calls == [call(city="Rome")]
    assert items[where].text == "21 degrees in Rome"
    assert all(isinstance(item, AIMessageChunk) for item in after)
    assert "".join(c.text for c in after) == "It is warm"


def test_the_sum_of_a_stream_is_the_answer() -> None:
    loop = tool_loop(ScriptedChatModel([calls(call(city="Rome")), "It is warm"]), [weather])
    assert loop.stream("hi").result.text == "It is warm"


def test_a_loop_stops_at_its_limit_and_keeps_the_conversation(world: Any) -> None:
    model = ScriptedChatModel([calls(call(city="Rome"))] * 9)
    with pytest.raises(ToolLoopLimitError, match="`weather` in the last of 2 steps") as found:
        world.invoke(tool_loop(model, [weather], max_steps=2), "hi")
    assert [m.type for m in found.value.messages] == ["human", "ai", "tool", "ai"]
    assert ran == ["Rome"]


def test_an_unknown_tool_is_answered_with_those_there_are(world: Any) -> None:
    model = ScriptedChatModel([calls(call("wether", city="Rome")), "Sorry."])
    world.invoke(tool_loop(model, [weather]), "hi")
    said = "there is no tool `wether` (did you mean `weather`?); the tools are `weather`"
    assert seen(model) == [("1", said, "error")]


def test_bad_arguments_are_told_to_the_model_whatever_the_policy(world: Any) -> None:
    model = ScriptedChatModel([calls(call(town="Rome")), "Sorry."])
    world.invoke(tool_loop(model, [weather], on_tool_error="raise"), "hi")
    assert "`town`" in seen(model)[0][1]


def test_an_error_of_a_tool_is_told_to_the_model(world: Any) -> None:
    model = ScriptedChatModel([calls(call("broken", city="Rome")), "Sorry."])
    world.invoke(tool_loop(model, [broken]), "hi")
    assert seen(model) == [("1", "KeyError: 'Rome'", "error")]


def test_an_error_of_a_tool_ends_the_loop_if_it_shall(world: Any) -> None:
    model = ScriptedChatModel([calls(call("broken", city="Rome"))])
    with pytest.raises(KeyError):
        world.invoke(tool_loop(model, [broken], on_tool_error="raise"), "hi")


def test_a_call_that_could_not_be_read_is_answered_and_never_run(world: Any) -> None:
    invalid: InvalidToolCall = {
        "type": "invalid_tool_call", "name": "weather", "args": '{"ci', "id": "1", "error": "cut",
    }  # fmt: skip
    model = ScriptedChatModel([AIMessage("", invalid_tool_calls=[invalid]), "Sorry."])
    loop = tool_loop(model, [weather], returns="messages")
    assert results(world.invoke(loop, "hi")) == [("1", "the call was not run: cut", "error")]
    assert ran == []


@given(st.dictionaries(st.sampled_from("abc"), st.text(max_size=8), min_size=1), st.integers(0, 40))
def test_a_truncated_call_is_never_run(args: dict[str, str], cut: int) -> None:
    whole = to_json(args).decode()
    text = whole[: min(cut, len(whole) - 1)]
    done: list[Any] = []

    @tool
    def take(**values: Any) -> str:
        """Takes anything."""
        done.append(values)
        return "taken"

    head = {"name": "take", "id": "1", "args": text, "index": 0}
    end = AIMessageChunk("", response_metadata={"finish_reason": "length"})
    model = ScriptedChatModel([[AIMessageChunk(tool_call_chunks=[head]), end], "Sorry."])
    tool_loop(model, [take]).invoke("hi")
    assert done == []
    assert seen(model)[0][2] == "error"


def test_calls_without_ids_or_with_the_same_one_get_their_own(world: Any) -> None:
    given = [call(id=None, city="a"), call(id="x", city="b"), call(id="x", city="c")]
    loop = tool_loop(ScriptedChatModel([calls(*given), "ok"]), [weather], returns="messages")
    first, *answers, _ = world.invoke(loop, "hi")
    ids = [one["id"] for one in first.tool_calls]
    assert len({*ids}) == 3
    assert all(ids)
    assert [m.tool_call_id for m in answers] == ids
    assert given[0]["id"] is None


def test_a_forced_choice_holds_for_the_first_request_only(world: Any) -> None:
    model = ScriptedChatModel([calls(call(city="Rome")), "Warm."])
    world.invoke(tool_loop(model.bind(tool_choice="any"), [weather]), "hi")
    assert [c.settings.tool_choice for c in model.calls] == ["any", None]


def test_a_choice_that_names_no_tool_is_an_error_before_any_request(world: Any) -> None:
    model = ScriptedChatModel(["never"])
    with pytest.raises(InputError, match="names `wether`"):
        world.invoke(tool_loop(model.bind(tool_choice="wether"), [weather]), "hi")
    assert model.calls == []


def test_a_tool_outside_the_allowed_ones_is_not_run(world: Any) -> None:
    model = ScriptedChatModel([calls(call("broken", city="Rome")), "Sorry."])
    world.invoke(tool_loop(model.bind(tool_choice=["weather"]), [weather, broken]), "hi")
    assert "there is no tool `broken`" in seen(model)[0][1]


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (True, ("1", "21 degrees in Rome", "success")),
        (False, ("1", "the call of `weather` was refused", "error")),
        ("too far", ("1", "the call of `weather` was refused: too far", "error")),
        (call(city="Ulm"), ("1", "21 degrees in Ulm", "success")),
        (ToolMessage("known", "1"), ("1", "known", "success")),
    ],
)
def test_a_call_is_approved_edited_refused_or_answered(
    world: Any, verdict: Any, said: tuple[str, str, str]
) -> None:
    async def later(call: dict[str, Any]) -> Any:
        return verdict

    for approve in (lambda call: verdict, later):
        model = ScriptedChatModel([calls(call(city="Rome")), "ok"])
        world.invoke(tool_loop(model, [weather], approve=approve), "hi")
        assert seen(model) == [said]


def test_an_edited_call_stands_in_the_conversation(world: Any) -> None:
    model = ScriptedChatModel([calls(call(city="Rome")), "ok"])
    world.invoke(tool_loop(model, [weather], approve=lambda _: call(city="Ulm")), "hi")
    assert model.calls[1].messages[1].tool_calls == [call(city="Ulm")]
    assert ran == ["Ulm"]


def test_an_approval_that_says_nothing_is_an_input_error(world: Any) -> None:
    model = ScriptedChatModel([calls(call(city="Rome"))])
    with pytest.raises(InputError, match="`approve` returns True"):
        world.invoke(tool_loop(model, [weather], approve=lambda _: None), "hi")
    assert ran == []


def test_a_tool_sees_the_conversation_and_shares_its_state(world: Any) -> None:
    @tool
    def count(runtime: ToolRuntime) -> str:
        """Counts."""
        runtime.state["n"] = runtime.state.get("n", 0) + 1
        return f"{runtime.state['n']} {runtime.messages[0].text} {runtime.tool_call_id}"

    once = calls(call("count", id="a"))
    model = ScriptedChatModel([once, calls(call("count", id="b")), "ok"])
    world.invoke(tool_loop(model, [count]), "hi")
    assert [said for _, said, _ in seen(model, 2)] == ["1 hi a", "2 hi b"]


def test_results_that_are_to_be_returned_as_they_are_end_the_loop(world: Any) -> None:
    direct = tool(weather.func, return_direct=True)
    loop = tool_loop(ScriptedChatModel([calls(call(city="Rome"))]), [direct])
    assert world.invoke(loop, "hi").text == "21 degrees in Rome"


def test_a_turn_that_was_only_paused_goes_on(world: Any) -> None:
    paused = AIMessage("searching", response_metadata={"finish_reason": "pause"})
    model = ScriptedChatModel([paused, "found"])
    assert world.invoke(tool_loop(model, [weather]), "hi").text == "found"
    assert model.calls[1].messages[-1].text == "searching"


def test_parallel_calls_share_the_budget_of_the_run(world: Any) -> None:
    now, peak = 0, 0

    @tool
    def slow(n: int) -> str:
        """Waits."""
        nonlocal now, peak
        now, peak = now + 1, max(peak, now + 1)
        time.sleep(0.01)
        now -= 1
        return str(n)

    given = [call("slow", id=str(n), n=n) for n in range(4)]
    for parallel, most in ((True, 2), (False, 1)):
        model = ScriptedChatModel([calls(*given), "ok"])
        loop = tool_loop(model, [slow], parallel=parallel)
        peak = 0
        world.invoke(loop, "hi", {"max_concurrency": 2})
        assert peak <= most
        assert [said for _, said, _ in seen(model)] == ["0", "1", "2", "3"]


def test_leaving_a_stream_early_asks_no_more_and_closes_the_tools() -> None:
    closed: list[str] = []

    @tool
    async def endless() -> str:
        """Waits for ever."""
        try:
            await asyncio.sleep(60)
        finally:
            closed.append("endless")
        return ""

    async def main() -> None:
        given = calls(call(city="Rome"), call("endless", id="2"))
        model = ScriptedChatModel([given, "never"])
        async with tool_loop(model, [weather, endless]).astream("hi") as items:
            async for item in items:
                if isinstance(item, ToolMessage):
                    break
        assert closed == ["endless"]
        assert len(model.calls) == 1

    asyncio.run(main())


def test_leaving_a_sync_stream_early_asks_no_more() -> None:
    model = ScriptedChatModel([calls(call(city="Rome")), "never"])
    with tool_loop(model, [weather]).stream("hi") as items:
        next(item for item in items if isinstance(item, ToolMessage))
    assert len(model.calls) == 1


def test_a_loop_that_is_cancelled_ends_its_tools() -> None:
    ended: list[str] = []

    @tool
    async def endless() -> str:
        """Waits for ever."""
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("endless")
        return ""

    async def main() -> None:
        nonlocal begun
        begun = asyncio.Event()
        model = ScriptedChatModel([calls(call("endless"), call("endless", id="2"))])
        task = asyncio.create_task(tool_loop(model, [endless]).ainvoke("hi"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended

    begun: asyncio.Event
    asyncio.run(main())


def test_an_error_that_ends_the_loop_ends_the_other_tools() -> None:
    ended: list[str] = []

    @tool
    async def endless() -> str:
        """Waits for ever."""
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("endless")
        return ""

    model = ScriptedChatModel([calls(call("endless"), call("broken", id="2", city="x"))])
    loop = tool_loop(model, [endless, broken], on_tool_error="raise")
    with pytest.raises(KeyError):
        asyncio.run(loop.ainvoke("hi"))
    assert ended == ["endless"]


def test_a_wrapped_tool_is_run_with_its_wrapper(world: Any) -> None:
    tries: list[int] = []

    @tool
    def flaky() -> str:
        """Works the second time."""
        tries.append(1)
        if len(tries) == 1:
            raise ToolError("again")
        return "done"

    model = ScriptedChatModel([calls(call("flaky")), "ok"])
    world.invoke(tool_loop(model, [flaky.with_retry(wait_exponential_jitter=False)]), "hi")
    assert seen(model) == [("1", "done", "success")]


def test_the_events_of_requests_and_tools_are_inside_those_of_the_loop(world: Any) -> None:
    told: list[tuple[str, str, int]] = []

    listener = FunctionListener(
        lambda event: told.append((event.run_type, event.name, len(event.parent_ids))),
        frozenset({"started"}),
    )
    model = ScriptedChatModel([calls(call(city="Rome")), "ok"])
    world.invoke(tool_loop(model, [weather]), "hi", {"callbacks": [listener]})
    assert told == [
        ("chain", "tool_loop", 0), ("chat_model", "ScriptedChatModel", 1),
        ("tool", "weather", 1), ("chat_model", "ScriptedChatModel", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_steps": 0}, "max_steps"),
        ({"on_tool_error": "hide"}, "on_tool_error"),
        ({"returns": "text"}, "returns"),
        ({"approve": True}, "approve"),
    ],
)
def test_a_wrong_setting_is_an_input_error(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tool_loop(ScriptedChatModel([]), [weather], **wrong)


def test_a_tool_that_is_only_described_is_an_input_error() -> None:
    with pytest.raises(InputError, match="only described"):
        tool_loop(ScriptedChatModel([]), [{"name": "f", "parameters": {}}])


def test_a_tool_of_the_provider_is_passed_on(world: Any) -> None:
    model = ScriptedChatModel(["ok"])
    world.invoke(tool_loop(model, [{"type": "web_search"}, weather]), "hi")
    assert model.calls[0].settings.tools[0] == {"type": "web_search"}


def test_the_model_is_asked_with_what_is_said_at_the_call(world: Any) -> None:
    model = ScriptedChatModel(["ok"])
    world.invoke(tool_loop(model, [weather]), "hi", temperature=0.5)
    assert model.calls[0].settings.params["temperature"] == 0.5


@pytest.mark.parametrize("error", [ToolLoopLimitError("x", messages=[1])])
def test_the_limit_error_keeps_its_messages_when_pickled(error: Any) -> None:
    assert pickle.loads(pickle.dumps(error)).messages == [1]
