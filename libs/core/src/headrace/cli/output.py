"""Standard output: JSON that any reader takes, and text that a terminal takes."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from headrace.messages import BaseMessage

READER_LEFT = 141  # 128 + SIGPIPE: what a shell reports of tools that the signal ends

# What moves the cursor or programs the terminal; a model's text has no business there.
_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def prepare() -> None:
    """Lets streams print any text: what their encoding lacks is escaped, not an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def hush() -> None:
    """Sends what is still to be written nowhere, so that Python's own end stays quiet."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        pass  # no real file: then nothing is written at the end either


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads or types there; a closed or missing stream is nobody."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def put(text: str, *, styled: bool = False) -> None:
    """Writes at once. A reader that has left ends the program, whoever is calling.

    On a terminal control characters are left out, unless `styled` says that they are ours.
    """
    try:
        print(text if styled else _safe(text), end="", flush=True)
    except BrokenPipeError:
        hush()
        raise SystemExit(READER_LEFT) from None


def _safe(text: str) -> str:
    return text.translate(_CONTROLS) if is_terminal(sys.stdout) else text


def as_json(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON: messages and pydantic objects dumped, what else there is as its text.

    All on one line unless `indent` is given. NaN and infinities are strings: JSON has none.
    """
    try:
        text = to_json(value, **_OPTIONS, indent=indent).decode()
    except PydanticSerializationError as error:
        if "UnicodeEncodeError" not in str(error):
            raise
        plain = to_jsonable_python(value, **_OPTIONS)  # lone surrogates pass as escapes only
        return json.dumps(plain, indent=indent)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return (
        text if encoding.lower().startswith("utf") else json.dumps(json.loads(text), indent=indent)
    )


def _dumped(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseMessage) else str(value)


_OPTIONS: Any = {"fallback": _dumped, "bytes_mode": "base64", "inf_nan_mode": "strings"}
