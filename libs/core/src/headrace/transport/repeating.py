"""Requests made after one that the SDK made: its address and headers, with another body.

An SDK spends more on building a request (options, URL, headers) than its HTTP client on sending
it, and all but the body is the same each time. So the first request of a kind is the SDK's, and
those after it are copies, sent by the SDK's own HTTP client. Not where anything else may differ
by request: keys that are asked for, signatures, an HTTP client of the caller's; nor while
somebody watches the SDK, by its debug log or its spans.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

KINDS_KEPT = 16  # of one client; a kind is a path with the headers of its own
_READ = "x-stainless-read-timeout"
# As the SDKs write bodies; what it cannot write, their own encoders may.
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class _Model:
    """A request that was answered, to be repeated."""

    url: Any
    headers: Any
    read: str | None


class Repeats:
    """The kinds of requests that a client has sent."""

    __slots__ = ("_log", "_models")

    def __init__(self, sdk: str) -> None:
        self._log, self._models = logging.getLogger(sdk), dict[Hashable, _Model]()

    def learn(self, kind: Hashable, response: Any) -> None:
        """Keeps the request of a response for others of its kind."""
        known = self._models
        if len(known) >= KINDS_KEPT or not response.is_success or response.history:
            return
        sent = response.request
        headers = sent.headers.copy()
        headers.pop("cookie", None)  # those that the client has by then
        if "traceparent" not in headers:
            known[kind] = _Model(sent.url, headers, headers.get(_READ))

    def request(self, kind: Hashable, body: Any, timeout: Any, http: Any) -> Any:
        """A request of a known kind for the HTTP client `http`; None: let the SDK make it."""
        model = self._models.get(kind)
        if model is None or self._log.isEnabledFor(logging.DEBUG) or _is_traced():
            return None
        import httpx2

        try:
            content = _written(body).encode()
        except (TypeError, ValueError):
            return None
        request = httpx2.Request(
            "POST",
            model.url,
            headers=model.headers,
            stream=httpx2.ByteStream(content),
            extensions={"timeout": timeout.as_dict()},
        )
        request.headers["Content-Length"] = str(len(content))
        if model.read is not None and (read := str(timeout.read)) != model.read:
            request.headers[_READ] = read
        if http.cookies.jar:
            http.cookies.set_cookie_header(request)
        return request


def _is_traced() -> bool:
    """Whether an SDK may be writing spans of its own."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    return trace is not None and not isinstance(
        trace.get_tracer_provider(), trace.ProxyTracerProvider
    )
