"""Laws of the sum: it is associative, and independent of how a stream is cut and read."""

from __future__ import annotations

import pickle
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from headrace.messages import AIMessageChunk, message_chunk_to_message, sum_chunks

words = st.text(alphabet='ab{}":1 é', max_size=3)
indexes = st.sampled_from([None, 0, 1, "r0"])
ids = st.sampled_from([None, "", "x", "y"])
extras = st.sampled_from([{}, {"extras": {"signature": "s"}}, {"extras": {"other": 1}}])


def block(kind: str, field: str) -> st.SearchStrategy[dict[str, Any]]:
    base = st.fixed_dictionaries(
        {"type": st.just(kind)},
        optional={field: words, "index": indexes, "id": ids},
    )
    return st.builds(lambda b, e: {**b, **e}, base, extras)


pieces = st.builds(
    lambda args, name, id, index, more: {
        "args": args, "name": name, "id": id, "index": index, **more,
    },
    st.none() | words, st.sampled_from([None, "f", "g"]), ids, indexes, extras,
)  # fmt: skip
blocks = st.one_of(
    block("text", "text"),
    block("reasoning", "reasoning"),
    block("image", "url"),
    block("refusal", "refusal"),
    pieces.map(lambda p: {"type": "tool_call_chunk", **p}),
    words,
)
counts = st.integers(0, 9)
usages = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": counts,
        "output_tokens": counts | st.none(),
        "input_token_details": st.fixed_dictionaries({}, optional={"cache_read": counts}),
    },
)
metadata = st.dictionaries(
    st.sampled_from(["finish_reason", "seed", "flag"]),
    st.one_of(st.none(), st.booleans(), st.floats(0, 1), st.integers(), words),
    max_size=2,
) | st.builds(lambda n: {"logprobs": {"content": [n]}}, counts)

chunks = st.builds(
    AIMessageChunk,
    words | st.lists(blocks, max_size=3),
    tool_call_chunks=st.lists(pieces, max_size=2),
    usage_metadata=st.none() | usages,
    usage_kind=st.sampled_from(["delta", "snapshot"]),
    response_metadata=st.none() | metadata,
    id=ids,
    name=st.sampled_from([None, "n"]),
    chunk_position=st.sampled_from([None, None, None, "last"]),
    additional_kwargs=st.none() | st.dictionaries(st.sampled_from("kl"), counts),
)
streams = st.lists(chunks, min_size=1, max_size=6)


def left_sum(stream: list[AIMessageChunk]) -> AIMessageChunk:
    return reduce(add, stream)


@given(chunks, chunks, chunks)
def test_addition_is_associative(a: Any, b: Any, c: Any) -> None:
    assert (a + b) + c == a + (b + c)


@given(chunks, chunks, chunks)
def test_addition_is_associative_when_every_total_is_read(a: Any, b: Any, c: Any) -> None:
    left, right = a + b, b + c
    assert left.text == (a + b).text
    assert right == b + c
    assert left + c == a + right


@given(streams)
def test_a_total_equals_the_fold_of_its_chunks(stream: Any) -> None:
    assert left_sum(stream) == sum_chunks(stream) == sum(stream) == stream[0] + stream[1:]


@given(streams, st.data())
def test_a_sum_does_not_depend_on_where_it_is_bracketed(stream: Any, data: Any) -> None:
    expected = left_sum(stream)
    parts = list(stream)
    while len(parts) > 1:
        at = data.draw(st.integers(0, len(parts) - 2))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
        if data.draw(st.booleans()):
            assert parts[at].content_blocks is not None
    assert parts[0] == expected


@given(streams, st.data(), st.integers(2, 4))
def test_packing_a_chain_changes_nothing(stream: Any, data: Any, after: int) -> None:
    expected = sum_chunks(stream)
    parts = list(stream)
    with patch("headrace.messages.chunks.PACKED_AFTER", after):
        while len(parts) > 1:
            at = data.draw(st.integers(0, len(parts) - 2))
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
            if data.draw(st.integers(0, 3)) == 0:
                assert parts[at].content_blocks is not None
    assert parts[0] == expected


@given(streams)
def test_reading_every_total_on_the_way_changes_nothing(stream: Any) -> None:
    total = stream[0]
    for chunk in stream[1:]:
        total = total + chunk
        repr(total)
    assert total == left_sum(stream)


@given(streams, st.integers(0, 6))
def test_a_total_may_be_pickled_in_mid_stream(stream: Any, cut: int) -> None:
    head = sum(stream[:cut], AIMessageChunk())
    total = sum(stream[cut:], pickle.loads(pickle.dumps(head)))
    assert total == left_sum(stream)


@given(streams)
def test_the_empty_chunk_is_neutral(stream: Any) -> None:
    total, nothing = left_sum(stream), AIMessageChunk()
    assert nothing + total == total == total + nothing


@given(streams)
def test_no_chunk_is_changed_by_being_added(stream: Any) -> None:
    before = [chunk.model_dump() for chunk in stream]
    total = left_sum(stream)
    assert message_chunk_to_message(total) is not None
    assert [chunk.model_dump() for chunk in stream] == before


@given(st.text(max_size=40), st.lists(st.integers(0, 40)))
def test_text_does_not_depend_on_how_the_stream_is_cut(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [AIMessageChunk(text[a:b]) for a, b in pairwise(edges)]
    total = sum(parts, AIMessageChunk())
    assert total.content == total.text == text
    assert total.content_blocks == ([{"type": "text", "text": text}] if text else [])


@given(st.dictionaries(st.text(max_size=5), st.text() | st.integers(-9, 9)), st.data())
def test_tool_arguments_do_not_depend_on_how_the_stream_is_cut(args: Any, data: Any) -> None:
    text = to_json(args).decode()
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=5).map(sorted))
    edges = [0, *cuts, len(text)]
    head = AIMessageChunk(tool_call_chunks=[{"name": "f", "id": "1", "index": 0}])
    parts = [
        AIMessageChunk(tool_call_chunks=[{"args": text[a:b], "index": 0}])
        for a, b in pairwise(edges)
    ]
    call = {"type": "tool_call", "name": "f", "args": args, "id": "1"}
    assert (head + parts + AIMessageChunk(chunk_position="last")).tool_calls == [call]


@given(streams)
def test_a_total_survives_json(stream: Any) -> None:
    kind = stream[0].usage_kind  # which figures of a mixture are snapshots, JSON does not say
    total = left_sum([chunk for chunk in stream if chunk.usage_kind == kind])
    assert AIMessageChunk.model_validate_json(total.model_dump_json()) == total
