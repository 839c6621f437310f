"""The methods that make a new step of one."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import ConfigurationError
from headrace.runnables import (
    RunnableAssign,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnableSequence,
)

add = RunnableLambda(lambda x: x + 1, name="add")
double = RunnableLambda(lambda x: x * 2, name="double")


def test_two_steps_in_a_pipe_are_a_sequence(world: Any) -> None:
    assert isinstance(add | double, RunnableSequence)
    assert world.invoke(add | double, 3) == 8


def test_a_function_or_dict_may_stand_first(world: Any) -> None:
    assert world.invoke((lambda x: x * 2) | add, 3) == 7
    assert world.invoke({"a": add} | RunnableLambda(str), 3) == "{'a': 4}"


def test_pipe_is_the_same_with_a_name(world: Any) -> None:
    step = add.pipe(double, str, name="both")
    assert world.invoke(step, 3) == "8"
    assert step.get_name() == "both"


def test_a_pipe_changes_neither_of_its_steps() -> None:
    first = add | double
    first | add
    assert len(first.steps) == 2


def test_assign_adds_keys_made_from_the_dict(world: Any) -> None:
    step = RunnableParallel(a=add, b=double).assign(c=lambda d: d["a"] + d["b"])
    assert world.invoke(step, 3) == {"a": 4, "b": 6, "c": 10}
    assert isinstance(step.steps[-1], RunnableAssign)


def test_pick_takes_keys_out(world: Any) -> None:
    step = RunnableParallel(a=add, b=double, c=str)
    assert world.invoke(step.pick("b"), 3) == 6
    assert world.invoke(step.pick(["a", "c"]), 3) == {"a": 4, "c": "3"}


def test_map_works_on_each_item_of_a_list(world: Any) -> None:
    assert world.invoke(add.map(), [1, 2, 3]) == [2, 3, 4]


def test_arguments_that_are_bound_go_to_the_call_and_those_of_the_call_win(world: Any) -> None:
    step = RunnableLambda(lambda x, **kwargs: kwargs).bind(a=1, b=2)
    assert world.invoke(step, 0) == {"a": 1, "b": 2}
    assert world.invoke(step, 0, b=3, c=4) == {"a": 1, "b": 3, "c": 4}
    assert world.invoke(step.bind(b=5), 0) == {"a": 1, "b": 5}


def test_arguments_of_a_call_go_to_the_first_step_of_a_sequence(world: Any) -> None:
    step = RunnableLambda(lambda x, by: x * by) | add
    assert world.invoke(step, 3, by=5) == 16
    assert world.stream(step, 3, by=5) == [16]
    assert world.batch(step, [1, 2], by=5) == [6, 11]
    assert world.completed(step.bind(by=5), [1]) == [(0, 6)]


def test_arguments_may_have_the_names_of_our_own(world: Any) -> None:
    step = RunnableLambda(lambda x, **kwargs: kwargs)
    given = {"inline": 1, "name": 2, "function": 3, "args": 4}
    assert world.invoke(step.bind(**given), 0) == given


def test_every_with_method_gives_a_step_that_does_the_same(world: Any) -> None:
    for step in (
        add.with_config(tags=["a"]),
        add.with_listeners(),
        add.with_types(input_type=int),
        add.with_retry(),
        add.with_fallbacks([double]),
        add.bind(),
    ):
        assert world.invoke(step, 3) == 4
        assert world.stream(step, 3) == [4]
        assert world.batch(step | double, [3, 4]) == [8, 10]


def test_what_is_not_there_yet_says_what_to_import() -> None:
    from headrace.engine.hooks import reach

    with pytest.raises(ConfigurationError, match=r"import `headrace.runnables`"):
        reach("nothing of this name")


def test_a_passthrough_is_its_own_neutral_step(world: Any) -> None:
    for step in (RunnablePassthrough() | add, add | RunnablePassthrough()):
        assert world.invoke(step, 3) == add.invoke(3)
