"""Opens the SDK's raw response: its security, hooks and headers, our bytes.

The SDK's `chat.complete` builds typed objects both ways; below it stand `_build_request`, which
takes a serialised body, and `do_request`, which gives an unread response. A test holds them
against the installed version.
The only module that imports the SDK, and only at the first request.
Source: `basesdk.py` of mistralai 3.7 (read 2026-11)
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.chat_models.wire import parse
from headrace.errors import HeadraceError, WireError
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

CHAT = "/v1/chat/completions"
MODELS = "/v1/models"


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
    """The SDK over one HTTP client, for one of the two worlds."""

    def __init__(self, sdk: Any, http: Any, settings: ClientSettings, is_async: bool) -> None:
        self.chat, self.http, self.is_async = sdk.chat, http, is_async
        self.base_url, self.headers = settings.base_url, dict(settings.headers)
        self.key = settings.api_key
        if is_async:
            self.aclose = http.aclose

    def close(self) -> None:
        self.http.close()


class SDKExchange(Exchange):
    """An exchange through the SDK; a codec is added below it."""

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
            return _refused(exc.response)
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
    key = checked_key(own.key)() if callable(own.key) else own.key
    request = _request(own, method, path, limits, body, key)
    response = own.chat.do_request(_context(own), request, _never, stream=True)
    if response.is_error:
        response.read()
        response.close()
        raise RefusedError(response)
    return response


async def _sent_async(
    own: _Client, method: str, path: str, limits: Limits, body: Mapping[str, Any] | None
) -> Any:
    key = await awaitable_key(own.key)() if callable(own.key) else own.key
    request = _request(own, method, path, limits, body, key)
    response = await own.chat.do_request_async(_context(own), request, _never, stream=True)
    if response.is_error:
        await response.aread()
        await response.aclose()
        raise RefusedError(response)
    return response


def _request(
    own: _Client,
    method: str,
    path: str,
    limits: Limits,
    body: Mapping[str, Any] | None,
    key: str,
) -> Any:
    from mistralai.client import models
    from mistralai.client.utils import SerializedRequestBody

    content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    build = own.chat._build_request_async if own.is_async else own.chat._build_request
    request = build(
        method=method, path=path, base_url=own.base_url, url_variables=None, request=None,
        request_body_required=False, request_has_path_params=False,
        request_has_query_params=False, user_agent_header="user-agent",
        accept_header_value="application/json, text/event-stream", http_headers=own.headers,
        security=models.Security(api_key=key), timeout_ms=None, allow_empty_value=None,
        get_serialized_body=lambda: SerializedRequestBody("application/json", content=content),
    )  # fmt: skip
    request.extensions["timeout"] = limits.timeout.as_dict()
    return request


def _context(own: _Client) -> Any:
    from mistralai.client._hooks import HookContext

    return HookContext(
        config=own.chat.sdk_configuration, base_url=own.base_url,
        operation_id="chat_completion_v1_chat_completions_post", oauth2_scopes=None,
        security_source=None, tags=["chat"], extensions=None,
    )  # fmt: skip


def _never(status: int) -> bool:
    return False  # what a status means is decided here, not by the SDK


def _refused(response: Any) -> Exception:
    try:
        body = parse(response.content)
    except WireError:
        body = response.text
    id = request_id_of(response.headers)
    return status_error(response.status_code, body, response.headers, request_id=id)


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    from mistralai.client import Mistral  # noqa: F401 - only to have it loaded

    ssl_context()


def _make(settings: ClientSettings, is_async: bool) -> SDKClient:
    import httpx2
    from mistralai.client import Mistral

    lent = settings.http_async_client if is_async else settings.http_client
    make: Any = httpx2.AsyncClient if is_async else httpx2.Client
    given = {"verify": ssl_context(), "proxy": settings.proxy, "follow_redirects": True}
    http = lent or make(**given)
    # Both are given: one left out would be made by the SDK, with an SSL context of its own.
    unused: Any = httpx2.Client if is_async else httpx2.AsyncClient
    other = unused(verify=ssl_context())
    sdk = Mistral(
        server_url=settings.base_url,
        client=other if is_async else http,
        async_client=http if is_async else other,
        retry_config=None,
    )
    return SDKClient(_Client(sdk, http, settings, is_async), lent=lent is not None)
