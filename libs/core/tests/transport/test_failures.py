from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from headrace.errors import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from headrace.transport import error_in, retry_after, status_error


def error(status: int, message: str = "no", headers: Any = None, **rest: Any) -> ModelError:
    return status_error(status, {"error": {"message": message, **rest}}, headers or {})


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, ModelInvalidRequestError, False),
        (401, ModelAuthenticationError, False),
        (402, ModelPermissionDeniedError, False),
        (403, ModelPermissionDeniedError, False),
        (404, ModelNotFoundError, False),
        (405, ModelNotFoundError, False),
        (408, ModelTimeoutError, True),
        (409, ModelAPIError, True),
        (413, ModelInvalidRequestError, False),
        (422, ModelInvalidRequestError, False),
        (429, ModelRateLimitError, True),
        (500, ModelAPIError, True),
        (503, ModelAPIError, True),
        (529, ModelAPIError, True),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[ModelError], retryable: bool) -> None:
    found = error(status)
    assert type(found) is kind
    assert (found.status, found.is_retryable) == (status, retryable)


@pytest.mark.parametrize(
    "said",
    [
        {"code": "context_length_exceeded"},
        {"message": "This model's maximum context length is 8192 tokens"},
        {"message": "prompt is too long: 210000 tokens > 200000 maximum"},
        {"message": "<400> InternalError.Algo: Range of input length should be [1, 30720]"},
        {"message": "Please reduce the length of the messages or completion."},
    ],
)
def test_a_prompt_that_does_not_fit_is_an_overflow(said: dict[str, Any]) -> None:
    assert isinstance(error(400, **said), ContextOverflowError)


def test_a_used_up_quota_is_not_worth_another_try() -> None:
    found = error(429, "You exceeded your current quota", code="insufficient_quota")
    assert isinstance(found, ModelRateLimitError)
    assert not found.is_retryable


def test_code_and_message_are_the_services_own() -> None:
    found = error(404, "no model", code="model_not_found")
    assert (str(found), found.code) == ("no model", "model_not_found")


def test_the_server_may_say_itself_if_another_try_helps() -> None:
    assert not error(503, headers={"x-should-retry": "false"}).is_retryable
    assert error(400, headers={"x-should-retry": "true"}).is_retryable


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        ({"error": "just text"}, "just text"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"msg": "field required"}]}, "field required"),
        ({"message": "m", "code": 7}, "m"),
        ([{"error": {"message": "in a list"}}], "in a list"),
        ({"error": {"message": "P", "metadata": {"raw": "upstream said"}}}, "P: upstream said"),
        (None, "None"),
        ("", "status 500 and no message"),
    ],
)
def test_messages_are_found_however_the_service_spells_them(body: Any, message: str) -> None:
    assert message in str(status_error(500, body, {}))


def test_retry_after_is_read_in_seconds_milliseconds_and_as_a_date() -> None:
    assert retry_after({"retry-after": "1.5"}) == 1.5
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < (retry_after({"retry-after": soon}) or 0) <= 60


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf"])
def test_a_broken_retry_after_is_none(value: str) -> None:
    assert retry_after({"retry-after": value}) is None


def test_a_retry_after_in_the_past_is_now() -> None:
    assert retry_after({"retry-after": "-3"}) == 0
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


@pytest.mark.parametrize("body", [{"choices": []}, {"type": "ping"}, {}, [], 5, None, "x"])
def test_what_is_no_error_gives_none(body: Any) -> None:
    assert error_in(body) is None
