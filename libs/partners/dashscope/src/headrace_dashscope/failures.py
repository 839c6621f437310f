"""DashScope's errors as headrace's: by status, and by the code in the body.

Source: https://www.alibabacloud.com/help/en/model-studio/error-code (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.errors import ModelError
from headrace.transport import error_in, status_error

# The beginning of a code -> the status that it means, where the response's own does not tell:
# errors in a stream come after a 200, and unpaid bills as a 400.
_MEANT = (
    ("Arrearage", 402),
    ("AccessDenied", 403),
    ("InvalidApiKey", 401),
    ("Model.NotExist", 404),
    ("ModelNotFound", 404),
    ("Throttling", 429),
    ("RequestTimeOut", 408),
    ("InternalError", 500),
    ("SystemError", 500),
    ("ModelServingError", 503),
    ("ServiceUnavailable", 503),
    ("DataInspectionFailed", 400),
    ("data_inspection_failed", 400),
    ("InvalidParameter", 400),
    ("BadRequest", 400),
)


def failure(
    status: int, body: Any, headers: Mapping[str, str], *, request_id: str | None = None
) -> ModelError:
    """The error for a response of status 400 or more."""
    if status < 400:
        found = error_event(body)
        if found is not None:
            return found
    error = status_error(status, body, headers, request_id=request_id)
    if _meant(body) == 402:  # sent as a 400
        return type(status_error(402, body, headers))(
            str(error), status=status, code=error.code, request_id=request_id
        )
    return error


def error_event(event: Any) -> ModelError | None:
    """The error that an event, or a body of status 200, is in place of an answer."""
    if not isinstance(event, dict) or not event.get("code") or event.get("output"):
        return None
    id = event.get("request_id")
    told = {"message": event.get("message") or "", "code": event["code"]}
    meant = _meant(event)
    error = {**told, "status_code": meant} if meant else told
    return error_in({"error": error}, request_id=id if isinstance(id, str) else None)


def _meant(body: Any) -> int | None:
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str):
        return None
    return next((status for head, status in _MEANT if code.startswith(head)), None)
