"""Errors of Bedrock as headrace's, by their names; whole answers and inside streams. Pure.

Source: the service model of botocore 1.44, and https://docs.aws.amazon.com/bedrock/latest/
APIReference/CommonErrors.html (read 2026-11)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headrace.errors import ContextOverflowError, ModelError
from headrace.transport import status_error

# An error's name -> the HTTP status whose meaning it has, where its own says something else.
_MEANING: Mapping[str, int] = {
    "ThrottlingException": 429,
    "ServiceQuotaExceededException": 429,
    "ModelNotReadyException": 503,
    "ModelErrorException": 502,
    "ModelStreamErrorException": 502,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
    "ModelTimeoutException": 408,
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    # Who asks is not known, which AWS says with 403 or 400.
    "ExpiredTokenException": 401,
    "ExpiredToken": 401,
    "IncompleteSignature": 401,
    "InvalidClientTokenId": 401,
    "InvalidSignatureException": 401,
    "MissingAuthenticationToken": 401,
    "MissingAuthenticationTokenException": 401,
    "NotAuthorized": 401,
    "RequestExpired": 401,
    "SignatureDoesNotMatch": 401,
    "UnrecognizedClientException": 401,
}
_OVERFLOW = re.compile(
    r"input tokens? exceed|exceeds? (?:the )?maximum (?:length|number of input tokens)"
    r"|maximum (?:number of )?(?:input )?tokens|expected maxlength", re.IGNORECASE,
)  # fmt: skip
_NO_MODEL = re.compile(r"model identifier is invalid|model .*(?:not found|doesn't exist)", re.I)
_PROFILE = re.compile(r"on-demand throughput isn.t supported", re.IGNORECASE)
_ADVICE = "name an inference profile, such as `us.` or `global.` before the model's id"


def failure(
    status: int,
    code: str | None,
    message: str,
    headers: Mapping[str, str] | None = None,
    *,
    request_id: str | None = None,
) -> ModelError:
    """The error for a refusal of the service; `code` is its name of the error."""
    code = None if code is None or code.isdecimal() else code[:1].upper() + code[1:]
    meaning = _MEANING.get(code or "", status)
    if meaning == 400 and _NO_MODEL.search(message):
        meaning = 404
    if meaning == 400 and _PROFILE.search(message):
        message = f"{message} ({_ADVICE})"
    body = {"message": message, "code": code}
    error = status_error(meaning, body, headers or {}, request_id=request_id)
    if meaning == 400 and _OVERFLOW.search(message):
        error = ContextOverflowError(str(error), code=code, request_id=request_id)
    error.status = status
    return error


def stream_failure(kind: str, event: Any, *, request_id: str | None = None) -> ModelError:
    """The error that a stream holds; its `status` is the 200 of the exchange."""
    said = event if isinstance(event, dict) else {"message": repr(event)}
    parts = dict.fromkeys(str(said[key]) for key in ("message", "originalMessage") if said.get(key))
    told = ": ".join(parts) or f"the stream broke off with `{kind}`"
    return failure(200, kind, told, request_id=request_id)
