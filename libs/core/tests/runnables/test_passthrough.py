"""The input itself, with more keys or fewer."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import InputError
from headrace.runnables import (
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)


def letters(chunks):
    for chunk in chunks:
        yield from chunk


def keyed(chunks):
    """A dict in pieces: its keys one after the other, texts letter by letter."""
    for chunk in chunks:
        for key, value in chunk.items():
            for piece in value if isinstance(value, str) else [value]:
                yield {key: piece}


def summed(chunks):
    return RunnableGenerator(lambda _: chunks).invoke(None)


def test_the_input_passes_unchanged(world: Any) -> None:
    value = object()
    assert world.invoke(RunnablePassthrough(), value) is value
    assert world.transform(RunnablePassthrough(), ["a", "b"]) == ["a", "b"]


def test_a_function_is_told_of_the_input_before_it_goes_on(world: Any) -> None:
    log = []
    step = RunnablePassthrough(log.append) | RunnableLambda(lambda x: (x, list(log)))
    assert world.invoke(step, 1) == (1, [1])


def test_a_function_is_told_of_the_sum_after_the_last_chunk(world: Any) -> None:
    log = []
    step = RunnablePassthrough(lambda x: log.append(x)) | (lambda x: x)
    assert world.transform(step, ["a", "b"]) == ["ab"]
    assert log == ["ab"]
    assert world.transform(step, []) == []
    assert log == ["ab"]


def test_a_coroutine_function_may_be_told_too(world: Any) -> None:
    log = []

    async def tell(x):
        log.append(x)

    assert world.invoke(RunnablePassthrough(tell), 1) == 1
    assert world.stream(RunnablePassthrough(tell), 2) == [2]
    assert log == [1, 2]


def test_what_the_function_gives_is_not_used_but_its_error_is_raised(world: Any) -> None:
    assert world.invoke(RunnablePassthrough(lambda x: "other"), 1) == 1
    with pytest.raises(ZeroDivisionError) as caught:
        world.invoke(RunnablePassthrough(lambda x: 1 / 0), 1)
    assert caught.value.__notes__ == ["raised in step `RunnablePassthrough`"]


# assign


def test_assign_adds_keys_and_replaces_those_of_the_same_name(world: Any) -> None:
    step = RunnablePassthrough.assign(b=lambda d: d["a"] * 2, a=lambda d: d["a"] + 1)
    assert world.invoke(step, {"a": 3, "c": 0}) == {"a": 4, "b": 6, "c": 0}
    assert summed(world.stream(step, {"a": 3, "c": 0})) == {"a": 4, "b": 6, "c": 0}


def test_assign_streams_the_keys_of_the_input_first(world: Any) -> None:
    step = RunnablePassthrough.assign(b=RunnableLambda(lambda d: d["a"]) | letters)
    assert world.stream(step, {"a": "xy"}) == [{"a": "xy"}, {"b": "x"}, {"b": "y"}]


def test_assign_passes_the_chunks_of_its_input_as_they_come(world: Any) -> None:
    step = RunnableGenerator(keyed) | RunnablePassthrough.assign(n=lambda d: len(d["a"]))
    assert world.stream(step, {"a": "xy"}) == [{"a": "x"}, {"a": "y"}, {"n": 2}]
    assert world.read(step, {"a": "xy"}, 1) == [{"a": "x"}]


def test_assign_leaves_the_input_as_it_is(world: Any) -> None:
    given = {"a": 1}
    world.invoke(RunnablePassthrough.assign(b=lambda d: 2), given)
    assert given == {"a": 1}


@pytest.mark.parametrize(
    "step", [RunnablePassthrough.assign(b=str), RunnablePassthrough().pick("a")]
)
@pytest.mark.parametrize("value", ["text", None, 3, ["a"]])
def test_what_is_no_dict_is_an_error_that_says_what_to_do(world: Any, step, value) -> None:
    for door in (world.invoke, world.stream):
        with pytest.raises(InputError, match=r"work on a dict, not .*RunnableParallel"):
            door(step, value)


# pick


def test_pick_gives_one_value_or_a_dict_of_several(world: Any) -> None:
    given = {"a": 1, "b": 2, "c": 3}
    assert world.invoke(RunnablePassthrough().pick("a"), given) == 1
    assert world.invoke(RunnablePassthrough().pick(["a", "c"]), given) == {"a": 1, "c": 3}


def test_pick_streams_the_chunks_of_its_keys(world: Any) -> None:
    step = RunnableGenerator(keyed) | RunnablePassthrough()
    given = {"a": "xy", "b": "z"}
    assert world.stream(step.pick("a"), given) == ["x", "y"]
    assert world.stream(step.pick(["b"]), given) == [{"b": "z"}]


def test_keys_that_are_missing_are_left_out(world: Any) -> None:
    given = {"a": 1}
    assert world.invoke(RunnablePassthrough().pick(["a", "z"]), given) == {"a": 1}
    assert world.invoke(RunnablePassthrough().pick("z"), given) is None
    assert world.stream(RunnablePassthrough().pick("z"), given) == []
    assert world.stream(RunnablePassthrough().pick(["z"]), given) == []


def test_what_is_picked_may_be_none(world: Any) -> None:
    assert world.stream(RunnablePassthrough().pick("a"), {"a": None}) == [None]


def test_the_usual_shape_of_a_retrieval_chain_works(world: Any) -> None:
    step = (
        RunnableParallel(context=lambda q: [q.upper()], question=RunnablePassthrough())
        | RunnablePassthrough.assign(answer=lambda d: f"{d['question']}: {d['context'][0]}")
    ).pick(["answer", "context"])
    expected = {"answer": "why: WHY", "context": ["WHY"]}
    assert world.invoke(step, "why") == expected
    assert summed(world.stream(step, "why")) == expected
