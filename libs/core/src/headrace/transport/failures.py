"""Errors of the services as headrace's: by HTTP status, or by the error object in an answer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from headrace.chat_models.wire import excerpt
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

_BY_STATUS: dict[int, type[ModelError]] = {
    401: ModelAuthenticationError,
    402: ModelPermissionDeniedError,  # DeepSeek, OpenRouter: no balance left
    403: ModelPermissionDeniedError,
    404: ModelNotFoundError,
    405: ModelNotFoundError,  # a path that is not the API's
    408: ModelTimeoutError,
    409: ModelAPIError,
    429: ModelRateLimitError,
    498: ModelRateLimitError,  # Groq: the flex tier is full
}
# Words of `type` and `code` in an error object that comes without a status of its own.
_BY_WORD = (
    (("rate_limit", "quota", "too_many_requests", "throttl"), 429),
    (("authentication", "invalid_api_key", "unauthorized"), 401),
    (("permission", "forbidden"), 403),
    (("not_found", "notfound"), 404),
    (("timeout",), 408),
    (("server_error", "overloaded", "unavailable", "internal", "upstream"), 500),
    (("invalid_request", "badrequest", "bad_request", "validation", "content_filter"), 400),
)
_OVERFLOW = re.compile(
    r"context[ _]length|context[ _]window|maximum context|prompt is too long|input is too long"
    r"|too many (?:input )?tokens|exceeds? the (?:model'?s )?(?:maximum|max|available) (?:context|"
    r"input|number of)|range of input length|reduce the length of the (?:messages|prompt)",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"insufficient[_ ](?:quota|balance|credit)|billing", re.IGNORECASE)


def error_in(body: Any, *, request_id: str | None = None) -> ModelError | None:
    """The error that an answer of status 200 holds in place of a completion, if it does.

    Its `status` is the 200 of the exchange, its kind follows from what the object says.
    """
    if isinstance(body, list) and len(body) == 1:
        body = body[0]  # Gemini wraps its error in a list
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if not error:
        if "choices" in body or not _is_bare_error(body):
            return None
        error = body
    return _build(error, 200, _inner_status(error), request_id=request_id)


def status_error(
    status: int, body: Any, headers: Mapping[str, str], *, request_id: str | None = None
) -> ModelError:
    """The error for an HTTP status of 400 or more; `body` is parsed JSON or text."""
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    error = body.get("error", body) if isinstance(body, dict) else body
    return _build(error, status, status, headers=headers, request_id=request_id)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    try:
        return max(parsedate_to_datetime(headers["retry-after"]).timestamp() - time(), 0.0)
    except (KeyError, ValueError, OverflowError):
        return None


def _build(
    error: Any,
    status: int,
    meaning: int,
    *,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> ModelError:
    headers = headers or {}
    message, code, words = _said(error)
    kind = _BY_STATUS.get(meaning)
    if kind is None:
        kind = ModelAPIError if meaning >= 500 or meaning < 400 else ModelInvalidRequestError
    if meaning in (400, 413, 422) and (
        "context_length_exceeded" in words or _OVERFLOW.search(message)
    ):
        kind = ContextOverflowError
    retryable = None
    if kind is ModelRateLimitError and _QUOTA.search(f"{words} {message}"):
        retryable = False  # waiting does not help
    if (advice := headers.get("x-should-retry")) in ("true", "false"):
        retryable = advice == "true"
    return kind(
        message or f"the service answered with status {status} and no message",
        status=status,
        code=code,
        request_id=request_id,
        retry_after=retry_after(headers),
        is_retryable=retryable,
    )


def _said(error: Any) -> tuple[str, str | None, str]:
    """Message, code, and all words of an error object, however the service spells it."""
    if not isinstance(error, dict):
        return excerpt(error if isinstance(error, str) else repr(error)), None, ""
    found = ""
    for name in ("message", "msg", "detail", "error_description", "title"):
        value = error.get(name)
        if value:
            found = value if isinstance(value, str) else excerpt(repr(value))
            break
    upstream = error.get("metadata")
    if isinstance(upstream, dict) and isinstance(upstream.get("raw"), str):
        found = f"{found}: {excerpt(upstream['raw'])}"  # OpenRouter: what its provider said
    code, kind = error.get("code"), error.get("type")
    word = code if code not in (None, "") else kind
    words = f"{code or ''} {kind or ''} {error.get('status') or ''}".lower()
    return found or excerpt(repr(error)), None if word in (None, "") else str(word), words


def _is_bare_error(body: Mapping[str, Any]) -> bool:
    """{"object": "error", "message": …} and the like, without `error` around it."""
    if body.get("object") == "error" or body.get("type") == "error":
        return True
    message = body.get("message") or body.get("detail")
    return bool(message) and bool(body.get("code") or isinstance(body.get("detail"), str))


def _inner_status(error: Any) -> int:
    """The HTTP status that an error object means; 500 if it does not say."""
    if not isinstance(error, dict):
        return 500
    for name in ("status_code", "status", "code", "http_code"):
        value = error.get(name)
        if isinstance(value, str) and value.isdecimal() and len(value) == 3:
            value = int(value)
        if value.__class__ is int and 400 <= value < 600:
            return value
    words = _said(error)[2]
    for hints, status in _BY_WORD:
        if any(hint in words for hint in hints):
            return status
    return 500
