"""Splits binary event streams, whose frames carry checksums and typed headers.

A frame is its whole length, the length of its headers, a CRC of these two (4 bytes each, big
endian), the headers, the payload, and a CRC of all before it. A header is the length of its name
(1 byte), the name, a type (1 byte) and a value.
Source: https://smithy.io/2.0/aws/amazon-eventstream.html (read 2026-11)
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError  # noqa: N812 - a class that is named like a function
from zlib import crc32

from pydantic_core import to_json

from headrace.errors import WireError

_PRELUDE, _WORD, _SHORT = Struct(">III"), Struct(">I"), Struct(">H")
_SMALLEST = _PRELUDE.size + _WORD.size
_LARGEST = 24 * 1024 * 1024 + _SMALLEST  # bytes of a frame, by the specification's limits
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # type of a header: bytes of its value
_COUNTED = frozenset({6, 7})  # bytes and texts lead with their length


class Frame(bytes):
    """The payload of one frame; `kind`: its type of event, of exception if it `failed`."""

    kind: str
    failed: bool

    @classmethod
    def of(cls, headers: dict[str, str], payload: bytes) -> Frame:
        """A frame by its headers; an error without payload gives its message as one."""
        meaning = headers.get(":message-type", "event")
        if meaning == "error" and not payload:
            payload = to_json({"message": headers.get(":error-message", "")})
        frame = cls(payload)
        frame.failed = meaning != "event"
        names = (":exception-type", ":error-code") if frame.failed else (":event-type",)
        frame.kind = next((headers[name] for name in names if name in headers), "")
        return frame


class FrameSplitter:
    """Binary frames out of bytes that come in pieces of any size.

    What the end of the body leaves of an unfinished frame is nothing: the stream has then no end
    marker either. Raises WireError for bytes that are no frames.
    """

    __slots__ = ("_data", "_head", "_missing", "_read")

    def __init__(self) -> None:
        self._data = bytearray()
        self._head, self._read = b"", dict[str, str]()  # the last frame's, mostly the next one's
        self._missing = 0  # bytes without which there is nothing new to see

    def feed(self, data: bytes) -> list[bytes]:
        self._data += data
        if len(self._data) < self._missing:
            return []
        found: list[bytes] = []
        start = 0
        while (size := self._size_at(start)) is not None:
            found.append(self._frame(bytes(self._data[start : start + size])))
            start += size
        del self._data[:start]
        return found

    def flush(self) -> list[bytes]:
        return []

    def _frame(self, data: bytes) -> Frame:
        if crc32(data[:-4]) != _WORD.unpack(data[-4:])[0]:
            raise WireError("the checksum of a frame is wrong: its bytes were changed on the way")
        end = _PRELUDE.size + _PRELUDE.unpack_from(data)[1]
        head = data[_PRELUDE.size : end]
        if head != self._head:
            self._read, self._head = _headers(head), head
        return Frame.of(self._read, data[end:-4])

    def _size_at(self, start: int) -> int | None:
        """The length of the frame that begins there; None if it is not all there yet."""
        there = len(self._data) - start
        self._missing = _PRELUDE.size
        if there < _PRELUDE.size:
            return None
        size, headers, check = _PRELUDE.unpack_from(self._data, start)
        if crc32(self._data[start : start + 8]) != check:
            raise WireError("the checksum at the head of a frame is wrong: this is no event stream")
        if not _SMALLEST + headers <= size <= _LARGEST:
            raise WireError(f"a frame of {size} bytes cannot have {headers} bytes of headers")
        self._missing = size
        return int(size) if there >= size else None


def write_frame(headers: dict[str, str], payload: bytes) -> bytes:
    """The bytes of a frame, for servers and tests; the headers are texts."""
    written = b"".join(
        bytes([len(name.encode())]) + name.encode() + b"\x07"
        + _SHORT.pack(len(value.encode())) + value.encode()
        for name, value in headers.items()
    )  # fmt: skip
    lengths = _PRELUDE.pack(_SMALLEST + len(written) + len(payload), len(written), 0)[:8]
    body = lengths + _WORD.pack(crc32(lengths)) + written + payload
    return body + _WORD.pack(crc32(body))


def _headers(data: bytes) -> dict[str, str]:
    """The headers that are texts; all that decide what a frame means are."""
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            name, at = _text(data, at + 1, data[at])
            kind, at = data[at], at + 1
            if kind in _COUNTED:
                value, at = _text(data, at + 2, _SHORT.unpack_from(data, at)[0])
                if kind == 7:
                    found[name] = value
            else:
                at += _FIXED[kind]
    except (LookupError, StructError) as error:
        raise WireError(f"the headers of a frame cannot be read: {error!r}") from error
    return found


def _text(data: bytes, start: int, size: int) -> tuple[str, int]:
    if start + size > len(data):
        raise IndexError("a header is longer than all of them")
    return data[start : start + size].decode("utf-8", "replace"), start + size
