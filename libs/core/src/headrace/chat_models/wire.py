"""Splits the bytes of a provider's response into the payloads its protocol carries.

    splitter = splitter_for(response.headers.get("content-type"))
    for data in response.iter_bytes():
        for payload in splitter.feed(data):
            event = parse(payload)
    for payload in splitter.flush(): ...

Pure: bytes in, bytes out, cut anywhere; linear for events of one line, as all services send.
"""

from __future__ import annotations

import json
import re
from typing import Any, Protocol

from pydantic_core import from_json

from headrace.chat_models.frames import FrameSplitter
from headrace.errors import WireError

_BOM = b"\xef\xbb\xbf"
_JSON_LINES = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
        "application/stream+json",
        "application/json-seq",
    }
)
_FRAMES = "application/vnd.amazon.eventstream"
_EXCERPT = 200  # characters of an unexpected body that an error shows
_FIELD = re.compile(rb"\s*(?:data|event|id|retry)?:")  # how an event stream begins; JSON cannot


class Splitter(Protocol):
    """Payloads out of bytes that come in pieces of any size."""

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes."""

    def flush(self) -> list[bytes]:
        """What is left when the body has ended; perhaps cut off. Called once."""


class ErrorPayload(bytes):
    """The data of a server-sent event that is named `error`."""


def splitter_for(content_type: str | None) -> Splitter:
    """The splitter for a streamed response of this content type.

    A whole JSON body is one payload (a server that does not stream, or an error with status
    200); an event stream that calls itself JSON is seen by its first bytes. Any other type gives
    a splitter that raises WireError with the beginning of the body.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        return EventSplitter()
    if kind in _JSON_LINES:
        return LineSplitter()
    if kind == _FRAMES:
        return FrameSplitter()
    if kind == "application/json" or kind.endswith("+json"):
        return JSONSplitter()
    return Unexpected(content_type)


def parse(payload: bytes) -> Any:
    """The JSON value of a payload; WireError if it is not JSON."""
    try:
        return from_json(payload)
    except ValueError as exc:
        return _parse_leniently(payload, exc)


def excerpt(body: bytes | str) -> str:
    """The beginning of a body in one line; of an HTML page, its title."""
    text = body if isinstance(body, str) else body[:4096].decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text[:4096], re.IGNORECASE | re.DOTALL)
    line = " ".join((title[1] if title else text[:4096]).split())
    return line if len(line) <= _EXCERPT else line[:_EXCERPT] + "…"


class EventSplitter:
    """Server-sent events: the `data` of each, several lines joined by a newline.

    Comments, `id` and `retry` are left out, and so is `event` but for `error` (ErrorPayload).
    An event that the end of the body leaves without its blank line is given by `flush`.
    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (read 2026-11)
    """

    __slots__ = ("_after_cr", "_begun", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # the unfinished event; joined only when a line ends
        self._after_cr = False
        self._begun = False

    def feed(self, data: bytes) -> list[bytes]:
        if not self._begun:
            data = self._begin(data)
        if self._after_cr or b"\r" in data:
            data = self._normal(data)
        if b"\n" not in data:
            if data:
                self._pieces.append(data)
            return []
        if self._pieces:
            self._pieces.append(data)
            data = b"".join(self._pieces)
            self._pieces.clear()
        *events, rest = data.split(b"\n\n")
        if rest:
            self._pieces.append(rest)
        payloads: list[bytes] = []
        for event in events:
            # Nearly every event is one `data` line, of some services after its name.
            lines = event.count(b"\n")
            if not lines and event[:6] == b"data: ":
                payloads.append(event[6:])
                continue
            payload: bytes | None = None
            if lines == 1 and event[:7] == b"event: " and event[7:12] != b"error":
                payload = event.partition(b"\ndata: ")[2]
            if payload or (payload := _event_data(event)) is not None:
                payloads.append(payload)
        return payloads

    def flush(self) -> list[bytes]:
        event = b"".join(self._pieces)
        self._pieces.clear()
        payload = _event_data(event)
        return [] if payload is None else [payload]

    def _begin(self, data: bytes) -> bytes:
        """Drops the byte order mark, which may come in pieces."""
        data = b"".join(self._pieces) + data
        self._pieces.clear()
        if len(data) < len(_BOM) and _BOM.startswith(data):
            if data:
                self._pieces.append(data)
            return b""
        self._begun = True
        return data.removeprefix(_BOM)

    def _normal(self, data: bytes) -> bytes:
        """CR and CRLF as LF; a CR at the end counts at once, and an LF after it not again."""
        if not data:
            return data
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
            if not data:
                self._after_cr = False
                return data
        self._after_cr = data[-1:] == b"\r"
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class LineSplitter:
    """One JSON value a line; empty lines are left out."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        if b"\n" not in data:
            if data:
                self._pieces.append(data)
            return []
        self._pieces.append(data)
        *lines, rest = b"".join(self._pieces).split(b"\n")
        self._pieces = [rest] if rest else []
        return [line for line in map(_bare, lines) if line]

    def flush(self) -> list[bytes]:
        line = _bare(b"".join(self._pieces))
        self._pieces.clear()
        return [line] if line else []


class JSONSplitter:
    """A whole body as one payload, unless its first bytes are those of an event stream."""

    __slots__ = ("_events", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._events: EventSplitter | None = None

    def feed(self, data: bytes) -> list[bytes]:
        if self._events is None:
            self._pieces.append(data)
            # Eight bytes hold `data:`, `event:` and `retry:`; they come in the first piece
            # or two, so joining a few short pieces is the whole price.
            if len(self._pieces) > 8 or not _FIELD.match(b"".join(self._pieces)):
                return []
            data = b"".join(self._pieces)
            self._events = EventSplitter()
        return self._events.feed(data)

    def flush(self) -> list[bytes]:
        if self._events is not None:
            return self._events.flush()
        body = b"".join(self._pieces).strip()
        return [body] if body else []


class Unexpected:
    """A body that is no stream: WireError as soon as there is enough of it to show."""

    __slots__ = ("_body", "_type")

    def __init__(self, content_type: str | None) -> None:
        self._body = b""
        self._type = content_type

    def feed(self, data: bytes) -> list[bytes]:
        self._body += data
        if len(self._body) >= 1024:
            return self.flush()
        return []

    def flush(self) -> list[bytes]:
        found = f"`{self._type}`" if self._type else "no content type"
        raise WireError(
            "a stream was asked for (`text/event-stream` or JSON lines), but the response has "
            f"{found}; it begins {excerpt(self._body)!r}. Check `base_url` and any proxy"
        )


def _bare(line: bytes) -> bytes:
    return line.strip(b" \t\r\x1e")  # the record separator begins each line of json-seq


def _event_data(event: bytes) -> bytes | None:
    lines: list[bytes] = []
    name = b""
    for line in event.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            lines.append(value[1:] if value[:1] == b" " else value)
        elif field == b"event":
            name = value.strip()
    data = b"\n".join(lines)
    if not data.strip():
        return None
    return ErrorPayload(data) if name == b"error" else data


def _parse_leniently(payload: bytes, cause: ValueError) -> Any:
    """Reads JSON with half a surrogate pair or broken UTF-8 in it: those become U+FFFD.

    A server that cuts its text by UTF-16 units sends each half of an emoji in its own event.
    """
    try:
        value = json.loads(payload.decode("utf-8", "replace"))
        clean = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
        return json.loads(clean.decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        reason = str(cause).partition("\n")[0]
        raise WireError(
            f"the provider sent what is not JSON ({reason}): {excerpt(payload)!r}"
        ) from cause
