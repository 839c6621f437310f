from __future__ import annotations

from typing import ClassVar

import pytest

from headrace.errors import (
    ContextOverflowError,
    InputError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelRateLimitError,
    ModelTimeoutError,
    StreamInterruptedError,
)
from headrace.transport import foreign_error


class Response:
    status_code = 429
    headers: ClassVar = {"Retry-After": "3", "X-Request-Id": "r1"}


class StatusError(Exception):
    response = Response()
    body: ClassVar = {"error": {"message": "slow down", "code": "limit"}}


class WrappedError(Exception):
    """An error of a framework around one of an SDK."""


def wrapped(inner: Exception, how: str) -> Exception:
    if how == "argument":
        return WrappedError("failed", inner)
    try:
        try:
            raise inner
        except Exception as error:
            if how == "cause":
                raise WrappedError("failed") from error
            raise WrappedError("failed")  # noqa: B904 - the test
    except WrappedError as outer:
        return outer


@pytest.mark.parametrize("how", ["argument", "cause", "context"])
def test_the_status_of_an_error_below_is_found(how: str) -> None:
    found = foreign_error(wrapped(StatusError("no"), how), "m")
    assert isinstance(found, ModelRateLimitError)
    assert (found.status, found.code, found.request_id, found.retry_after) == (
        429,
        "limit",
        "r1",
        3,
    )


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (401, "no", ModelAuthenticationError),
        (400, "no", ModelInvalidRequestError),
        (400, "maximum context length exceeded", ContextOverflowError),
    ],
)
def test_a_bare_status_is_enough(status: int, text: str, kind: type[Exception]) -> None:
    error = Exception(text)
    error.status = status  # type: ignore[attr-defined]  # as SDKs have it
    assert type(foreign_error(error, "m")) is kind


def test_names_that_many_libraries_share_are_read() -> None:
    named = type("ModelRateLimitError", (Exception,), {})
    assert isinstance(foreign_error(named("x"), "m"), ModelRateLimitError)
    assert isinstance(foreign_error(TimeoutError("x"), "m"), ModelTimeoutError)
    assert isinstance(foreign_error(ConnectionResetError("x"), "m"), ModelConnectionError)
    begun = foreign_error(ConnectionResetError("x"), "m", begun=True)
    assert isinstance(begun, StreamInterruptedError)


@pytest.mark.parametrize("error", [LookupError("x"), InputError("x")])
def test_any_other_error_is_none_of_a_models(error: Exception) -> None:
    assert foreign_error(error, "m") is None
