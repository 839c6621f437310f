"""Sizes of pictures, from the heads of their files."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.messages import picture_size

PNG = b"\x89PNG\r\n\x1a\n" + pack(">I4sII", 13, b"IHDR", 640, 480) + bytes(5)
GIF = b"GIF89a" + pack("<HH", 640, 480) + bytes(3)
APP = b"\xff\xe0" + pack(">H", 16) + bytes(14)
FRAME = b"\xff\xc2" + pack(">HBHHB", 17, 8, 480, 640, 3) + bytes(9)
JPEG = b"\xff\xd8" + APP + b"\xff" + FRAME
LOSSY = b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + pack("<HH", 640, 480) + bytes(4)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L" + bytes(4) + b"\x2f" + pack("<I", 639 | 479 << 14)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + pack("<I", 639)[:3] + pack("<I", 479)[:3]


@pytest.mark.parametrize("data", [PNG, GIF, JPEG, LOSSY, LOSSLESS, EXTENDED])
def test_the_size_is_read_off_each_kind_of_file(data: bytes) -> None:
    assert picture_size(data) == (640, 480)


@pytest.mark.parametrize("data", [b"", b"BM", PNG[:17], GIF[:7], JPEG[:25], LOSSY[:27]])
def test_what_is_cut_off_or_no_picture_has_no_size(data: bytes) -> None:
    assert picture_size(data) is None


@given(st.sampled_from([b"\xff\xd8", b"RIFF\0\0\0\0WEBPVP8 ", b"\x89PNG\r\n\x1a\n"]), st.binary())
def test_no_bytes_make_it_fail(head: bytes, rest: bytes) -> None:
    size = picture_size(head + rest)
    assert size is None or len(size) == 2
