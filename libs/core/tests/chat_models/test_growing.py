"""The law of what is shown while an object streams, for any JSON document cut anywhere."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.messages import AIMessageChunk
from headrace.messages.growing import partial_json
from headrace.output_parsers.salvage import ArrayReader, documents_in
from headrace.testing import ScriptedChatModel

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.text(), VALUES, max_size=4) | st.lists(VALUES, max_size=4)
ASCII = st.booleans()


def grows(before: Any, after: Any) -> bool:
    """Whether no value that was shown is taken back."""
    if isinstance(before, str):
        return isinstance(after, str) and after.startswith(before)
    if isinstance(before, list):
        return len(before) <= len(after) and all(map(grows, before, after))
    if isinstance(before, dict):
        return all(key in after and grows(before[key], after[key]) for key in before)
    return type(before) is type(after) and before == after


@given(DOCUMENTS, ASCII)
def test_a_document_cut_anywhere_shows_values_that_only_grow(value: Any, ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii)
    seen = [partial_json(text[:end]) for end in range(1, len(text) + 1)]
    known = [found for found in seen if found is not None]
    assert all(grows(a, b) for a, b in pairwise(known))
    assert all(grows(found, value) for found in known)
    assert seen[-1] == value


@given(st.dictionaries(st.text(min_size=1), VALUES, min_size=1, max_size=3), st.data())
def test_structured_streams_obey_the_same_law(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    ends = [0, *sorted(cuts), len(text)]
    pieces = [AIMessageChunk(text[a:b]) for a, b in pairwise(ends)]
    script = [[*pieces, AIMessageChunk("", chunk_position="last")]]
    schema = {"title": "T", "type": "object"}
    values = list(ScriptedChatModel(script).with_structured_output(schema).stream("hi"))
    assert all(grows(a, b) for a, b in pairwise(values))
    assert values[-1] == value


@given(st.lists(VALUES, max_size=5), ASCII, st.booleans())
def test_the_items_of_an_array_come_once_whole_and_in_order(
    items: list[Any], wrapped: bool, spaced: bool
) -> None:
    text = json.dumps({"value": items} if wrapped else items, indent=1 if spaced else None)
    reader = ArrayReader()
    found = [item for end in range(len(text) + 1) for item in reader.feed(text[:end])]
    assert found == items
    assert reader.done


@pytest.mark.parametrize(
    ("cut", "shown"),
    [
        ('{"a": 12', {}),
        ('{"a": -1.5e', {}),
        ('{"a": tru', {}),
        ('{"a": nul', {}),
        ('{"a', {}),
        ('{"a":', {}),
        ('{"a": "x\\u00', {"a": "x"}),
        ('{"a": "\\ud83d', {"a": ""}),
        ('{"a": "1', {"a": "1"}),
        ('{"a": [1, 23', {"a": [1]}),
        ('"text', None),
        ("", None),
    ],
)
def test_what_is_not_finished_is_withheld(cut: str, shown: Any) -> None:
    assert partial_json(cut) == shown


def test_documents_are_found_among_prose_and_a_cut_one_is_told() -> None:
    found = documents_in('See [1], {x} and {"a": [1, {"b": 2}]}; then {"c": ')
    assert (found.values, found.cut) == ([[1], {"a": [1, {"b": 2}]}], True)
    assert documents_in("{" * 5000).values == []
