from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.chat_models.wire import ErrorPayload, Splitter, excerpt, parse, splitter_for
from headrace.errors import WireError

SSE = "text/event-stream; charset=utf-8"


def split(kind: str | None, body: bytes, *cuts: int) -> list[bytes]:
    """The payloads of a body cut at these places."""
    splitter: Splitter = splitter_for(kind)
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    payloads: list[bytes] = []
    for start, end in pairwise(places):
        payloads.extend(splitter.feed(body[start:end]))
    return [*payloads, *splitter.flush()]


STREAM = (
    '\ufeff: hello\n\ndata: {"a": 1}\n\nid: 7\nevent: message\ndata: first\ndata:second\n\n'
    "retry: 10\n\ndata: 😀 é\n\n\ndata\n\ndata: last"
).encode()
PAYLOADS = [b'{"a": 1}', b"first\nsecond", "😀 é".encode(), b"last"]


def test_an_event_stream_gives_the_data_of_each_event() -> None:
    assert split(SSE, STREAM) == PAYLOADS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_cutting_and_any_line_ending_give_the_same_events(
    cuts: list[int], ending: bytes
) -> None:
    assert split(SSE, STREAM.replace(b"\n", ending), *cuts) == PAYLOADS


def test_an_event_is_given_as_soon_as_its_blank_line_is_there() -> None:
    splitter = splitter_for(SSE)
    assert splitter.feed(b"data: 1\r\n\r") == [b"1"]
    assert splitter.feed(b"\ndata: 2\r\n") == []
    assert splitter.feed(b"\r\n") == [b"2"]


def test_an_event_named_error_keeps_its_name() -> None:
    (payload,) = split(SSE, b"event: error\ndata: {}\n\n")
    assert isinstance(payload, ErrorPayload)


def test_only_one_space_after_the_colon_is_dropped() -> None:
    assert split(SSE, b"data:  x\n\n") == [b" x"]


def test_json_lines_are_split_at_newlines_only() -> None:
    assert split("application/x-ndjson", b'{"a":1}\r\n\n{"b":2}', 3, 9) == [b'{"a":1}', b'{"b":2}']


def test_a_whole_json_body_is_one_payload() -> None:
    assert split("application/json", b' {"a":\n\n1}\n', 2, 5) == [b'{"a":\n\n1}']


@pytest.mark.parametrize(
    "start", [b"data: 1\n\n", b": hi\n\ndata: 1\n\n", b"\n\nevent: x\ndata: 1"]
)
def test_an_event_stream_that_calls_itself_json_is_seen_by_its_first_bytes(start: bytes) -> None:
    assert split("application/json", start, 1, 2, 3) == [b"1"]


def test_a_page_in_place_of_a_stream_is_an_error_that_names_it() -> None:
    page = b"<html><head><title>502 Bad\nGateway</title></head><body>x</body></html>"
    with pytest.raises(WireError, match=r"`text/html`.*'502 Bad Gateway'.*base_url"):
        split("text/html", page, 5)


def test_a_stream_without_content_type_is_an_error() -> None:
    with pytest.raises(WireError, match="no content type"):
        split(None, b"")


def test_what_is_not_json_is_an_error_with_an_excerpt() -> None:
    with pytest.raises(WireError, match=r"not JSON \(.*\): 'oops"):
        parse(b"oops" * 1000)


def test_json_nested_without_end_is_an_error() -> None:
    with pytest.raises(WireError):
        parse(b"[" * 100_000)


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert parse(rb'{"a": "\ud83d", "b": "\ud83d\ude00"}') == {"a": "\ufffd", "b": "😀"}


def test_broken_utf8_becomes_the_replacement_character() -> None:
    assert parse(b'"a\xff"') == "a\ufffd"


def test_an_excerpt_is_one_short_line() -> None:
    assert excerpt("a\n b " * 300).startswith("a b a b")
    assert len(excerpt("a\n b " * 300)) <= 201


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_splitters_take_any_bytes(body: bytes, cuts: list[int]) -> None:
    whole = split(SSE, body)
    assert split(SSE, body, *cuts) == whole
    split("application/x-ndjson", body, *cuts)
    split("application/json", body, *cuts)
