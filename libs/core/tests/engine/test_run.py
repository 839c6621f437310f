"""What a call carries down its tree: config, nested calls, calling off."""

from __future__ import annotations

import asyncio
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headrace.engine.run import DEFAULT_RECURSION_LIMIT, Run, current, open_run
from headrace.engine.strands import Budget, Scope, Stopped
from headrace.engine.worlds import sync_world
from headrace.errors import InputError
from headrace.runnables import RunnableGenerator, RunnableLambda, RunnableParallel


class Events(list):
    """A list that is told of events."""

    def __call__(self, event):
        self.append(event)

    def named(self, name, kind="started"):
        return [event for event in self if event.name == name and event.kind == kind]


@pytest.fixture
def events():
    return Events()


def seen(world, config, step=None):
    """The run and the config a function gets under a config given at the door."""
    return world.invoke(step or RunnableLambda(lambda x, config, run: (config, run)), 1, config)


# The keys of a config.


def test_tags_and_metadata_and_configurable_reach_the_function(world: Any) -> None:
    given = {"tags": ["a", "b", "a"], "metadata": {"m": 1}, "configurable": {"c": 2}}
    config, _ = seen(world, given)
    assert (config["tags"], config["metadata"]) == (["a", "b"], {"m": 1})
    assert config["configurable"] == {"c": 2}


def test_callbacks_are_told_of_the_run(world: Any, events) -> None:
    world.invoke(RunnableLambda(str), 1, {"callbacks": [events]})
    assert [event.kind for event in events] == ["started", "ended"]


def test_a_run_name_and_a_run_id_are_those_of_the_run(world: Any, events) -> None:
    id = uuid.uuid4()
    config = {"callbacks": [events], "run_name": "mine", "run_id": id}
    world.invoke(RunnableLambda(str), 1, config)
    assert {(event.name, event.run_id) for event in events} == {("mine", str(id))}


def test_max_concurrency_is_the_budget_and_32_without(world: Any) -> None:
    assert seen(world, {"max_concurrency": 3})[1].budget._spare == 2
    assert seen(world, {})[1].budget._spare == 31
    assert seen(world, {"max_concurrency": None})[1].budget._spare == 31


def test_the_recursion_limit_is_that_given_and_25_without(world: Any) -> None:
    assert seen(world, {"recursion_limit": 3})[0]["recursion_limit"] == 3
    assert seen(world, None)[0]["recursion_limit"] == DEFAULT_RECURSION_LIMIT == 25


def test_an_unknown_key_is_an_error_with_a_suggestion(world: Any) -> None:
    with pytest.raises(InputError, match=r"`max_concurency` \(did you mean `max_concurrency`\?\)"):
        seen(world, {"max_concurency": 3})


def test_a_value_for_a_configurable_field_as_a_key_is_an_error_that_says_where_it_goes(
    world: Any,
) -> None:
    with pytest.raises(InputError, match="go into `configurable`"):
        seen(world, {"temperature": 3})


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("tags", "abc", "a list of strings"),
        ("metadata", [1], "a dict"),
        ("run_name", 3, "a string"),
        ("max_concurrency", "3", "a whole number"),
        ("max_concurrency", 0, "at least 1"),
        ("recursion_limit", 2.5, "a whole number"),
        ("configurable", ["x"], "a dict"),
        ("run_id", 3, "a UUID or string"),
        ("callbacks", 3, "a handler"),
        ("callbacks", [Events], "make an instance"),
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error_that_says_the_right_one(
    world: Any, key, value, word
) -> None:
    with pytest.raises(InputError, match=word):
        seen(world, {key: value})


def test_a_config_that_is_no_dict_is_an_error(world: Any) -> None:
    with pytest.raises(InputError, match="a config is a dict"):
        seen(world, ["a"])


@pytest.mark.parametrize("door", ["stream", "batch_as_completed"])
def test_a_stream_finds_a_bad_config_when_it_is_made(door) -> None:
    step, input = RunnableLambda(str), 1 if door == "stream" else [1]
    for name in (door, "a" + door):
        with pytest.raises(InputError):
            getattr(step, name)(input, {"x": 1})


# Calls made by a function belong to its run.


def nested(inner, **kwargs):
    """A step named `outer` whose function calls `inner` by hand."""

    def outer(x):
        return inner.invoke(x, kwargs.get("config"))

    async def aouter(x):
        return await inner.ainvoke(x, kwargs.get("config"))

    return RunnableLambda(outer, aouter, name="outer")


def test_a_call_inside_a_function_inherits_tags_metadata_and_configurable(world: Any) -> None:
    inner = RunnableLambda(lambda x, config: config)
    given = {"tags": ["a"], "metadata": {"m": 1}, "configurable": {"c": 2}, "recursion_limit": 9}
    config = world.invoke(nested(inner), 1, given)
    assert {key: config[key] for key in given} == given


def test_a_call_inside_a_function_adds_its_own_config_to_what_it_inherits(world: Any) -> None:
    own = {"tags": ["b"], "metadata": {"m": 2, "n": 3}}
    inner = nested(RunnableLambda(lambda x, config: config), config=own)
    config = world.invoke(inner, 1, {"tags": ["a"], "metadata": {"m": 1, "l": 0}})
    assert config["tags"] == ["a", "b"]
    assert config["metadata"] == {"l": 0, "m": 2, "n": 3}


def test_listeners_hear_a_call_inside_a_function_as_its_child(world: Any, events) -> None:
    world.invoke(nested(RunnableLambda(str, name="inner")), 1, {"callbacks": [events]})
    [outer], [inner] = events.named("outer"), events.named("inner")
    assert inner.parent_ids == (outer.run_id,)


def test_a_run_name_and_a_run_id_are_not_inherited(world: Any, events) -> None:
    config = {"callbacks": [events], "run_name": "mine", "run_id": "id"}
    world.invoke(nested(RunnableLambda(str, name="inner")), 1, config)
    assert [event.name for event in events if event.run_id == "id"] == ["mine", "mine"]
    assert len(events.named("inner")) == 1


def test_a_call_inside_a_function_works_on_the_budget_of_its_run(world: Any) -> None:
    inner = RunnableLambda(lambda x, run: run.budget)
    budgets = world.batch(nested(inner), range(3), {"max_concurrency": 2})
    assert len(set(budgets)) == 1
    assert budgets[0]._spare == 1


def test_a_smaller_max_concurrency_inside_stands_within_the_outer_one(world: Any) -> None:
    inner = nested(RunnableLambda(lambda x, run: run.budget), config={"max_concurrency": 9})
    budget = world.invoke(inner, 1, {"max_concurrency": 2})
    assert budget.take()
    assert not budget.take()


@pytest.mark.parametrize("inline", [True, False])
def test_a_plain_function_in_an_async_run_hands_its_run_to_its_sync_calls(events, inline) -> None:
    inner = RunnableLambda(str, name="inner")
    outer = RunnableLambda(lambda x: inner.invoke(x), name="outer", inline=inline)
    asyncio.run(outer.ainvoke(1, {"callbacks": [events]}))
    assert events.named("inner")[0].parent_ids == (events.named("outer")[0].run_id,)


def test_a_generator_in_a_worker_thread_hands_its_run_to_its_sync_calls(world: Any, events) -> None:
    inner = RunnableLambda(str, name="inner")

    def outer(chunks):
        for chunk in chunks:
            yield inner.invoke(chunk)

    world.stream(RunnableGenerator(outer), 1, {"callbacks": [events]})
    assert events.named("inner")[0].parent_ids == (events.named("outer")[0].run_id,)


@pytest.mark.parametrize("change", [lambda c: c, dict, lambda c: {**c, "tags": ["b"]}])
def test_an_injected_config_carries_its_run_into_any_thread(world: Any, events, change) -> None:
    inner = RunnableLambda(lambda x, run: run.budget, name="inner")

    def outer(x, config):
        with ThreadPoolExecutor(1) as pool:  # which copies no context
            return pool.submit(inner.invoke, x, change(config)).result()

    budget = world.invoke(RunnableLambda(outer), 1, {"callbacks": [events], "max_concurrency": 7})
    assert events.named("inner")[0].parent_ids == (events.named("outer")[0].run_id,)
    assert len(events.named("inner")) == 1
    assert budget._spare == 6


def test_a_batch_under_injected_configs_belongs_to_their_run(world: Any, events) -> None:
    inner = RunnableLambda(str, name="inner")

    def outer(x, config):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(inner.batch, [1, 2], [config, config]).result()

    assert world.invoke(RunnableLambda(outer), 1, {"callbacks": [events]}) == ["1", "2"]
    parents = {event.parent_ids for event in events.named("inner")}
    assert parents == {(events.named("outer")[0].run_id,)}


def test_a_call_after_the_run_belongs_to_nobody(world: Any, events) -> None:
    world.invoke(RunnableLambda(str), 1, {"callbacks": [events]})
    assert current.get() is None
    world.invoke(RunnableLambda(str, name="later"), 1)
    assert not events.named("later")


def test_a_stream_made_inside_a_function_and_read_later_is_its_child(events) -> None:
    def outer(x):
        return RunnableLambda(str, name="inner").stream(x)

    stream = RunnableLambda(outer).invoke(1, {"callbacks": [events]})
    assert list(stream) == ["1"]
    assert events.named("inner")[0].parent_ids == (events.named("outer")[0].run_id,)


# Batches.


def test_a_run_id_in_a_batch_is_that_of_its_first_run_and_warns(world: Any, events) -> None:
    config = {"callbacks": [events], "run_id": "id", "run_name": "mine", "max_concurrency": 1}
    with pytest.warns(RuntimeWarning, match="`run_id` names the first run"):
        world.batch(RunnableLambda(str), [1, 2], config)
    assert [e.run_id == "id" for e in events.named("mine")] == [True, False]


def test_a_run_id_in_a_batch_of_one_does_not_warn(world: Any, events) -> None:
    world.batch(RunnableLambda(str), [1], {"callbacks": [events], "run_id": "id"})
    assert [event.run_id for event in events] == ["id", "id"]


# Calling off.


def stopped():
    run = open_run(sync_world(), None)
    run.scope.stop()
    return run


def under(run, function, *args):
    token = current.set(run)
    try:
        return function(*args)
    finally:
        current.reset(token)


def test_a_sync_call_in_a_run_that_was_called_off_does_not_begin() -> None:
    step = RunnableLambda(lambda _: pytest.fail("begun"))
    for call in (step.invoke, step.stream):
        with pytest.raises(Stopped):
            under(stopped(), call, 1)


@pytest.mark.parametrize("error", [Stopped, GeneratorExit])
def test_a_run_that_was_called_off_may_still_call_to_clean_up(error) -> None:
    def cleaning():
        try:
            raise error
        except error:
            return (RunnableLambda(str) | str | str).batch([1, 2])

    assert under(stopped(), cleaning) == ["1", "2"]


def test_a_sequence_in_a_fan_out_that_was_called_off_ends_after_its_step(events) -> None:
    began, failed, log = threading.Event(), threading.Event(), []

    def fails(x):
        began.wait(10)
        raise KeyError(x)

    def first(x, run):
        began.set()
        while not run.scope.stopped:
            failed.wait(0.001)

    step = RunnableParallel(a=RunnableLambda(fails), b=RunnableLambda(first) | log.append)
    with pytest.raises(KeyError):
        step.invoke(1)
    assert log == []


# The value itself.


def test_a_copy_of_a_run_keeps_all_there_is_to_it() -> None:
    run = Run(sync_world(), Budget(), Scope())
    for slot in Run.__slots__:
        setattr(run, slot, object())
    copied = run._copy()
    assert all(getattr(copied, slot) is getattr(run, slot) for slot in Run.__slots__)


def test_a_note_reaches_the_listeners_of_its_run(world: Any, events) -> None:
    async def work(io):
        run = open_run(io, {"callbacks": [events]}).child("step")
        await run.note("mark", {"n": 1})

    world.run(work)
    assert [event.payload for event in events] == [{"name": "mark", "data": {"n": 1}}]


def test_a_note_costs_nothing_when_nobody_listens(world: Any) -> None:
    async def work(io):
        run = open_run(io, None)
        await run.note("mark", object())
        return run.id

    assert world.run(work) is None
