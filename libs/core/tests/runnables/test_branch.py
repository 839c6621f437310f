"""One of several steps, by conditions."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import InputError
from headrace.runnables import RunnableBranch, RunnableGenerator, RunnableLambda

branch: RunnableBranch[Any, Any] = RunnableBranch(
    (lambda x: x > 10, lambda x: "big"),
    (lambda x: x > 5, RunnableLambda(lambda x: "middle", name="middle")),
    lambda x: "small",
)


@pytest.mark.parametrize(("given", "found"), [(11, "big"), (6, "middle"), (1, "small")])
def test_the_step_of_the_first_true_condition_is_called(world: Any, given: int, found: str) -> None:
    assert world.invoke(branch, given) == found
    assert world.stream(branch, given) == [found]


def test_conditions_after_the_true_one_are_not_asked(world: Any) -> None:
    asked: list[Any] = []
    step = RunnableBranch((lambda x: True, lambda x: "here"), (asked.append, len), len)
    assert world.invoke(step, 1) == "here"
    assert asked == []


def test_the_chosen_step_streams(world: Any) -> None:
    def letters(chunks: Any) -> Any:
        for chunk in chunks:
            yield from chunk

    step = RunnableBranch((lambda text: text.startswith("a"), RunnableGenerator(letters)), len)
    assert world.transform(step, ["ab", "c"]) == ["a", "b", "c"]


def test_its_runs_are_tagged_as_conditions_and_branch(world: Any) -> None:
    events: list[Any] = []
    world.invoke(branch, 6, {"callbacks": [events.append]})
    tags = [event.tags for event in events if event.kind == "started"]
    assert tags == [(), ("condition:1",), ("condition:2",), ("branch:2",)]


def test_an_error_says_in_which_branch_it_came_up(world: Any) -> None:
    def refuse(value: Any) -> Any:
        raise InputError("no")

    step = RunnableBranch((lambda x: False, len), refuse)
    with pytest.raises(InputError) as caught:
        world.invoke(step, 1)
    assert caught.value.step == "default:refuse"


def test_arguments_of_a_call_go_to_the_chosen_step_alone(world: Any) -> None:
    step = RunnableBranch((lambda x: True, lambda x, by=1: x * by), {"k": len})
    assert world.invoke(step.bind(by=3), 2) == 6


@pytest.mark.parametrize("given", [(), (len,), (len, len), ((len,), len)])
def test_what_is_no_pair_or_lacks_a_default_is_refused(given: Any) -> None:
    with pytest.raises(InputError, match="pair"):
        RunnableBranch(*given)


def test_an_error_of_a_condition_says_which(world: Any) -> None:
    def refuse(value: Any) -> Any:
        raise InputError("no")

    with pytest.raises(InputError) as caught:
        world.stream(RunnableBranch((refuse, len), len), 1)
    assert caught.value.step == "condition 1:refuse"
