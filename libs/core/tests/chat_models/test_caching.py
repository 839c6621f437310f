from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from pydantic import BaseModel

from headrace import tool
from headrace.caches import InMemoryCache, set_default_cache
from headrace.callbacks import cost_tracker, get_usage_metadata_callback
from headrace.chat_models import BaseChatModel
from headrace.errors import (
    ConfigurationError,
    InputError,
    ModelAPIError,
    StreamInterruptedError,
    StructuredOutputError,
)
from headrace.messages import AIMessage, AIMessageChunk, HumanMessage
from headrace.testing import FunctionChatModel, ScriptedChatModel

USAGE: Any = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


class City(BaseModel):
    name: str


class Broken:
    """A store that is not there."""

    def get(self, key: str) -> bytes | None:
        raise ConnectionError("no store")

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        raise ConnectionError("no store")

    def delete(self, key: str) -> None:
        raise ConnectionError("no store")

    def clear(self, namespace: str | None = None) -> None:
        raise ConnectionError("no store")


class Garbled(Broken):
    """A store that gives back something else."""

    def get(self, key: str) -> bytes | None:
        return b'{"v": 1, "items": [{"type": "human", "content": "hi"}]}'

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self.kept = value


def scripted(*replies: Any, **more: Any) -> ScriptedChatModel:
    return ScriptedChatModel(list(replies), cache=more.pop("cache", InMemoryCache()), **more)


def streamed(*texts: str) -> list[AIMessageChunk]:
    chunks = [AIMessageChunk(text) for text in texts]
    return [*chunks, AIMessageChunk("", usage_metadata=USAGE)]


def shown(chunks: Any) -> list[str]:
    return [chunk.text for chunk in chunks]


def test_the_second_answer_comes_out_of_the_cache_and_says_so(world: Any) -> None:
    model = scripted(AIMessage("hello", usage_metadata=USAGE), "other")
    first, second = world.invoke(model, "hi"), world.invoke(model, "hi")
    assert len(model.calls) == 1
    assert (second.text, second.usage_metadata) == (first.text, USAGE)
    assert "cached" not in first.response_metadata
    assert second.response_metadata["cached"] is True
    assert second.response_metadata["cost_usd"] == 0


def test_a_stream_is_replayed_with_its_own_chunks(world: Any) -> None:
    model = scripted(streamed("he", "llo", " you"))
    first = world.stream(model, "hi")
    second = world.stream(model, "hi")
    assert shown(first) == shown(second) == ["he", "llo", " you", "", ""]
    assert len(model.calls) == 1
    assert second[-1].chunk_position == "last"
    assert second[0].response_metadata["cached"] is True
    assert sum(second).response_metadata["cached"] is True
    assert sum(second).usage_metadata == USAGE


def test_invoke_and_stream_sync_and_async_share_one_entry() -> None:
    model = scripted(streamed("he", "llo"))

    async def both() -> list[str]:
        streamed = [chunk.text async for chunk in model.astream("hi")]
        return ["".join(streamed), (await model.ainvoke("hi")).text]

    list(model.stream("hi"))
    assert model.invoke("hi").text == "hello"
    assert asyncio.run(both()) == ["hello", "hello"]
    assert len(model.calls) == 1


def test_a_stream_finds_what_an_invoke_has_kept(world: Any) -> None:
    calls: Any = [{"type": "tool_call", "name": "weather", "args": {"city": "Ulm"}, "id": "1"}]
    model = scripted(AIMessage("I look", tool_calls=calls))
    world.invoke(model, "hi")
    total = sum(world.stream(model, "hi"))
    assert len(model.calls) == 1
    assert (total.text, total.tool_calls) == ("I look", calls)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.bind(temperature=0.5),
        lambda model: model.bind(model="another"),
        lambda model: model.bind(stop=["."]),
        lambda model: model.bind_tools([weather]),
        lambda model: model.bind_tools([weather], tool_choice="any"),
        lambda model: model.with_structured_output(City, method="json_schema"),
        lambda model: model.with_cache(model.cache, namespace="other"),
    ],
)
def test_what_changes_the_request_changes_the_key(change: Any, world: Any) -> None:
    model = scripted('{"name": "Ulm"}', '{"name": "Ulm"}')
    world.invoke(model, "hi")
    world.invoke(change(model), "hi")
    assert len(model.calls) == 2


def test_tool_choice_alone_changes_the_key(world: Any) -> None:
    model = scripted("one", "two").bind_tools([weather])
    world.invoke(model.bind(tool_choice="auto"), "hi")
    assert world.invoke(model.bind(tool_choice="any"), "hi").text == "two"


def test_ids_and_metadata_of_earlier_answers_do_not_change_the_key(world: Any) -> None:
    model = scripted("one")
    for number in range(2):
        answer = AIMessage("so", id=f"id{number}", response_metadata={"duration_s": number})
        world.invoke(model, [HumanMessage("hi"), answer, HumanMessage("go on")])
    assert len(model.calls) == 1


def test_hits_cannot_be_poisoned(world: Any) -> None:
    model = scripted(AIMessage([{"type": "text", "text": "clean"}], usage_metadata=dict(USAGE)))
    for _ in range(3):
        answer = world.invoke(model, "hi")
        assert (answer.text, answer.usage_metadata) == ("clean", USAGE)
        answer.content.append("poison") if isinstance(answer.content, list) else None
        answer.content_blocks.append({"type": "text", "text": "poison"})
        answer.usage_metadata["input_tokens"] = 99
        answer.response_metadata["model_name"] = "poison"
    assert len(model.calls) == 1


def test_chunks_that_a_consumer_changes_are_kept_as_they_came(world: Any) -> None:
    model = scripted(streamed("he", "llo"))

    async def changed() -> None:
        async for chunk in model.astream("hi"):
            chunk.content = "poison"

    if world.is_async:
        asyncio.run(changed())
    else:
        for chunk in model.stream("hi"):
            chunk.content = "poison"
    assert sum(world.stream(model, "hi")).text == "hello"
    assert len(model.calls) == 1


def test_only_whole_streams_are_kept(world: Any) -> None:
    model = scripted(streamed("he", "llo"), streamed("again"))
    world.read(model, "hi", 1)
    assert shown(world.stream(model, "hi"))[0] == "again"


def test_a_stream_left_at_its_last_chunk_is_kept(world: Any) -> None:
    model = scripted(streamed("he", "llo"))
    assert world.read(model, "hi", 4)[-1].chunk_position == "last"
    assert world.invoke(model, "hi").text == "hello"
    assert len(model.calls) == 1


def test_errors_are_never_kept(world: Any) -> None:
    model = scripted(
        ModelAPIError("broken"),
        [AIMessageChunk("half"), StreamInterruptedError("cut")],
        "whole",
        max_retries=0,
    )
    with pytest.raises(ModelAPIError):
        world.invoke(model, "hi")
    with pytest.raises(StreamInterruptedError):
        world.stream(model, "hi")
    assert world.invoke(model, "hi").text == "whole"


def test_an_answer_that_was_not_good_enough_is_asked_for_anew(world: Any) -> None:
    model = scripted("no object", '{"name": "Ulm"}')
    asking = model.with_structured_output(City, method="prompted").with_retry(
        retry_if_exception_type=(StructuredOutputError,), wait_exponential_jitter=False
    )
    assert world.invoke(asking, "hi") == City(name="Ulm")
    assert world.invoke(asking, "hi") == City(name="Ulm")
    assert len(model.calls) == 2


def test_hits_are_not_counted_as_usage(world: Any) -> None:
    model = scripted(AIMessage("hello", usage_metadata=USAGE))
    with get_usage_metadata_callback() as used:
        for _ in range(3):
            world.invoke(model, "hi")
            world.stream(model, "hi")
            world.read(model, "hi", 1)
    assert used.usage_metadata == {"unknown": USAGE}


def test_what_it_cost_is_said_as_saved(world: Any) -> None:
    facts = {"cost": {"input": 1.0, "output": 2.0}}
    model = scripted(AIMessage("hello", usage_metadata=USAGE), profile=facts)
    cost = world.invoke(model, "hi").response_metadata["cost_usd"]
    about = world.invoke(model, "hi").response_metadata
    assert (about["cost_usd"], about["saved_cost_usd"]) == (0, cost)
    with cost_tracker() as tracked:
        world.stream(model, "hi")
    assert (tracked.total.cost_usd, tracked.total.saved_cost_usd) == (0, cost)


def test_a_conversation_that_the_provider_keeps_is_not_cached(world: Any) -> None:
    model = scripted("one", "two").bind(extra_body={"conversation": "c1"})
    assert [world.invoke(model, "go on").text for _ in range(2)] == ["one", "two"]


def test_logprobs_and_what_else_metadata_hold_survive(world: Any) -> None:
    chunks = [
        AIMessageChunk(text, response_metadata={"logprobs": {"content": [{"token": text}]}})
        for text in ("a", "b")
    ]
    model = scripted(chunks)
    first, second = sum(world.stream(model, "hi")), sum(world.stream(model, "hi"))
    assert len(model.calls) == 1
    assert first.response_metadata["logprobs"] == second.response_metadata["logprobs"]


@pytest.mark.filterwarnings("ignore:.*temperature:UserWarning")
def test_a_hit_says_what_was_adapted_of_its_own_request(world: Any) -> None:
    facts = {"parameters": {"temperature": {"maximum": 1.0}}, "temperature": True}
    model = scripted("one", profile=facts)
    world.invoke(model.bind(temperature=1.0), "hi")
    about = world.invoke(model.bind(temperature=1.7), "hi").response_metadata
    assert about["cached"] is True
    assert about["adapted"][0]["asked"] == 1.7


@pytest.mark.parametrize("store", [Broken(), Garbled()])
def test_a_store_that_fails_is_told_once_and_fails_no_call(
    world: Any, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store = type(store)()
    model = scripted("one", "two", streamed("three"), cache=store)
    with caplog.at_level(logging.WARNING, "headrace.caches"):
        assert world.invoke(model, "hi").text == "one"
        assert world.invoke(model, "hi").text == "two"
        assert sum(world.stream(model, "hi")).text == "three"
    assert len(caplog.records) == (2 if type(store) is Broken else 1)


def test_the_cache_of_the_process_serves_models_with_none_of_their_own(world: Any) -> None:
    set_default_cache(InMemoryCache())
    try:
        model = ScriptedChatModel(["one", "two", "three"])
        assert [world.invoke(model, "hi").text for _ in range(2)] == ["one", "one"]
        assert world.invoke(model.with_cache(False), "hi").text == "two"
        off = ScriptedChatModel(["four", "five"], cache=False)
        assert [world.invoke(off, "hi").text for _ in range(2)] == ["four", "five"]
    finally:
        set_default_cache(None)


def test_a_cache_of_the_process_that_is_not_there_is_an_error_that_says_how(world: Any) -> None:
    with pytest.raises(ConfigurationError, match="set_default_cache"):
        world.invoke(ScriptedChatModel(["one"], cache=True), "hi")
    with pytest.raises(InputError, match="InMemoryCache"):
        ScriptedChatModel(["one"], cache=3)


def test_every_wrapper_takes_a_cache(world: Any) -> None:
    store = InMemoryCache()
    model = ScriptedChatModel(["one"]).with_retry().with_fallbacks([ScriptedChatModel(["x"])])
    cached = model.with_config(tags=["t"]).with_cache(store, ttl=60)
    assert [world.invoke(cached, "hi").text for _ in range(2)] == ["one", "one"]
    assert len(store) == 1


def test_entries_older_than_their_ttl_are_misses(world: Any) -> None:
    model = scripted("one", "two").with_cache(InMemoryCache(), ttl=1e-9)
    assert [world.invoke(model, "hi").text for _ in range(2)] == ["one", "two"]


def test_a_batch_of_equal_inputs_makes_one_request(world: Any) -> None:
    model = scripted("one")
    answers = world.batch(model, ["hi"] * 8)
    assert [answer.text for answer in answers] == ["one"] * 8
    assert len(model.calls) == 1


def test_a_hit_streams_to_those_who_listen_for_chunks(world: Any) -> None:
    model = scripted(streamed("he", "llo"))
    world.stream(model, "hi")
    seen: list[Any] = []

    class Listener:
        wants = frozenset({"chunked"})
        raise_errors = False

        def handle(self, event: Any) -> None:
            seen.append(event.payload["chunk"].text)

    world.invoke(model, "hi", {"callbacks": [Listener()]})
    assert seen == ["he", "llo", "", ""]


class Slow(BaseChatModel):
    """Answers when it is let; counts its requests."""

    async def _generate(self, messages: Any, settings: Any, run: Any) -> AIMessage:
        COUNT.append(1)
        if len(COUNT) == 1:
            STARTED.set()
        await run.io.blocking(GO.wait)
        if FAIL and len(COUNT) == 1:
            raise ModelAPIError("broken", is_retryable=False)
        return AIMessage("slow")


COUNT: list[int] = []
FAIL: list[int] = []
STARTED, GO = threading.Event(), threading.Event()


@pytest.fixture
def slow() -> Any:
    COUNT.clear()
    FAIL.clear()
    STARTED.clear()
    GO.clear()
    return Slow(model="slow", cache=InMemoryCache())


def test_equal_misses_of_threads_and_tasks_make_one_request(slow: Any) -> None:
    texts: list[str] = []

    async def tasks() -> None:
        answers = await asyncio.gather(*(slow.ainvoke("hi") for _ in range(5)))
        texts.extend(answer.text for answer in answers)

    workers = [threading.Thread(target=lambda: texts.append(slow.invoke("hi").text))]
    workers[0].start()
    STARTED.wait()
    workers += [threading.Thread(target=lambda: texts.append(slow.invoke("hi").text))]
    workers += [threading.Thread(target=lambda: asyncio.run(tasks()))]
    for worker in workers[1:]:
        worker.start()
    GO.set()
    for worker in workers:
        worker.join()
    assert texts == ["slow"] * 7
    assert len(COUNT) == 1


def test_if_the_leader_fails_the_next_one_leads(slow: Any) -> None:
    FAIL.append(1)

    async def main() -> list[Any]:
        tasks = [asyncio.create_task(slow.ainvoke("hi")) for _ in range(4)]
        await asyncio.sleep(0.01)
        GO.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, *rest = asyncio.run(main())
    assert isinstance(first, ModelAPIError)
    assert [answer.text for answer in rest] == ["slow"] * 3
    assert len(COUNT) == 2


def test_if_the_leader_is_cancelled_the_next_one_leads(slow: Any) -> None:
    async def main() -> list[Any]:
        tasks = [asyncio.create_task(slow.ainvoke("hi")) for _ in range(4)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()
        tasks[2].cancel()
        await asyncio.sleep(0.01)
        GO.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(main())
    assert [type(answer).__name__ for answer in answers] == [
        "CancelledError", "AIMessage", "CancelledError", "AIMessage",
    ]  # fmt: skip
    assert len(COUNT) == 2


def test_concurrent_equal_streams_make_one_request() -> None:
    async def answer(messages: Any) -> Any:
        COUNT.append(1)
        for text in ("a", "b", "c"):
            await asyncio.sleep(0)
            yield text

    COUNT.clear()
    model = FunctionChatModel(function=answer, cache=InMemoryCache())

    async def read() -> list[str]:
        return shown([chunk async for chunk in model.astream("hi")])

    async def main() -> list[list[str]]:
        return await asyncio.gather(*(read() for _ in range(5)))

    assert asyncio.run(main()) == [["a", "b", "c", "", ""]] * 5
    assert len(COUNT) == 1


def test_a_call_inside_the_loop_over_an_equal_stream_does_not_wait_for_it(world: Any) -> None:
    model = scripted(streamed("one", "two"), "alone")

    async def inside() -> list[str]:
        texts = []
        async with model.astream("hi") as chunks:
            async for _ in chunks:
                texts.append((await model.ainvoke("hi")).text)
                break
        return texts

    if world.is_async:
        assert asyncio.run(inside()) == ["alone"]
        return
    with model.stream("hi") as chunks:
        next(chunks)
        assert model.invoke("hi").text == "alone"


def test_who_waits_in_another_task_for_a_stream_that_is_held_up_goes_alone() -> None:
    model = scripted(streamed("one", "two"), "alone")

    async def main() -> str:
        async with model.astream("hi") as chunks:
            async for _ in chunks:
                return (await asyncio.create_task(model.ainvoke("hi"))).text
        return ""

    assert asyncio.run(main()) == "alone"


def test_a_sync_call_on_the_thread_of_a_loop_does_not_wait_for_its_tasks(slow: Any) -> None:
    limited = slow.with_cache(False).with_rate_limit(concurrency=1)

    async def main() -> None:
        for model in (slow, limited):
            leading = asyncio.create_task(model.ainvoke("hi"))
            await asyncio.to_thread(STARTED.wait)
            COUNT.append(1)
            GO.set()
            if model is slow:
                assert model.invoke("hi").text == "slow"
            else:
                GO.clear()
                with pytest.raises(ConfigurationError, match="wait for itself"):
                    model.invoke("hi")
                GO.set()
            await leading
            COUNT.clear()
            STARTED.clear()
            GO.clear()

    asyncio.run(main())
