"""JSON that is only misspelt is read; JSON that is cut off is never completed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.output_parsers.loose import strictly
from headrace.output_parsers.salvage import documents_in

SCALARS = st.none() | st.booleans() | st.integers() | st.text("ab'\"{}[]:,/\n \\é", max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab'\""), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text("ab"), VALUES, max_size=3) | st.lists(VALUES, max_size=3)


@given(DOCUMENTS)
def test_strict_json_and_python_are_read_as_what_they_say(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1), repr(value)):
        found = strictly(text + " and [more", 0)
        assert found is not None
        assert (json.loads(found[0]), found[1]) == (value, len(text))


@given(DOCUMENTS, st.data())
def test_a_cut_document_is_never_completed(value: Any, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([json.dumps(value), repr(value)]))
    assert strictly(text[: data.draw(st.integers(1, len(text) - 1))], 0) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2,], "b": "x",}',
        "{'a': [1, 2], 'b': 'x'}",
        '{a: [1, 2], "b": "x"}',
        '{"a": [1, /* two */ 2], // done\n "b": "x"}',
    ],
)
def test_slips_of_the_pen_are_read(text: str) -> None:
    found = documents_in(f"Here: {text} ok?")
    assert found.values == [{"a": [1, 2], "b": "x"}]
    assert found.loose


def test_texts_keep_what_looks_like_a_slip() -> None:
    text = '{"a": "x\ny", "u": "http://h//p,}", "t": "True", "q": "it\\\'s"}'
    (found,) = documents_in(text).values
    assert found == {"a": "x\ny", "u": "http://h//p,}", "t": "True", "q": "it's"}
