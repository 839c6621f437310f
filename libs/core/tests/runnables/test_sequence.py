"""Steps one after the other, and where their errors came up."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import HeadraceError, InputError
from headrace.runnables import (
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnableSequence,
)

one = RunnableLambda(lambda x: x + "1", name="one")
two = RunnableLambda(lambda x: x + "2", name="two")


def fails(x):
    raise HeadraceError("broken")


def letters(chunks):
    for chunk in chunks:
        yield from chunk


def fails_midway(chunks):
    for chunk in chunks:
        yield chunk
        raise HeadraceError("broken")


def test_each_steps_output_is_the_next_ones_input(world: Any) -> None:
    assert world.invoke(one | two | one, "") == "121"


def test_nested_sequences_become_one() -> None:
    assert len(((one | two) | (one | two)).steps) == 4


def test_a_sequence_takes_at_least_two_steps() -> None:
    for steps in ([], [one]):
        with pytest.raises(InputError, match="at least two"):
            RunnableSequence(*steps)


def test_of_the_names_of_nested_sequences_the_leftmost_stands() -> None:
    named = one.pipe(two, name="named")
    assert (named | one).get_name() == "named"
    assert (one | named).get_name() == "named"
    assert (named | two.pipe(one, name="other")).get_name() == "named"
    assert (one | two).get_name() == "RunnableSequence"


def test_chunks_pass_through_generators(world: Any) -> None:
    step = RunnableGenerator(letters) | RunnablePassthrough() | letters
    assert world.stream(step, "abc") == ["a", "b", "c"]


def test_a_function_in_the_midst_waits_for_its_whole_input(world: Any) -> None:
    step = RunnableGenerator(letters) | one | letters
    assert world.stream(step, "ab") == ["a", "b", "1"]
    assert world.stream(RunnableGenerator(letters) | one, "ab") == ["ab1"]


def test_chunks_come_through_as_they_are_made(world: Any) -> None:
    made = []

    def making(chunks):
        for letter in "abc":
            made.append(letter)
            yield letter

    step = RunnableGenerator(making) | letters | RunnablePassthrough()
    assert world.read(step, "", 2) == ["a", "b"]
    assert made == ["a", "b"]


def test_the_chunks_of_an_input_go_through_too(world: Any) -> None:
    step = RunnablePassthrough() | letters
    assert world.transform(step, ["ab", "c"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("step", "path"),
    [
        (one | fails, "1:fails"),
        (RunnableLambda(fails) | one, "0:fails"),
        (one | RunnableLambda(fails, name="third") | two, "1:third"),
        (one | {"a": one, "b": fails}, "1:RunnableParallel/b:fails"),
        (one | {"a": one | fails | two}, "1:RunnableParallel/a:RunnableSequence/1:fails"),
        (one | (two | RunnableLambda(fails)).with_config(run_name="inner"), "1:inner/1:fails"),
        (one | (lambda x: (two | RunnableLambda(fails)).invoke(x)), "1:RunnableLambda/1:fails"),
        (
            RunnablePassthrough() | {"x": one} | RunnablePassthrough.assign(a=fails),
            "2:RunnableAssign/a:fails",
        ),
    ],
)
@pytest.mark.parametrize("door", ["invoke", "stream", "batch", "completed"])
def test_an_error_of_ours_says_in_which_step_it_came_up(world: Any, door, step, path) -> None:
    with pytest.raises(HeadraceError) as caught:
        getattr(world, door)(step, "ab" if door in ("invoke", "stream") else ["ab"])
    assert caught.value.step == path


@pytest.mark.parametrize(
    ("step", "path"),
    [
        (RunnableGenerator(fails_midway) | letters, "0:fails_midway"),
        (RunnableGenerator(letters) | fails_midway | letters, "1:fails_midway"),
        (RunnableGenerator(fails_midway) | one | letters, "0:fails_midway"),
        (
            RunnableGenerator(letters) | {"a": RunnableGenerator(letters) | fails_midway},
            "1:RunnableParallel/a:RunnableSequence/1:fails_midway",
        ),
        (
            RunnableGenerator(fails_midway) | (letters | RunnablePassthrough()).with_config(),
            "0:fails_midway",
        ),
        (
            RunnableGenerator(fails_midway) | {"a": RunnableGenerator(letters) | letters, "b": one},
            "0:fails_midway",
        ),
        (RunnableGenerator(fails_midway) | {"a": letters}, "0:fails_midway"),
    ],
)
@pytest.mark.parametrize("listened", [False, True])
def test_an_error_in_a_stream_says_in_which_step_it_came_up(
    world: Any, step, path, listened
) -> None:
    config = {"callbacks": [lambda event: None]} if listened else {}
    with pytest.raises(HeadraceError) as caught:
        world.stream(step, "ab", {**config, "max_concurrency": 1})
    assert caught.value.step == path


def test_an_error_of_the_input_of_a_stream_is_of_no_step(world: Any) -> None:
    def chunks():
        yield "a"
        raise HeadraceError("source")

    with pytest.raises(HeadraceError, match="source") as caught:
        world.transform(RunnableGenerator(letters) | letters, chunks())
    assert caught.value.step is None


def test_a_users_error_is_raised_plain_with_a_note_of_its_step(world: Any) -> None:
    step = one | RunnableLambda(lambda x: 1 / 0, name="divide") | two
    for door in (world.invoke, world.stream):
        with pytest.raises(ZeroDivisionError) as caught:
            door(step, "a")
        assert caught.value.__notes__ == ["raised in step `divide`"]


def test_a_sequence_shows_its_steps() -> None:
    assert repr(one | {"a": two}) == "RunnableLambda(one) | {a: RunnableLambda(two)}"


def test_a_long_sequence_is_no_trouble(world: Any) -> None:
    step = RunnableSequence(*[RunnableLambda(lambda x: x + 1, inline=True)] * 300)
    assert world.invoke(step, 0) == 300


def test_an_empty_parallel_is_a_step_like_another(world: Any) -> None:
    assert world.invoke(one | RunnableParallel(), "a") == {}
