"""Opens the SDK's raw responses: its identification and headers, our bytes.

`open_stream` of the SDK's transports sends a request once and gives the response unread; key
and workspace are of each call. Nothing is read from, or written to, the globals of the SDK. The
only module that imports the SDK, and only at the first request.
Source: `v2/transport/http.py` of dashscope 2.0.2 (read 2026-11); a test holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.chat_models.wire import excerpt
from headrace.errors import (
    ConfigurationError,
    HeadraceError,
    ModelConnectionError,
    ModelTimeoutError,
)
from headrace.transport import (
    Limits,
    SDKClient,
    awaitable_key,
    cause,
    checked_key,
    http_error,
    request_id_of,
    slow,
    ssl_context,
)
from headrace_dashscope.failures import failure

SSE = {"X-DashScope-SSE": "enable"}


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one client, whatever their keys."""

    url: str
    proxy: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Asker:
    """In whose name one request is sent, and with which headers more."""

    key: Any = field(repr=False)
    workspace: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def ask(
    client: SDKClient,
    method: str,
    path: str,
    asker: Asker,
    limits: Limits,
    body: Mapping[str, Any] | None = None,
    *,
    stream: bool = False,
) -> Any:
    """The unread response to a request; an awaitable of it from an async client."""
    import httpx

    given: dict[str, Any] = {
        "json": body,
        "headers": {**(SSE if stream else {}), **dict(asker.headers)},
        "timeout": httpx.Timeout(
            connect=limits.connect, read=limits.read, write=limits.read, pool=limits.connect
        ),
        "workspace": asker.workspace,
        "sdk_module": "aigc",
    }
    transport = client.sdk.transport
    if isinstance(client.sdk, _AsyncClient):
        return _sent_async(transport, method, path, asker.key, given)
    key = checked_key(asker.key)() if callable(asker.key) else asker.key
    return transport.open_stream(method, path, api_key=key, **given)


async def _sent_async(
    transport: Any, method: str, path: str, key: Any, given: Mapping[str, Any]
) -> Any:
    if callable(key):
        key = await awaitable_key(key)()
    return await transport.open_stream(method, path, api_key=key, **given)


def fetch(client: SDKClient, path: str, asker: Asker, limits: Limits) -> Any:
    """The read response to a GET; an awaitable of it from an async client."""
    response = ask(client, "GET", path, asker, limits)
    if isinstance(client.sdk, _AsyncClient):
        return _read_async(response)
    try:
        response.read()
    finally:
        response.close()
    return response


async def _read_async(sent: Any) -> Any:
    response = await sent
    try:
        await response.aread()
    finally:
        await response.aclose()
    return response


def sdk_error(exc: Exception, host: str, *, begun: bool) -> Exception:
    """The error of ours for one of the SDK or its HTTP client; any other as it is."""
    if isinstance(exc, HeadraceError):
        return exc
    import httpx
    from dashscope.v2 import errors as sdk

    match exc:
        case sdk.APITimeoutError():
            return ModelTimeoutError(slow(exc, host))
        case sdk.APIConnectionError():
            return ModelConnectionError(f"no connection to `{host}`: {cause(exc)}")
        case sdk.DashScopeError() if exc.status_code is not None:
            id = exc.request_id or request_id_of(exc.headers)
            body = exc.body if exc.body is not None else exc.message
            return failure(exc.status_code, body, exc.headers, request_id=id)
        case sdk.DashScopeError():
            return ConfigurationError(f"the SDK refused the request: {excerpt(str(exc))}")
    return http_error(exc, host, begun=begun, http=httpx)


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import dashscope.v2.transport  # noqa: F401 - only to have it loaded

    ssl_context()


def make_client(settings: ClientSettings, is_async: bool) -> SDKClient:
    """A new client, without retries of its own, whose closing is ours."""
    import httpx
    from dashscope.v2 import transport as sdk

    given: dict[str, Any] = {
        "base_url": settings.url,
        "verify": ssl_context(),
        "proxy": settings.proxy,
        "headers": {"User-Agent": sdk.default_user_agent()},
    }
    rest: dict[str, Any] = {"base_url": settings.url, "max_retries": 0}
    if is_async:
        http = httpx.AsyncClient(**given)
        return SDKClient(_AsyncClient(sdk.AsyncTransport(http_client=http, **rest), http))
    client = httpx.Client(**given)
    return SDKClient(_Client(sdk.SyncTransport(http_client=client, **rest), client))


class _Client:
    """The SDK's transport and the HTTP client that it was given, which it does not close."""

    def __init__(self, transport: Any, http: Any) -> None:
        self.transport, self._client = transport, http

    def close(self) -> None:
        self._client.close()


class _AsyncClient:
    def __init__(self, transport: Any, http: Any) -> None:
        self.transport, self._client = transport, http

    async def aclose(self) -> None:
        await self._client.aclose()
