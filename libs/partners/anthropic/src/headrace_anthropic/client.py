"""Opens the official SDK's raw response: its keys, headers, proxies and errors, our bytes.

The only module that imports the SDK, and only at the first request.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.transport import (
    Exchange,
    Limits,
    SDKClient,
    awaitable_key,
    checked_key,
    environment_headers,
    host_of,
    post,
    sdk_error,
    ssl_context,
)
from headrace_anthropic.headers import split_request

PATH = "/v1/messages"  # exactly the SDK's own: clients of clouds rewrite it
_ENVIRONMENT = "ANTHROPIC_CUSTOM_HEADERS"


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one client.

    `api_key`: a str, or a function that gives one for each request, sync or async. `own`: the
    service is Anthropic itself. `http_client` and `http_async_client`: the caller's own, used
    as they are and never closed here.
    """

    base_url: str
    api_key: Any = field(repr=False)
    own: bool = False
    proxy: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = ()
    http_client: Any = None
    http_async_client: Any = None


class SDKExchange(Exchange):
    """An exchange through the Anthropic SDK; the codec is added below it."""

    @property
    @abstractmethod
    def client_settings(self) -> ClientSettings:
        """What the client is made of, the key among it."""

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
        return (make_async if is_async else make_sync)(self.client_settings)

    def send(self, client: SDKClient, body: Mapping[str, Any], limits: Limits) -> Any:
        return self.post(client, PATH, body, limits)

    def post(self, client: SDKClient, path: str, body: Mapping[str, Any], limits: Limits) -> Any:
        """The unread response; an awaitable of it from an async client."""
        import anthropic

        wire, headers = split_request(body)
        key = self.client_settings.api_key
        if not callable(key):
            return post(client, path, wire, limits, headers)
        if isinstance(client.sdk, anthropic.AsyncAnthropic):
            return _post_with(key, client, path, wire, limits, headers)
        headers["Authorization"] = f"Bearer {checked_key(key)()}"
        return post(client, path, wire, limits, headers)

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        import anthropic

        return sdk_error(exc, anthropic, self.host, begun=begun)


async def _post_with(
    key: Any,
    client: SDKClient,
    path: str,
    wire: Mapping[str, Any],
    limits: Limits,
    headers: dict[str, str],
) -> Any:
    """As `post`, with the key that a function gives for this request."""
    bearer = f"Bearer {await awaitable_key(key)()}"
    return await post(client, path, wire, limits, {**headers, "Authorization": bearer})


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import anthropic  # noqa: F401 - only to have it loaded

    ssl_context()


def make_sync(settings: ClientSettings) -> SDKClient:
    """A client for sync calls, from many threads."""
    import anthropic

    lent = settings.http_client
    http = lent or anthropic.DefaultHttpxClient(verify=ssl_context(), proxy=settings.proxy)
    sdk = anthropic.Anthropic(http_client=http, **_common(settings))
    return SDKClient(sdk, lent=lent is not None)


def make_async(settings: ClientSettings) -> SDKClient:
    """A client for the running event loop."""
    import anthropic

    lent = settings.http_async_client
    http = lent or anthropic.DefaultAsyncHttpxClient(verify=ssl_context(), proxy=settings.proxy)
    sdk = anthropic.AsyncAnthropic(http_client=http, **_common(settings))
    return SDKClient(sdk, lent=lent is not None)


def _common(settings: ClientSettings) -> dict[str, Any]:
    from anthropic import Omit

    headers: dict[str, Any] = dict(settings.headers)
    if not settings.own:
        given = {name.lower() for name in headers}
        for name in environment_headers(_ENVIRONMENT):
            if name.lower() not in given:
                headers[name] = Omit()
    key = settings.api_key
    return {
        # A function is asked at each request, whose own header goes before the client's.
        "api_key": key if isinstance(key, str) else "asked-for-each-request",
        "base_url": settings.base_url,
        "default_headers": headers or None,
        "default_query": dict(settings.query) or None,
        "max_retries": 0,
    }
