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
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.chat_models.wire import parse
from headrace.errors import HeadraceError, ModelAPIError, ModelConnectionError, WireError
from headrace.transport import (
    Exchange,
    Limits,
    SDKClient,
    awaitable_key,
    checked_key,
    host_of,
    http_error,
    request_id_of,
    ssl_context,
    status_error,
)

CHAT = "/chat/completions"
MODELS = "/models"
_FAILED_DEPENDENCY = 424  # text-generation-inference: the model failed, the request did not


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one client.

    `http_client` and `http_async_client`: the caller's own, used as they are, never closed here.
    """

    base_url: str
    api_key: Any = field(repr=False)
    proxy: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    http_client: Any = None
    http_async_client: Any = None


class RefusedError(Exception):
    """An answer with an error status, read; it becomes the tree's error at the gate."""

    def __init__(self, response: Any) -> None:
        super().__init__(response.status_code)
        self.response = response


class _Client:
    """One HTTP client, and what each request through it bears."""

    def __init__(self, http: Any, settings: ClientSettings, is_async: bool) -> None:
        self._client, self.settings, self.is_async = http, settings, is_async
        if is_async:
            self.aclose = http.aclose

    def close(self) -> None:
        self._client.close()

    def request(
        self, method: str, path: str, limits: Limits, body: Mapping[str, Any] | None, key: Any
    ) -> Any:
        """A request with the SDK's headers, under those of the caller's."""
        from huggingface_hub.utils._headers import build_hf_headers

        # `False`: the SDK would else send the token that it finds on the machine, anywhere.
        headers = build_hf_headers(token=key or False, library_name="headrace")
        headers.update(self.settings.headers)
        return self._client.build_request(
            method, self.settings.base_url + path, json=body, headers=headers,
            timeout=limits.timeout,
        )  # fmt: skip


class SDKExchange(Exchange):
    """An exchange through the SDK's HTTP client; a codec is added below it."""

    client_settings: ClientSettings

    @property
    def host(self) -> str:
        return host_of(self.client_settings.base_url)

    @property
    def client_key(self) -> Hashable:
        return self.client_settings

    @property
    def secrets(self) -> tuple[str, ...]:
        key = self.client_settings.api_key
        return (key,) if isinstance(key, str) else ()

    def make_client(self, is_async: bool) -> SDKClient:
        return _make(self.client_settings, is_async)

    def send(self, client: SDKClient, body: Mapping[str, Any], limits: Limits) -> Any:
        return ask(client, "POST", CHAT, limits, body)

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        if isinstance(exc, HeadraceError):
            return exc
        if isinstance(exc, RefusedError):
            return refused(exc.response)
        if type(exc).__name__ == "OfflineModeIsEnabled":
            return ModelConnectionError(
                f"no request to `{self.host}`: HF_HUB_OFFLINE is set; unset it",
                is_retryable=False,
            )
        return http_error(exc, self.host, begun=begun)


def ask(
    client: SDKClient,
    method: str,
    path: str,
    limits: Limits,
    body: Mapping[str, Any] | None = None,
) -> Any:
    """The unread response to a request; an awaitable of it from an async client."""
    own: _Client = client.sdk
    if own.is_async:
        return _sent_async(own, method, path, limits, body)
    key = own.settings.api_key
    key = checked_key(key)() if callable(key) else key
    response = own._client.send(own.request(method, path, limits, body, key), stream=True)
    if response.is_error:
        response.read()
        response.close()
        raise RefusedError(response)
    return response


async def _sent_async(
    own: _Client, method: str, path: str, limits: Limits, body: Mapping[str, Any] | None
) -> Any:
    key = own.settings.api_key
    key = await awaitable_key(key)() if callable(key) else key
    response = await own._client.send(own.request(method, path, limits, body, key), stream=True)
    if response.is_error:
        await response.aread()
        await response.aclose()
        raise RefusedError(response)
    return response


def refused(response: Any) -> Exception:
    """The error that a status means.

    Servers of Hugging Face's say {"error": text, "error_type": word}; one that loads a model
    answers 503 with the `estimated_time` in seconds; the Hub says it in headers.
    Source: `InferError` of text-generation-inference's router (read 2026-11)
    """
    headers = dict(response.headers)
    try:
        body = parse(response.content)
    except WireError:
        body = response.text or headers.get("x-error-message") or ""
    if isinstance(body, dict):
        wait = body.get("estimated_time")
        if isinstance(wait, int | float) and math.isfinite(wait):
            headers.setdefault("retry-after", str(wait))
        if isinstance(body.get("error"), str):
            code = body.get("error_type") or headers.get("x-error-code")
            body = {"error": {"message": body["error"], "code": code}}
    id = request_id_of(headers)
    found = status_error(response.status_code, body, headers, request_id=id)
    if response.status_code == _FAILED_DEPENDENCY:
        return ModelAPIError(
            str(found), status=found.status, code=found.code, request_id=id,
            retry_after=found.retry_after,
        )  # fmt: skip
    return found


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import huggingface_hub.utils  # noqa: F401 - only to have it loaded

    ssl_context()


def _make(settings: ClientSettings, is_async: bool) -> SDKClient:
    lent = settings.http_async_client if is_async else settings.http_client
    http = lent or _chosen(is_async) or _own(settings.proxy, is_async)
    return SDKClient(_Client(http, settings, is_async), lent=lent is not None)


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
