"""The splitter of binary event streams."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.chat_models.frames import Frame, FrameSplitter, write_frame
from headrace.chat_models.wire import splitter_for
from headrace.errors import WireError

EVENT = {":message-type": "event", ":event-type": "delta", ":content-type": "application/json"}
BODY = write_frame(EVENT, b'{"a": 1}') + write_frame(EVENT, b"") + write_frame(EVENT, b"\x00\xff")


def frames_of(data: bytes, size: int = 7) -> list[Any]:
    splitter = FrameSplitter()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [*(frame for piece in pieces for frame in splitter.feed(piece)), *splitter.flush()]


@given(st.integers(1, len(BODY)))
def test_frames_come_out_the_same_however_the_bytes_are_cut(size: int) -> None:
    assert frames_of(BODY, size) == [b'{"a": 1}', b"", b"\x00\xff"]


def test_a_frame_says_what_kind_of_event_it_is() -> None:
    frame = frames_of(BODY)[0]
    assert (frame.kind, frame.failed) == ("delta", False)


def test_an_exception_is_a_frame_that_failed() -> None:
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    frame = frames_of(write_frame(headers, b'{"message": "slow down"}'))[0]
    assert (frame.kind, frame.failed) == ("throttlingException", True)


def test_an_error_without_payload_gives_its_message_as_one() -> None:
    headers = {":message-type": "error", ":error-code": "Internal", ":error-message": "broken"}
    frame = frames_of(write_frame(headers, b""))[0]
    assert (frame, frame.kind, frame.failed) == (b'{"message":"broken"}', "Internal", True)


def test_a_frame_that_is_cut_off_is_none() -> None:
    assert len(frames_of(BODY[:-1])) == 2


@pytest.mark.parametrize("place", [3, 9, 15, len(BODY) - 1])
def test_a_changed_byte_is_told_by_its_checksum(place: int) -> None:
    data = bytearray(BODY)
    data[place] ^= 1
    with pytest.raises(WireError, match="checksum"):
        frames_of(bytes(data))


def test_other_types_of_headers_are_passed_over() -> None:
    head = b"\x01n\x04\x00\x00\x00\x07" + b"\x01t\x00" + b"\x01b\x06\x00\x02xy"
    plain = write_frame({}, b"")
    size = len(plain) + len(head)
    lengths = size.to_bytes(4, "big") + len(head).to_bytes(4, "big")
    body = lengths + crc(lengths) + head
    frame = frames_of(body + crc(body))[0]
    assert isinstance(frame, Frame)
    assert frame.kind == ""


def test_headers_that_run_over_are_a_wire_error() -> None:
    head = b"\x09n\x07"
    lengths = (16 + len(head)).to_bytes(4, "big") + len(head).to_bytes(4, "big")
    body = lengths + crc(lengths) + head
    with pytest.raises(WireError, match="headers of a frame"):
        frames_of(body + crc(body))


def test_an_impossible_length_is_a_wire_error() -> None:
    lengths = (8).to_bytes(4, "big") + (0).to_bytes(4, "big")
    with pytest.raises(WireError, match="a frame of 8 bytes"):
        frames_of(lengths + crc(lengths))


def test_the_content_type_chooses_the_splitter() -> None:
    assert isinstance(splitter_for("application/vnd.amazon.eventstream"), FrameSplitter)


def crc(data: bytes) -> bytes:
    from zlib import crc32

    return crc32(data).to_bytes(4, "big")
