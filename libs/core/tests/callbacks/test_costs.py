"""The sum of costs: by model, by place in the pipeline, and what nobody knows."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

from headrace import init_embeddings
from headrace.caches import InMemoryCache
from headrace.callbacks import CostTracker, cost_tracker
from headrace.engine.run import ambient
from headrace.errors import ModelInvalidRequestError, ModelTimeoutError, StreamInterruptedError
from headrace.messages import AIMessage
from headrace.runnables import RunnableLambda, RunnableParallel
from headrace.testing import ScriptedChatModel

USAGE: Any = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


def answer(cost: float | None = None, model: str = "m", **about: Any) -> AIMessage:
    told = {"model_name": model, **about} | ({} if cost is None else {"cost_usd": cost})
    return AIMessage("x", usage_metadata=USAGE, response_metadata=told)


def test_costs_are_summed_by_the_model_that_served(world: Any) -> None:
    model = ScriptedChatModel([answer(1.0), answer(2.0), answer(4.0, "other")])
    with cost_tracker() as spent:
        world.batch(model, ["a", "b", "c"])
    assert spent.cost_usd == 7
    assert {name: (one.cost_usd, one.requests) for name, one in spent.by_model.items()} == {
        "m": (3, 2),
        "other": (4, 1),
    }
    assert spent.usage_metadata["m"]["total_tokens"] == 4
    assert ambient.get() == ()


def test_a_stream_costs_once(world: Any) -> None:
    with cost_tracker() as spent:
        world.stream(ScriptedChatModel([answer(1.0)]), "a")
    assert (spent.cost_usd, spent.total.requests) == (1, 1)


def test_an_unknown_cost_is_counted_and_not_taken_for_zero(world: Any) -> None:
    with cost_tracker() as spent:
        world.batch(ScriptedChatModel([answer(1.0), answer(), AIMessage("x")]), ["a", "b", "c"])
    assert (spent.cost_usd, spent.unpriced) == (1, 2)
    assert spent.by_model["unknown"].unpriced == 1


def test_each_node_of_a_pipeline_has_the_costs_of_all_below_it(world: Any) -> None:
    def model(cost: float) -> ScriptedChatModel:
        return ScriptedChatModel([answer(cost)])

    inner = model(4.0)
    both = RunnableParallel(a=model(1.0), b=model(2.0))
    chain = both | RunnableLambda(lambda x: inner.invoke("hi"), name="judge")
    with cost_tracker() as spent:
        world.invoke(chain, "hi")
    costs = {name: one.cost_usd for name, one in spent.by_step.items()}
    assert costs == {
        "RunnableSequence": 7,
        "RunnableSequence/0:RunnableParallel": 3,
        "RunnableSequence/0:RunnableParallel/a:ScriptedChatModel": 1,
        "RunnableSequence/0:RunnableParallel/b:ScriptedChatModel": 2,
        "RunnableSequence/1:judge": 4,
        "RunnableSequence/1:judge/ScriptedChatModel": 4,
    }


def test_vectors_count_too(world: Any) -> None:
    facts = {"cost": {"input": 1_000_000, "output": 0}}
    vectors = init_embeddings("offline:words", profile=facts)
    with cost_tracker() as spent:
        if world.is_async:
            asyncio.run(vectors.aembed_query("a"))
        else:
            vectors.embed_query("a")
    assert spent.cost_usd == spent.usage_metadata["words"]["input_tokens"] > 0


def test_an_answer_out_of_a_cache_costs_nothing_and_saves_its_cost(world: Any) -> None:
    with cost_tracker() as spent:
        model = ScriptedChatModel([answer(3.0)]).with_cache(InMemoryCache())
        world.invoke(model, "hi")
        world.invoke(model, "hi")
        world.stream(model, "hi")
    total = spent.total
    assert (total.requests, total.cost_usd, total.unpriced) == (3, 3, 0)
    assert (total.cached, total.saved_cost_usd) == (2, 6)
    assert spent.usage_metadata == {"m": USAGE}


@pytest.mark.parametrize(
    ("error", "cost", "unpriced"),
    [
        (ModelInvalidRequestError("no"), 0, 0),
        (ModelTimeoutError("late"), 0, 1),
        (StreamInterruptedError("cut"), 0, 1),
        (StreamInterruptedError("cut", partial=answer(2.0), usage=USAGE), 2, 0),
    ],
)
def test_a_failed_request_costs_what_is_known_of_it(
    world: Any, error: Exception, cost: float, unpriced: int
) -> None:
    with cost_tracker() as spent, pytest.raises(type(error)):
        world.invoke(ScriptedChatModel([error], max_retries=0), "hi")
    assert (spent.cost_usd, spent.unpriced, spent.total.requests) == (cost, unpriced, 1)


def test_a_stream_that_was_left_has_no_known_cost(world: Any) -> None:
    with cost_tracker() as spent:
        world.read(ScriptedChatModel([answer(1.0)]), "hi", 0)
        world.read(ScriptedChatModel(["one two three"]), "hi", 1)
    assert (spent.cost_usd, spent.unpriced) == (0, 1)


def test_threads_share_a_tracker_and_nothing_of_a_run_stays_in_it() -> None:
    tracker, model = CostTracker(), ScriptedChatModel([answer(1.0)] * 200)

    def work() -> None:
        for _ in range(50):
            model.invoke("hi", {"callbacks": [tracker]})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: copy_context().run(work), range(4)))
    assert tracker.cost_usd == 200
    assert tracker._places == {}
