"""Opens the SDK's HTTP client: its hooks and headers, our bytes.

The SDK's `InferenceClient.chat_completion` drops what its types do not know, removes nulls from
inside schemas, and keeps the headers of a response, with the id of the request, to itself. So
requests are sent below it: through a client with the SDK's hooks (offline mode, trace ids) or
the one that `set_client_factory` gives, with the headers that the SDK builds. A test holds these
doors against the installed version.
The only module that imports the SDK, and only at the first request.
Source: `utils/_http.py` and `inference/_client.py` of huggingface_hub 2.4 (read 2026-11)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from headrace.errors import ModelAPIError, ModelConnectionError, ModelError
from headrace.transport import Limits, LowerDoor, RawRequest, SDKClient, ssl_context

MODELS = "/models"
_FAILED_DEPENDENCY = 424  # text-generation-inference: the model failed, the request did not


class HubDoor(LowerDoor):
    """A request through the SDK's HTTP client."""

    path = "/chat/completions"

    def make_client(self, is_async: bool) -> SDKClient:
        settings = self.client_settings
        lent = settings.lent(is_async)
        http = lent or _chosen(is_async) or _own(settings.proxy, is_async)
        return SDKClient(http, lent=lent is not None)

    def request(self, client: SDKClient, asked: RawRequest, limits: Limits, key: Any) -> Any:
        """A request with the SDK's headers, under those of the caller's."""
        from huggingface_hub.utils._headers import build_hf_headers

        # `False`: the SDK would else send the token that it finds on the machine, anywhere.
        headers = build_hf_headers(token=key or False, library_name="headrace")
        headers.update(self.client_settings.headers)
        url = self.client_settings.base_url + asked.path
        return client.http.build_request(
            asked.method, url, json=asked.body, headers=headers, timeout=limits.timeout
        )

    def refused(self, status: int, body: Any, headers: Mapping[str, str]) -> ModelError:
        """The error that a status means.

        Servers of Hugging Face's say {"error": text, "error_type": word}; one that loads a model
        answers 503 with the `estimated_time` in seconds; the Hub says it in headers.
        Source: `InferError` of text-generation-inference's router (read 2026-11)
        """
        headers = dict(headers)
        if body == "":
            body = headers.get("x-error-message", "")
        if isinstance(body, dict):
            wait = body.get("estimated_time")
            if isinstance(wait, int | float) and math.isfinite(wait):
                headers.setdefault("retry-after", str(wait))
            if isinstance(body.get("error"), str):
                code = body.get("error_type") or headers.get("x-error-code")
                body = {"error": {"message": body["error"], "code": code}}
        found = super().refused(status, body, headers)
        if status == _FAILED_DEPENDENCY:
            return ModelAPIError(
                str(found), status=status, code=found.code, request_id=found.request_id,
                retry_after=found.retry_after,
            )  # fmt: skip
        return found

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        if type(exc).__name__ == "OfflineModeIsEnabled":
            return ModelConnectionError(
                f"no request to `{self.host}`: HF_HUB_OFFLINE is set; unset it",
                is_retryable=False,
            )
        return super().error(exc, begun=begun)


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import huggingface_hub.utils  # noqa: F401 - only to have it loaded

    ssl_context()


def _chosen(is_async: bool) -> Any:
    """A client of the factory that the program gave the SDK, if it did."""
    from huggingface_hub.utils import _http

    usual = _http.default_async_client_factory if is_async else _http.default_client_factory
    found = _http._GLOBAL_ASYNC_CLIENT_FACTORY if is_async else _http._GLOBAL_CLIENT_FACTORY
    return None if found is usual else found()


def _own(proxy: str | None, is_async: bool) -> Any:
    """A client as the SDK makes one, on the SSL context of the process."""
    import httpx2
    from huggingface_hub.utils import _http

    make: Any = httpx2.AsyncClient if is_async else httpx2.Client
    hook = _http.async_hf_request_event_hook if is_async else _http.hf_request_event_hook
    return make(
        verify=ssl_context(), proxy=proxy, follow_redirects=True, event_hooks={"request": [hook]}
    )
