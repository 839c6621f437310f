"""Errors of other libraries as headrace's, whatever SDK raised them below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headrace.errors import (
    HeadraceError,
    ModelConnectionError,
    ModelError,
    ModelTimeoutError,
    StreamInterruptedError,
)
from headrace.transport.failures import status_error
from headrace.transport.sdk import request_id_of


def _ours(kind: type[ModelError]) -> Iterator[tuple[str, type[ModelError]]]:
    yield kind.__name__, kind
    for below in kind.__subclasses__():
        if below.__module__ == ModelError.__module__:
            yield from _ours(below)


_OURS = dict(_ours(ModelError))


def foreign_error(exc: BaseException, service: str, *, begun: bool = False) -> ModelError | None:
    """The error of ours for another library's, by its HTTP status or its name; None: it is none.

    Looks through the errors that it was made from, the outermost first. `service` is named in
    messages. `begun`: chunks have come, so a lost connection is a StreamInterruptedError.
    """
    chain = list(_chain(exc))
    if any(isinstance(one, HeadraceError) for one in chain[:1]):
        return None
    for one in chain:
        if (status := _status(one)) is not None:
            headers = _headers(one)
            body = getattr(one, "body", None) or str(one)
            return status_error(status, body, headers, request_id=request_id_of(headers))
    for one in chain:
        kind = _kind([cls.__name__ for cls in type(one).__mro__])
        if kind is not None:
            lost = begun and kind is ModelConnectionError
            return (StreamInterruptedError if lost else kind)(_told(one, service))
    return None


def _kind(names: list[str]) -> type[ModelError] | None:
    """What the names of an error's classes say; many libraries have the same ones."""
    for name in names:
        if (kind := _OURS.get(name)) is not None:
            return kind
    if any("Timeout" in name for name in names):
        return ModelTimeoutError
    if any("Connect" in name or name == "TransportError" for name in names):
        return ModelConnectionError
    return None


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """An error and those below it: its cause, and errors among its arguments."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [exc]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [arg for arg in one.args if isinstance(arg, BaseException)]
        waiting += [*inner, one.__cause__, None if one.__suppress_context__ else one.__context__]


def _status(exc: BaseException) -> int | None:
    response = getattr(exc, "response", None)
    for holder in (exc, response):
        for name in ("status_code", "status", "http_status"):
            value = getattr(holder, name, None)
            if isinstance(value, int) and 400 <= value < 600:
                return int(value)
    return None


def _headers(exc: BaseException) -> Mapping[str, str]:
    found = getattr(getattr(exc, "response", None), "headers", None)
    if not isinstance(found, Mapping):
        return {}
    return {str(name).lower(): str(value) for name, value in found.items()}


def _told(exc: BaseException, service: Any) -> str:
    return f"`{service}`: {str(exc) or type(exc).__name__}"
