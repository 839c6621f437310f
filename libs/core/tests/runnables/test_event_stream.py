"""What happens in a run, as a stream of dicts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headrace.callbacks import adispatch_custom_event, dispatch_custom_event
from headrace.errors import InputError
from headrace.runnables import RunnableGenerator, RunnableLambda, chain
from headrace.testing import ScriptedChatModel


def events_of(step: Any, input: Any, config: Any = None, **filters: Any) -> list[dict[str, Any]]:
    async def read() -> list[dict[str, Any]]:
        async with step.astream_events(input, config, **filters) as events:
            return [event async for event in events]

    return asyncio.run(read())


def told(events: list[dict[str, Any]]) -> list[str]:
    return [f"{event['event']} {event['name']}" for event in events]


@chain
def double(x: int) -> int:
    return x * 2


@chain
def inc(x: int) -> int:
    return x + 1


def test_each_step_starts_streams_and_ends_inside_its_parent() -> None:
    events = events_of((double | inc).with_config(run_name="both"), 3)
    names = told(events)
    assert (names[0], names[-1]) == ("on_chain_start both", "on_chain_end both")
    for name in ("both", "double", "inc"):
        own = [text.split()[0] for text in names if text.split()[1] == name]
        assert own == ["on_chain_start", "on_chain_stream", "on_chain_end"]
    ids = {event["name"]: event["run_id"] for event in events}
    parents = {event["name"]: event["parent_ids"] for event in events}
    assert parents == {"both": [], "double": [ids["both"]], "inc": [ids["both"]]}


def test_the_start_of_the_root_carries_the_callers_own_input() -> None:
    given = {"any": "object"}
    assert events_of(RunnableLambda(len) | double, given)[0]["data"]["input"] is given
    assert events_of(RunnableLambda(lambda x: 1), None)[0]["data"] == {"input": None}


def test_an_end_carries_output_and_input() -> None:
    end = events_of(double | inc, 3)[-1]
    assert end["data"] == {"output": 7, "input": 3}


def test_tags_and_metadata_of_the_config_are_in_each_event() -> None:
    events = events_of(double | inc, 3, {"tags": ["t"], "metadata": {"k": 1}})
    assert all("t" in event["tags"] and event["metadata"] == {"k": 1} for event in events)
    assert {"seq:step:1", "seq:step:2"} <= {tag for event in events for tag in event["tags"]}


def test_a_model_streams_even_where_a_function_invokes_it() -> None:
    model = ScriptedChatModel(["some words here"])

    async def ask(text: str) -> Any:
        return (await model.ainvoke(text)).text

    events = events_of(RunnableLambda(ask), "hi")
    kinds = [event["event"] for event in events]
    assert kinds.count("on_chat_model_start") == kinds.count("on_chat_model_end") == 1
    pieces = [e["data"]["chunk"].text for e in events if e["event"] == "on_chat_model_stream"]
    assert "".join(pieces) == "some words here"
    assert len(pieces) > 1


def test_custom_events_come_from_plain_functions_and_coroutine_functions() -> None:
    @chain
    def plain(x: int) -> int:
        dispatch_custom_event("halfway", {"x": x})
        return x

    @chain
    async def waiting(x: int) -> int:
        await adispatch_custom_event("retry", x)
        return x

    events = [e for e in events_of(plain | waiting, 3) if e["event"] == "on_custom_event"]
    assert [(event["name"], event["data"]) for event in events] == [
        ("halfway", {"x": 3}),
        ("retry", 3),
    ]


def test_a_retry_is_an_event_of_its_own() -> None:
    errors = [ValueError("once")]

    def fail_once(x: int) -> int:
        if errors:
            raise errors.pop()
        return x

    options = {"exponential_jitter_params": {"initial": 0, "jitter": 0}}
    events = events_of(RunnableLambda(fail_once).with_retry(**options), 3)
    [retry] = [event for event in events if event["event"] == "on_retry"]
    assert retry["data"]["attempt"] == 1
    [failed] = [event for event in events if event["event"] == "on_chain_error"]
    assert str(failed["data"]["error"]) == "once"


def test_calls_made_in_a_worker_thread_are_told_in_order() -> None:
    def calls(x: int) -> int:
        return (double | inc).invoke(x)

    names = told(events_of(RunnableLambda(calls), 3))
    assert names.index("on_chain_start calls") < names.index("on_chain_start double")
    assert names.index("on_chain_end inc") < names.index("on_chain_end calls")


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"include_names": ["double"]}, {"double"}),
        ({"include_tags": ["seq:step:2"]}, {"inc"}),
        ({"include_types": ["chain"], "exclude_names": ["inc"]}, {"RunnableSequence", "double"}),
        ({"include_types": ["tool"]}, set()),
        ({"exclude_tags": ["seq:step:1"]}, {"RunnableSequence", "inc"}),
    ],
)
def test_filters_choose_by_name_type_and_tag(filters: dict[str, Any], names: set[str]) -> None:
    assert {event["name"] for event in events_of(double | inc, 3, **filters)} == names


def test_an_error_of_the_run_is_raised_after_its_events() -> None:
    def fail(x: Any) -> Any:
        raise ValueError("broken")

    seen: list[str] = []

    async def read() -> None:
        async for event in RunnableLambda(fail).astream_events(1):
            seen.append(event["event"])

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(read())
    assert seen == ["on_chain_start", "on_chain_error"]


def test_closing_it_cancels_the_run_and_waits_for_its_end() -> None:
    done: list[str] = []

    async def endless(x: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append("cleaned up")

    async def read() -> None:
        async with RunnableLambda(endless).astream_events(1) as events:
            async for _ in events:
                break
        done.append("left")

    asyncio.run(read())
    assert done == ["cleaned up", "left"]


def test_a_run_that_is_ahead_of_its_reader_waits() -> None:
    made: list[int] = []

    async def numbers(chunks: Any) -> Any:
        for number in range(1000):
            made.append(number)
            yield number

    async def read() -> None:
        async with RunnableGenerator(numbers).astream_events(1) as events:
            async for _ in events:
                for _ in range(100):
                    await asyncio.sleep(0)
                break

    asyncio.run(read())
    assert len(made) < 50


def test_a_sync_emitter_in_the_loop_is_not_asked_to_wait() -> None:
    inner = RunnableGenerator(lambda chunks: (n for _ in chunks for n in range(100)))
    step = RunnableLambda(lambda x: list(inner.stream(x)), inline=True)
    events = events_of(step, 1)
    assert sum(event["event"] == "on_chain_stream" for event in events) == 101


def test_it_is_nested_in_the_run_of_the_function_that_reads_it() -> None:
    seen: list[Any] = []

    async def read(x: int) -> list[Any]:
        return [event async for event in double.astream_events(x)]

    outer = events_of(RunnableLambda(read), 3)
    root = next(event["run_id"] for event in outer if event["name"] == "read")
    seen = [event for event in outer if event["name"] == "double"]
    assert seen
    assert all(event["parent_ids"] == [root] for event in seen)


def test_another_version_is_refused_at_the_call() -> None:
    with pytest.raises(InputError, match='version="v2"'):
        double.astream_events(1, version="v1")
    with pytest.raises(InputError, match="lists"):
        double.astream_events(1, include_names="double")
