"""Chunks add up by their kind, in linear time."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from functools import reduce
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.engine.sums import NOTHING, Accumulator, AddableDict

texts = st.text(max_size=3)
values = st.one_of(texts, st.integers(), st.lists(st.integers(), max_size=2))


def total_of(chunks):
    total = Accumulator()
    for chunk in chunks:
        total.feed(chunk)
    return total.total()


@pytest.mark.parametrize(
    ("chunks", "total"),
    [
        (["a", "b"], "ab"),
        ([[1], [2, 3]], [1, 2, 3]),
        ([1, 2], 3),
        ([(1,), (2,)], (1, 2)),
        ([{"a": "x"}, {"b": "y"}, {"a": "z"}], {"a": "xz", "b": "y"}),
        ([{"a": {"b": "x"}}, {"a": {"b": "y", "c": 1}}], {"a": {"b": "xy", "c": 1}}),
        ([{1}, {2}], {2}),
        (["a", 1], 1),
        ([None, "a"], "a"),
        ([{"a": None}, {"a": "x"}, {"a": None}], {"a": "x"}),
        ([Counter("aa"), Counter("ab")], Counter("aaab")),
        ([{"a": "x"}, "b", "c"], "bc"),
        (["b", {"a": "x"}, {"a": "y"}], {"a": "xy"}),
        ([AddableDict(a=AddableDict(b="x")), AddableDict(a={"b": "y"})], {"a": {"b": "xy"}}),
    ],
    ids=repr,
)
def test_chunks_add_up_by_their_kind(chunks, total) -> None:
    assert total_of(chunks) == total


def test_a_class_that_adds_many_at_a_time_is_asked_once_a_total() -> None:
    asked: list[int] = []

    class Piece(str):
        __slots__ = ()

        @staticmethod
        def __headrace_sum__(pieces: list[str]) -> str:
            asked.append(len(pieces))
            return Piece("".join(pieces))

    assert total_of([Piece("a"), Piece("b"), Piece("c")]) == "abc"
    assert asked == [3]


def test_nothing_in_is_nothing_out() -> None:
    assert total_of([]) is NOTHING
    assert Accumulator().empty


def test_nothing_stays_itself_when_copied_or_pickled() -> None:
    assert copy.deepcopy(NOTHING) is pickle.loads(pickle.dumps(NOTHING)) is NOTHING


@given(st.lists(texts, min_size=1))
def test_texts_join(chunks) -> None:
    assert total_of(chunks) == "".join(chunks)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), texts), min_size=1))
def test_dicts_of_texts_join_key_by_key(chunks) -> None:
    keys = {key for chunk in chunks for key in chunk}
    assert total_of(chunks) == {k: "".join(c.get(k, "") for c in chunks) for k in keys}


@given(st.lists(values, min_size=1), st.data())
def test_asking_for_the_total_midway_changes_nothing(chunks, data) -> None:
    total = Accumulator()
    for chunk in chunks:
        total.feed(chunk)
        if data.draw(st.booleans()):
            total.total()
    assert total.total() == total_of(chunks)


@given(st.lists(st.lists(st.integers()), min_size=1))
def test_the_chunks_fed_and_the_total_given_out_stay_apart(chunks) -> None:
    before = copy.deepcopy(chunks)
    total = Accumulator()
    for chunk in chunks:
        total.feed(chunk)
    total.total().append(0)
    assert chunks == before
    assert total.total() == [x for chunk in chunks for x in chunk]


@pytest.mark.parametrize("kind", [dict, AddableDict])
def test_a_hundred_thousand_dicts_of_text_are_one_join_a_key(kind) -> None:
    total = Accumulator()
    for _ in range(100_000):
        total.feed(kind(a="x" * 100))
    # Joined at each piece, this would copy half a terabyte.
    assert total.total() == {"a": "x" * 10_000_000}


addables = st.dictionaries(st.sampled_from("ab"), texts | st.none()).map(AddableDict)


@given(addables, addables, addables)
def test_sums_of_addable_dicts_are_associative(one, two, three) -> None:
    assert (one + two) + three == one + (two + three)


@given(st.lists(addables, min_size=1))
def test_addable_dicts_added_by_hand_equal_the_running_sum(chunks) -> None:
    assert reduce(add, chunks) == total_of(chunks)


def test_an_addable_dict_adds_to_a_plain_one_on_either_side() -> None:
    assert {"a": "x"} + AddableDict(a="y") == AddableDict(a="x") + {"a": "y"} == {"a": "xy"}


def test_an_addable_dict_does_not_add_to_what_is_no_dict() -> None:
    with pytest.raises(TypeError):
        1 + AddableDict(a="x")
