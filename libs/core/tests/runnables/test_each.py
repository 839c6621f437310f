"""A step for each item of a list."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import InputError
from headrace.runnables import RunnableLambda

double = RunnableLambda(lambda x: x * 2)


def test_outputs_stand_in_the_order_of_the_items(world: Any) -> None:
    assert world.invoke(double.map(), [3, 1, 2]) == [6, 2, 4]
    assert world.stream(double.map(), [3, 1]) == [[6, 2]]
    assert world.invoke(double.map(), []) == []


def test_maps_nest(world: Any) -> None:
    assert world.invoke(double.map().map(), [[1], [], [2, 3]]) == [[2], [], [4, 6]]


def test_an_error_says_at_which_item_it_came_up(world: Any) -> None:
    def refuse(value: int) -> int:
        if value == 2:
            raise InputError("no twos")
        return value

    with pytest.raises(InputError, match="no twos") as caught:
        world.invoke(RunnableLambda(refuse).map(), [1, 2, 3])
    assert caught.value.step == "1:refuse"


@pytest.mark.parametrize("given", ["text", {"a": 1}, 7, None])
def test_what_is_no_list_is_refused(world: Any, given: Any) -> None:
    with pytest.raises(InputError, match="list"):
        world.invoke(double.map(), given)


def test_arguments_of_a_call_reach_the_step_inside(world: Any) -> None:
    step = RunnableLambda(lambda x, by=1: x * by).map().bind(by=5)
    assert world.invoke(step, [1, 2]) == [5, 10]
