"""Opens the official SDK's raw response: its keys, headers, proxies and errors, our bytes.

The only module that imports the SDK, and only at the first request.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from headrace.errors import MissingPackageError, ModelAuthenticationError
from headrace.transport import (
    ClientDoor,
    ClientSettings,
    Limits,
    RawRequest,
    Repeats,
    SDKClient,
    awaitable_key,
    checked_key,
    environment_headers,
    opened,
    sdk_error,
    ssl_context,
)
from headrace_openai.place import NO_KEY

if TYPE_CHECKING:
    from headrace.engine.worlds import World

# What the SDK reads from the environment for OpenAI and must not tell another vendor.
_OPENAI_HEADERS = ("OpenAI-Organization", "OpenAI-Project")
_KEYLESS = (
    "no key was sent to `{}`: none was given, and keys of the environment stay with their "
    "providers; pass `api_key`, or say whose the host is by `dialect` or a credential"
)


@dataclass(frozen=True, slots=True)
class OpenAISettings(ClientSettings):
    """What a client is made of; equal settings share one client.

    `own`: the service is OpenAI itself. `api_version`: a dated one of Azure's; `base_url` is then
    the resource's endpoint, and `is_token` says that the key is a token of Entra ID.
    `async_transport`: `aiohttp`, or the SDK's usual one.
    """

    own: bool = False
    organization: str | None = None
    project: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    api_version: str | None = None
    is_token: bool = False
    async_transport: str | None = None


class OpenAIDoor(ClientDoor):
    """A request through the OpenAI SDK; a codec for one of its paths is added below it."""

    @property
    @abstractmethod
    def client_settings(self) -> OpenAISettings: ...

    def make_client(self, is_async: bool) -> SDKClient:
        return make_client(self.client_settings, is_async)

    async def open(self, client: SDKClient, asked: RawRequest, limits: Limits, io: World) -> Any:
        return await opened(client, asked, limits, io)

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        import openai

        error = sdk_error(exc, openai, self.host, begun=begun)
        if isinstance(error, ModelAuthenticationError) and self.client_settings.api_key == NO_KEY:
            error.args = (f"{error} ({_KEYLESS.format(self.host)})",)
        return error


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import openai  # noqa: F401 - only to have it loaded

    ssl_context()


def make_client(settings: OpenAISettings, is_async: bool) -> SDKClient:
    """A client for sync calls, from many threads, or for the running event loop."""
    import openai

    lent, key = settings.lent(is_async), settings.api_key
    if is_async:
        key = getattr(key, "awaited", None) or key
        key = awaitable_key(key) if callable(key) else key
        transport = _async_transport(settings)
        make: Any = openai.AsyncAzureOpenAI if settings.api_version else openai.AsyncOpenAI
    else:
        key = checked_key(key) if callable(key) else key
        transport = openai.DefaultHttpx2Client
        make = openai.AzureOpenAI if settings.api_version else openai.OpenAI
    http = lent or transport(verify=ssl_context(), proxy=settings.proxy)
    sdk = make(http_client=http, **_key(settings, key), **_common(settings))
    # Dated versions rewrite the address of each request.
    fixed = isinstance(key, str) and not settings.api_version and lent is None
    repeats = Repeats("openai") if fixed else None
    return SDKClient(sdk, lent=lent is not None, repeats=repeats)


def _async_transport(settings: OpenAISettings) -> Any:
    """The class of the HTTP client for async calls; MissingPackageError without its extra."""
    import openai

    if settings.async_transport is None:
        return openai.DefaultAsyncHttpx2Client
    if find_spec("aiohttp") is None:
        raise MissingPackageError(
            '`async_transport="aiohttp"` needs the package aiohttp, which is not installed; run: '
            'pip install "headrace-openai[aiohttp]"'
        )
    return openai.DefaultAioHttpClient


def _key(settings: OpenAISettings, key: Any) -> dict[str, Any]:
    """The key, as the SDK takes it; its client for dated versions tells tokens from keys."""
    if not (settings.api_version and settings.is_token):
        return {"api_key": key}
    return {"azure_ad_token_provider" if callable(key) else "azure_ad_token": key}


def _common(settings: OpenAISettings) -> dict[str, Any]:
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
