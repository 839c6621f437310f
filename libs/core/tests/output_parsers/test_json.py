from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.engine.sums import Accumulator
from headrace.errors import OutputParserError
from headrace.messages import AIMessage, AIMessageChunk
from headrace.output_parsers import JsonOutputParser
from headrace.runnables import RunnableParallel

PARSER = JsonOutputParser()
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def total(values: list[Any]) -> Any:
    found = Accumulator()
    for value in values:
        found.feed(value)
    return found.total()


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    ends = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(ends)]


def grows(before: Any, after: Any) -> bool:
    """Whether `after` is `before` with more in it: no value that was shown is taken back."""
    if isinstance(before, str):
        return isinstance(after, str) and after.startswith(before)
    if isinstance(before, list):
        return len(before) <= len(after) and all(map(grows, before, after))
    if isinstance(before, dict):
        return all(key in after and grows(before[key], after[key]) for key in before)
    return type(before) is type(after) and before == after


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, "x"]}',
        ' \n{"a": [1, "x"]}\n',
        '```json\n{"a": [1, "x"]}\n```',
        '```\n{"a": [1, "x"]}\n```',
        '```json{"a": [1, "x"]}```',
        'Here it is:\n\n```JSON\n{\n"a": [1, "x"]}\n```\nAnything else?',
        '```json\n{"a": [1, "x"]}',
    ],
)
def test_json_alone_or_in_a_fence_is_read(world: Any, text: str) -> None:
    assert world.invoke(PARSER, AIMessage(text)) == {"a": [1, "x"]}
    assert world.transform(PARSER, list(text))[-1] == {"a": [1, "x"]}


def test_a_fence_inside_a_string_is_no_fence() -> None:
    value = {"code": "```json\n{}\n```"}
    assert PARSER.invoke(json.dumps(value)) == value
    assert PARSER.invoke(f"```json\n{json.dumps(value)}\n```") == value


@pytest.mark.parametrize(
    "text", ["", "no", '{"a": 1', '{"a": 1} and', "{'a': 1}", '{"a": NaN}', '{"a": 1,}', "01"]
)
def test_what_is_not_strict_json_is_an_error_that_shows_it(world: Any, text: str) -> None:
    with pytest.raises(OutputParserError, match="found "):
        world.invoke(PARSER, text)
    with pytest.raises(OutputParserError):
        world.transform(PARSER, [text])


def test_values_grow_as_the_text_comes(world: Any) -> None:
    pieces = ["{", '"name": "A', 'da", ', '"age"', ": 3", "6, ", '"ok": tr', "ue}"]
    assert world.transform(PARSER, pieces) == [
        {},
        {"name": "A"},
        {"name": "Ada"},
        {"name": "Ada", "age": 36},
        {"name": "Ada", "age": 36, "ok": True},
    ]


def test_a_digit_at_the_end_of_a_string_is_shown_at_once(world: Any) -> None:
    assert world.transform(PARSER, ['["a', "1", '"]']) == [["a"], ["a1"]]


def test_a_value_that_does_not_change_is_not_repeated(world: Any) -> None:
    assert world.transform(PARSER, ["[1", "]", " ", "\n"]) == [[], [1]]


def test_a_scalar_comes_once_and_whole(world: Any) -> None:
    assert world.transform(PARSER, ["4", "2"]) == [42]
    assert world.transform(PARSER, ['"a', 'b"']) == ["ab"]
    assert world.transform(PARSER, ["nu", "ll"]) == [None]


def test_no_chunks_give_nothing(world: Any) -> None:
    assert world.transform(PARSER, []) == []


def test_chunks_of_messages_are_read(world: Any) -> None:
    pieces = [AIMessageChunk('{"a":'), AIMessageChunk(""), AIMessageChunk("1}")]
    assert world.transform(PARSER, pieces)[-1] == {"a": 1}


def test_the_sum_inside_a_parallel_is_the_last_value(world: Any) -> None:
    both = RunnableParallel(x=PARSER, y=PARSER)
    assert total(world.transform(both, ['{"a": "b', 'c"}'])) == {"x": {"a": "bc"}, "y": {"a": "bc"}}


@given(value=VALUES, cuts=st.lists(st.integers(0), max_size=8), escape=st.booleans())
def test_any_document_cut_anywhere_grows_and_ends_exact(
    world: Any, value: Any, cuts: list[int], escape: bool
) -> None:
    text = json.dumps(value, ensure_ascii=escape)
    found = world.transform(PARSER, pieces_of(text, cuts))
    assert found[-1] == value == PARSER.invoke(text)
    assert total(found) == value
    assert all(grows(a, b) for a, b in pairwise(found))
    assert all(a != b for a, b in pairwise(found))
