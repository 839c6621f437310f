"""The sum of usage: what counts, by which model, and for which calls."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from headrace.callbacks import UsageMetadataCallbackHandler, get_usage_metadata_callback
from headrace.engine.run import ambient
from headrace.errors import StreamInterruptedError
from headrace.messages import AIMessage
from headrace.runnables import RunnableLambda
from headrace.testing import ScriptedChatModel


def answer(tokens: int = 1, model: str | None = "m", **about: Any) -> AIMessage:
    usage = {"input_tokens": tokens, "output_tokens": tokens, "total_tokens": 2 * tokens}
    name = {"model_name": model} if model else {}
    return AIMessage("x", usage_metadata=usage, response_metadata={**name, **about})


def totals(usage: dict[str, Any]) -> dict[str, int]:
    return {model: figures["total_tokens"] for model, figures in usage.items()}


def test_usage_is_summed_by_the_model_that_served(world: Any) -> None:
    handler = UsageMetadataCallbackHandler()
    model = ScriptedChatModel([answer(1), answer(2), answer(4, "other"), answer(8, None)])
    for _ in range(4):
        world.invoke(model, "hi", {"callbacks": [handler]})
    assert totals(handler.usage_metadata) == {"m": 6, "other": 8, "unknown": 16}


def test_a_stream_counts_once(world: Any) -> None:
    handler = UsageMetadataCallbackHandler()
    world.stream(ScriptedChatModel([answer(3)]), "hi", {"callbacks": [handler]})
    assert totals(handler.usage_metadata) == {"m": 6}


def test_an_answer_from_a_cache_is_not_counted(world: Any) -> None:
    handler = UsageMetadataCallbackHandler()
    model = ScriptedChatModel([answer(3, cached=True)])
    world.invoke(model, "hi", {"callbacks": [handler]})
    assert handler.usage_metadata == {}


def test_a_stream_that_broke_off_counts_as_far_as_is_known(world: Any) -> None:
    partial = answer(3)
    error = StreamInterruptedError("cut", partial=partial, usage=partial.usage_metadata)
    model = ScriptedChatModel([error], max_retries=0)
    handler = UsageMetadataCallbackHandler()
    with pytest.raises(StreamInterruptedError):
        world.invoke(model, "hi", {"callbacks": [handler]})
    assert totals(handler.usage_metadata) == {"m": 6}


def test_what_is_handed_out_is_a_copy(world: Any) -> None:
    handler = UsageMetadataCallbackHandler()
    world.invoke(ScriptedChatModel([answer(1)]), "hi", {"callbacks": [handler]})
    handler.usage_metadata["m"]["total_tokens"] = 99
    assert totals(handler.usage_metadata) == {"m": 2}


def test_the_block_counts_all_calls_made_inside_and_none_after(world: Any) -> None:
    model = ScriptedChatModel([answer(1)] * 3)
    with get_usage_metadata_callback() as used:
        world.invoke(model, "hi")
        world.invoke(RunnableLambda(lambda x: model.invoke(x)), "hi")
    world.invoke(model, "hi")
    assert totals(used.usage_metadata) == {"m": 4}


def test_a_call_inside_a_function_is_counted_by_a_block_inside_it(world: Any) -> None:
    model = ScriptedChatModel([answer(1)] * 2)

    def work(x: str) -> dict[str, int]:
        with get_usage_metadata_callback() as used:
            model.invoke(x)
        model.invoke(x)
        return totals(used.usage_metadata)

    assert world.invoke(RunnableLambda(work), "hi") == {"m": 2}


def test_blocks_nest_and_count_apart(world: Any) -> None:
    model = ScriptedChatModel([answer(1)] * 2)
    with get_usage_metadata_callback() as outer:
        world.invoke(model, "hi")
        with get_usage_metadata_callback() as inner:
            world.invoke(model, "hi")
    assert totals(outer.usage_metadata) == {"m": 4}
    assert totals(inner.usage_metadata) == {"m": 2}


def test_a_batch_is_counted_whole(world: Any) -> None:
    model = ScriptedChatModel([answer(1)] * 20)
    with get_usage_metadata_callback() as used:
        world.batch(model, ["hi"] * 20)
    assert totals(used.usage_metadata) == {"m": 40}


def test_tasks_and_threads_started_inside_are_counted() -> None:
    model = ScriptedChatModel([answer(1)] * 3)

    async def work() -> dict[str, int]:
        with get_usage_metadata_callback() as used:
            tasks = [asyncio.create_task(model.ainvoke("hi")) for _ in range(2)]
            context = contextvars.copy_context()
            thread = threading.Thread(target=lambda: context.run(model.invoke, "hi"))
            thread.start()
            thread.join()
            await asyncio.gather(*tasks)
        return totals(used.usage_metadata)

    assert asyncio.run(work()) == {"m": 6}


def test_nothing_is_left_behind() -> None:
    with get_usage_metadata_callback():
        assert len(ambient.get()) == 1
    assert ambient.get() == ()


def test_a_block_may_be_left_in_another_context_than_it_was_entered_in() -> None:
    block = get_usage_metadata_callback()
    contextvars.copy_context().run(block.__enter__)
    block.__exit__(None, None, None)
    assert ambient.get() == ()
