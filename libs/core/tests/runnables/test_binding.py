"""Steps under a config, with listeners or types of their own."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from headrace.engine.events import KINDS
from headrace.errors import InputError
from headrace.runnables import RunnableGenerator, RunnableLambda


class Heard(list):
    wants, raise_errors = KINDS - {"chunked"}, True

    def handle(self, event):
        self.append(event)


def own(x, config):
    return config


step = RunnableLambda(own, name="own")


def test_a_bound_config_reaches_the_step(world: Any) -> None:
    bound = step.with_config({"tags": ["a"]}, metadata={"m": 1}, configurable={"c": 1})
    for config in (world.invoke(bound, 1), world.stream(bound, 1)[0]):
        assert (config["tags"], config["metadata"]) == (["a"], {"m": 1})
        assert config["configurable"] == {"c": 1}


def test_the_config_of_a_call_adds_to_the_bound_one_and_wins(world: Any) -> None:
    bound = step.with_config(
        tags=["a"], metadata={"m": 1, "n": 1}, configurable={"c": 1, "d": 1}, recursion_limit=7
    )
    given = {"tags": ["b"], "metadata": {"m": 2}, "configurable": {"c": 2}, "recursion_limit": 9}
    config = world.invoke(bound, 1, given)
    assert set(config["tags"]) == {"a", "b"}
    assert config["metadata"] == {"m": 2, "n": 1}
    assert config["configurable"] == {"c": 2, "d": 1}
    assert config["recursion_limit"] == 9


def test_of_two_bound_configs_the_outer_one_wins(world: Any) -> None:
    bound = step.with_config(metadata={"m": 1}).with_config(metadata={"m": 2})
    assert world.invoke(bound, 1)["metadata"] == {"m": 2}


def test_a_bound_config_reaches_what_the_step_calls_and_nothing_else(world: Any) -> None:
    chain = (
        RunnableLambda(own)
        | (lambda config: [config])
        | RunnableLambda(lambda found, config: [*found, config]).with_config(tags=["a"])
    )
    before, inside = world.invoke(chain, 1)
    assert (before["tags"], inside["tags"]) == ([], ["a"])


def test_a_bound_run_name_names_the_run_unless_the_call_names_it(world: Any) -> None:
    heard = Heard()
    bound = step.with_config(run_name="bound")
    world.invoke(bound, 1, {"callbacks": [heard]})
    world.invoke(bound, 1, {"callbacks": [heard], "run_name": "call"})
    assert [event.name for event in heard] == ["bound", "bound", "call", "call"]
    assert (bound.get_name(), bound.get_name("input")) == ("bound", "boundInput")


def test_a_bound_max_concurrency_is_that_of_a_batch(world: Any) -> None:
    bound = RunnableLambda(lambda x, run: run.budget).with_config(max_concurrency=3)
    budgets = world.batch(bound, range(3))
    assert all(budget.take() and budget.take() and not budget.take() for budget in budgets[:1])


def test_bound_listeners_hear_the_step_and_what_it_calls(world: Any) -> None:
    heard = Heard()
    bound = (step | (lambda x: x)).with_config(callbacks=[heard])
    world.invoke(RunnableLambda(lambda x: x) | bound, 1)
    assert {event.name for event in heard} == {"RunnableSequence", "own", "RunnableLambda"}
    assert len(heard) == 6


def test_a_binding_is_not_a_run_of_its_own(world: Any) -> None:
    heard = Heard()
    bound = step.with_config(tags=["a"]).with_types(input_type=int)
    world.invoke(bound | (lambda x: x), 1, {"callbacks": [heard]})
    found = {event.name: event.tags for event in heard}
    assert found["own"] == ("a", "seq:step:1")
    assert len(heard) == 6


def test_a_bad_config_is_an_error_when_it_is_bound() -> None:
    with pytest.raises(InputError, match="no config key `tag`"):
        step.with_config(tag=1)


def test_listeners_hear_the_start_the_end_and_the_error_of_their_own_step(world: Any) -> None:
    log = []
    given = {
        "on_start": lambda event: log.append(("start", event.name)),
        "on_end": lambda event: log.append(("end", event.payload["output"])),
        "on_error": lambda event: log.append(("error", type(event.payload["error"]))),
    }
    good = RunnableLambda(lambda x: x, name="good") | (lambda x: x)
    assert world.invoke(good.with_listeners(**given), 1) == 1
    with pytest.raises(ZeroDivisionError):
        world.stream(RunnableLambda(lambda x: 1 / x, name="bad").with_listeners(**given), 0)
    assert log == [
        ("start", "RunnableSequence"),
        ("end", 1),
        ("start", "bad"),
        ("error", ZeroDivisionError),
    ]


def test_listeners_may_be_coroutine_functions(world: Any) -> None:
    log = []

    async def heard(event):
        log.append(event.kind)

    for bound in (step.with_alisteners(on_end=heard), step.with_listeners(on_end=heard)):
        world.invoke(bound, 1)
    assert log == ["ended", "ended"]


def test_a_listener_that_is_no_function_is_an_error() -> None:
    with pytest.raises(InputError, match="the listener for `ended` is a function, not 3"):
        step.with_listeners(on_end=3)


def test_chunks_pass_through_a_binding_and_it_closes_with_its_stream(world: Any) -> None:
    log = []

    def letters(chunks):
        try:
            for chunk in chunks:
                yield from chunk
        finally:
            log.append("closed")

    bound = RunnableGenerator(letters).with_config(tags=["a"]).with_listeners()
    assert world.stream(bound, "ab") == ["a", "b"]
    assert world.read(bound, "ab", 1) == ["a"]
    assert log == ["closed", "closed"]


def test_attributes_are_those_of_the_bound_step() -> None:
    bound = step.with_config(tags=["a"])
    assert bound.func is own
    assert bound.name == "own"
    with pytest.raises(AttributeError):
        _ = bound.nothing


def test_arguments_bound_before_and_after_a_config_both_stand(world: Any) -> None:
    function = RunnableLambda(lambda x, **kwargs: kwargs)
    bound = function.bind(a=1).with_config(tags=["a"]).bind(b=2)
    assert world.invoke(bound, 0, c=3) == {"a": 1, "b": 2, "c": 3}
    assert (world.invoke(bound.bind(a=4), 0)) == {"a": 4, "b": 2}


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_binding_can_be_copied_and_pickled(world: Any, copied) -> None:
    bound = copied(RunnableLambda(len).with_config(tags=["a"]))
    assert world.invoke(bound, "ab") == 2
    assert bound.config == {"tags": ["a"]}
