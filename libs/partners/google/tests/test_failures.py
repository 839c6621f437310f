"""Google's errors as headrace's, over the real SDK."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google_server import google

from headrace.errors import (
    ContextOverflowError,
    MissingCredentialError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
)
from headrace_google import ChatGoogleGenerativeAI
from headrace_google.failures import auth_error, response_error

QUOTA = "type.googleapis.com/google.rpc.QuotaFailure"
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
PER_MINUTE = {"@type": QUOTA, "violations": [{"quotaId": "GenerateRequestsPerMinutePerProject"}]}
PER_DAY = {"@type": QUOTA, "violations": [{"quotaId": "GenerateRequestsPerDayPerProject-FreeTier"}]}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
TOO_LONG = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."


def status(code: int, name: str, message: str = "no", *details: Any) -> dict[str, Any]:
    error = {"code": code, "message": message, "status": name}
    return {"error": {**error, "details": list(details)} if details else error}


@pytest.mark.parametrize(
    ("code", "body", "kind", "word", "retryable"),
    [
        (400, status(400, "INVALID_ARGUMENT"), ModelInvalidRequestError, "INVALID_ARGUMENT", False),
        (400, status(400, "INVALID_ARGUMENT", "no", BAD_KEY), ModelAuthenticationError,
         "API_KEY_INVALID", False),
        (400, status(400, "INVALID_ARGUMENT", TOO_LONG), ContextOverflowError, "INVALID_ARGUMENT",
         False),
        (401, status(401, "UNAUTHENTICATED"), ModelAuthenticationError, "UNAUTHENTICATED", False),
        (403, status(403, "PERMISSION_DENIED"), ModelPermissionDeniedError, "PERMISSION_DENIED",
         False),
        (404, status(404, "NOT_FOUND"), ModelNotFoundError, "NOT_FOUND", False),
        (429, status(429, "RESOURCE_EXHAUSTED", "your plan and billing details", PER_MINUTE, RETRY),
         ModelRateLimitError, "RESOURCE_EXHAUSTED", True),
        (429, status(429, "RESOURCE_EXHAUSTED", "your plan and billing details", PER_DAY, RETRY),
         ModelRateLimitError, "RESOURCE_EXHAUSTED", False),
        (500, status(500, "INTERNAL"), ModelAPIError, "INTERNAL", True),
        (503, [status(503, "UNAVAILABLE")], ModelAPIError, "UNAVAILABLE", True),
        (504, status(504, "DEADLINE_EXCEEDED"), ModelAPIError, "DEADLINE_EXCEEDED", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["invoke", "astream"])
def test_each_status_is_its_error(
    code: int, body: Any, kind: type[ModelError], word: str, retryable: bool, way: str
) -> None:
    with google((code, body, {})) as server:
        model = ChatGoogleGenerativeAI(
            model="gemini-2.5-flash", api_key="none-needed", base_url=server.url, max_retries=0
        )

        async def stream() -> None:
            async for _ in model.astream("hi"):
                pass

        with pytest.raises(kind) as caught:
            model.invoke("hi") if way == "invoke" else asyncio.run(stream())
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.is_retryable) == (code, word, retryable)
    if code == 429:
        assert error.retry_after == 34.5


def test_the_header_goes_before_the_delay_in_the_body() -> None:
    body = status(429, "RESOURCE_EXHAUSTED", "no", RETRY)
    assert response_error(429, body, {"retry-after": "2"}, None).retry_after == 2


@pytest.mark.parametrize("body", [None, "no", [], {}, {"error": "x"}, {"error": {"details": [1]}}])
def test_a_body_of_any_form_is_an_error_of_ours(body: Any) -> None:
    assert isinstance(response_error(500, body, {}, None), ModelAPIError)


def test_errors_of_google_auth_are_ours() -> None:
    from google.auth import exceptions

    auth: Any = exceptions
    assert isinstance(auth_error(auth.DefaultCredentialsError("x"), "h"), MissingCredentialError)
    assert isinstance(auth_error(auth.RefreshError("x"), "h"), ModelAuthenticationError)
    assert isinstance(auth_error(auth.TransportError("x"), "h"), ModelConnectionError)
    other = ValueError("x")
    assert auth_error(other, "h") is other


def test_a_key_that_a_server_repeats_is_not_in_the_error() -> None:
    body = status(400, "INVALID_ARGUMENT", "bad key super-secret-key!")
    with google((400, body, {})) as server:
        model = ChatGoogleGenerativeAI(
            model="m", api_key="super-secret-key", base_url=server.url, max_retries=0
        )
        with pytest.raises(ModelInvalidRequestError) as caught:
            model.invoke("hi")
    assert "super-secret-key" not in str(caught.value)
