"""Google's errors (google.rpc.Status) as headrace's.

Source: https://cloud.google.com/apis/design/errors and
https://ai.google.dev/gemini-api/docs/troubleshooting (read 2026-11)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from headrace.chat_models.wire import excerpt
from headrace.errors import (
    HeadraceError,
    MissingCredentialError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelRateLimitError,
)
from headrace.transport import cause, error_in, status_error

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s$")
# Reasons of a 400 or 403 that mean the key itself.
_KEYS = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED"})


def answer_error(body: Any, request_id: str | None) -> ModelError:
    """The error that an answer of status 200 holds, in a stream or in place of an answer."""
    error = error_in(_plain(body), request_id=request_id)
    if error is None:
        text = excerpt(repr(body))
        return ModelAPIError(f"the answer broke off with {text!r}", status=200)
    return _told(error, body)


def response_error(
    status: int, body: Any, headers: Mapping[str, str], request_id: str | None
) -> ModelError:
    """The error of a response that was refused."""
    error = status_error(status, _plain(body), headers, request_id=request_id)
    if status in (400, 403) and (reason := _reason(body)) in _KEYS:
        error = ModelAuthenticationError(
            str(error), status=status, code=reason, request_id=request_id
        )
    return _told(error, body)


def auth_error(exc: Exception, host: str) -> Exception:
    """The error of ours for one of google-auth; any other as it is."""
    kind = type(exc)
    if kind.__module__.partition(".")[0] != "google" or "auth" not in kind.__module__:
        return exc
    if isinstance(exc, HeadraceError):
        return exc
    told = cause(exc)
    if kind.__name__ == "DefaultCredentialsError":
        return MissingCredentialError(
            f"no Google Cloud credentials ({told}); run `gcloud auth application-default login`, "
            "set GOOGLE_APPLICATION_CREDENTIALS, or pass `credentials` or `api_key`"
        )
    if kind.__name__ == "TransportError":
        return ModelConnectionError(f"no access token for `{host}`: {told}")
    return ModelAuthenticationError(f"no access token for `{host}`: {told}")


def _plain(body: Any) -> Any:
    """The body with the status's name as the error's code, as callers know it."""
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, Mapping) and isinstance(error.get("status"), str):
        code = error.get("code")
        # Without a number the name alone says what kind of error it is.
        known = {"status": code} if code.__class__ is int else {}
        return {"error": {**error, "code": error["status"], **known, "type": error["status"]}}
    return body


def _told(error: ModelError, body: Any) -> ModelError:
    """What the details of the status add: when to come back, and whether that helps."""
    for detail in _details(body):
        match detail:
            case {"retryDelay": str(delay)} if found := _SECONDS.match(delay):
                if error.retry_after is None:
                    error.retry_after = float(found[1])
    if isinstance(error, ModelRateLimitError):
        # The message of every 429 speaks of billing; the name of the quota tells a day's from
        # a minute's.
        error.is_retryable = not any("PerDay" in name for name in _quotas(body))
    return error


def _details(body: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    error = body.get("error") if isinstance(body, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    if isinstance(details, list):
        yield from (detail for detail in details if isinstance(detail, Mapping))


def _quotas(body: Any) -> Iterator[str]:
    for detail in _details(body):
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else ():
            if isinstance(violation, Mapping):
                yield str(violation.get("quotaId") or "")


def _reason(body: Any) -> str | None:
    reasons = (detail.get("reason") for detail in _details(body))
    return next((reason for reason in reasons if isinstance(reason, str)), None)
