"""Opens the official SDK's raw response: its keys, headers, proxies and errors, our bytes.

The only module that imports the SDK, and only at the first request.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import ModelAuthenticationError
from headrace.transport import (
    Door,
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
from headrace_openai.place import NO_KEY

# What the SDK reads from the environment for OpenAI and must not tell another vendor.
_OPENAI_HEADERS = ("OpenAI-Organization", "OpenAI-Project")
_KEYLESS = (
    "no key was sent to `{}`: none was given, and keys of the environment stay with their "
    "providers; pass `api_key`, or say whose the host is by `dialect` or a credential"
)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one client.

    `api_key`: a str, or a function that gives one for each request, sync or async. `own`: the
    service is OpenAI itself. `http_client` and `http_async_client`: the caller's own, used as
    they are and never closed here. `api_version`: a dated one of Azure's; `base_url` is then the
    resource's endpoint, and `is_token` says that the key is a token of Entra ID.
    """

    base_url: str
    api_key: Any = field(repr=False)
    own: bool = False
    organization: str | None = None
    project: str | None = None
    proxy: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = ()
    http_client: Any = None
    http_async_client: Any = None
    api_version: str | None = None
    is_token: bool = False


class SDKDoor(Door):
    """A request through the OpenAI SDK; a codec for one of its paths is added below it."""

    path: str  # as the SDK spells it

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
        return post(client, self.path, body, limits)

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        import openai

        error = sdk_error(exc, openai, self.host, begun=begun)
        if isinstance(error, ModelAuthenticationError) and self.client_settings.api_key == NO_KEY:
            error.args = (f"{error} ({_KEYLESS.format(self.host)})",)
        return error


class SDKExchange(SDKDoor, Exchange):
    """A request of a chat model through the OpenAI SDK."""


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import openai  # noqa: F401 - only to have it loaded

    ssl_context()


def make_sync(settings: ClientSettings) -> SDKClient:
    """A client for sync calls, from many threads."""
    import openai

    key = settings.api_key
    if callable(key):
        key = checked_key(key)
    lent = settings.http_client
    http = lent or openai.DefaultHttpx2Client(verify=ssl_context(), proxy=settings.proxy)
    make = openai.AzureOpenAI if settings.api_version else openai.OpenAI
    sdk = make(http_client=http, **_key(settings, key), **_common(settings))
    return SDKClient(sdk, lent=lent is not None)


def make_async(settings: ClientSettings) -> SDKClient:
    """A client for the running event loop."""
    import openai

    key = getattr(settings.api_key, "awaited", None) or settings.api_key
    if callable(key):
        key = awaitable_key(key)
    lent = settings.http_async_client
    http = lent or openai.DefaultAsyncHttpx2Client(verify=ssl_context(), proxy=settings.proxy)
    make = openai.AsyncAzureOpenAI if settings.api_version else openai.AsyncOpenAI
    sdk = make(http_client=http, **_key(settings, key), **_common(settings))
    return SDKClient(sdk, lent=lent is not None)


def _key(settings: ClientSettings, key: Any) -> dict[str, Any]:
    """The key, as the SDK takes it; its client for dated versions tells tokens from keys."""
    if not (settings.api_version and settings.is_token):
        return {"api_key": key}
    return {"azure_ad_token_provider" if callable(key) else "azure_ad_token": key}


def _common(settings: ClientSettings) -> dict[str, Any]:
    from openai import Omit

    headers: dict[str, Any] = dict(settings.headers)
    if not settings.own:
        own = {"organization": settings.organization, "project": settings.project}
        given = {name.lower() for name in headers}
        given |= {f"openai-{name}" for name, value in own.items() if value}
        for name in (*_OPENAI_HEADERS, *environment_headers("OPENAI_CUSTOM_HEADERS")):
            if name.lower() not in given:
                headers[name] = Omit()
    where: dict[str, Any] = {"base_url": settings.base_url}
    if settings.api_version:
        where = {"azure_endpoint": settings.base_url, "api_version": settings.api_version}
    return {
        **where,
        "organization": settings.organization,
        "project": settings.project,
        "default_headers": headers or None,
        "default_query": dict(settings.query) or None,
        "max_retries": 0,
    }
