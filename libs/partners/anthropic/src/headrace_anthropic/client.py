"""Opens the official SDK's raw response: its keys, headers, proxies and errors, our bytes.

The only module that imports the SDK, and only at the first request.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any

from headrace.errors import MissingCredentialError, MissingPackageError
from headrace.transport import (
    Exchange,
    Limits,
    SDKClient,
    awaitable_key,
    cause,
    checked_key,
    environment_headers,
    host_of,
    post,
    sdk_error,
    ssl_context,
)
from headrace_anthropic.headers import Platform, split_request

PATH = "/v1/messages"  # exactly the SDK's own: clients of clouds rewrite it
_ENVIRONMENT = "ANTHROPIC_CUSTOM_HEADERS"
_CLIENTS: Mapping[Platform, str] = {
    "api": "Anthropic",
    "bedrock": "AnthropicBedrock",
    "vertex": "AnthropicVertex",
}
_KEYS = frozenset({"aws_access_key", "aws_secret_key", "aws_session_token", "aws_profile"})
# The module by which a platform's requests are signed, and the extra that brings it.
_SIGNED_BY: Mapping[Platform, tuple[str, str]] = {
    "api": ("", ""),
    "bedrock": ("boto3", "bedrock"),
    "vertex": ("google.auth", "vertex"),
}


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one client.

    `api_key`: a str, a function that gives one for each request, sync or async, or None where
    the platform signs. `options`: the platform's own arguments of its client. `own`: the service
    is Anthropic's. `http_client`, `http_async_client`: the caller's, never closed here.
    """

    base_url: str
    api_key: Any = field(repr=False)
    platform: Platform = "api"
    options: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
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
        settings = self.client_settings
        values = (settings.api_key, *(value for _, value in settings.options))
        return tuple(value for value in values if isinstance(value, str))

    def make_client(self, is_async: bool) -> SDKClient:
        settings = self.client_settings
        _check_packages(settings)
        return (_make_async if is_async else _make_sync)(settings)

    def send(self, client: SDKClient, body: Mapping[str, Any], limits: Limits) -> Any:
        return self.post(client, PATH, body, limits)

    def post(
        self,
        client: SDKClient,
        path: str,
        body: Mapping[str, Any],
        limits: Limits,
        *,
        stream: bool = True,
    ) -> Any:
        """The response, unread if `stream`; an awaitable of it from an async client."""
        settings = self.client_settings
        wire, headers = split_request(body, settings.platform)
        if not callable(settings.api_key):
            return post(client, path, wire, limits, headers, stream=stream)
        if hasattr(client.sdk, "__aenter__"):
            later = partial(post, client, path, wire, limits, stream=stream)
            return _post_with(settings.api_key, later, headers)
        headers["Authorization"] = f"Bearer {checked_key(settings.api_key)()}"
        return post(client, path, wire, limits, headers, stream=stream)

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        import anthropic

        found = sdk_error(exc, anthropic, self.host, begun=begun)
        if found is exc and (told := _of_cloud(exc, self.client_settings.platform)):
            return MissingCredentialError(told)
        return found


async def _post_with(key: Any, later: Any, headers: dict[str, str]) -> Any:
    """The response to a request with the key that a function gives for it."""
    bearer = f"Bearer {await awaitable_key(key)()}"
    return await later({**headers, "Authorization": bearer})


def _of_cloud(exc: Exception, platform: Platform) -> str | None:
    """What went wrong with a cloud's own credentials, in words; None for other errors."""
    package = type(exc).__module__.split(".")[0]
    if package in ("botocore", "google") or (platform != "api" and type(exc) is RuntimeError):
        return f"the credentials of the cloud cannot be used: {cause(exc)}"
    return None


def _check_packages(settings: ClientSettings) -> None:
    """Raises MissingPackageError where a platform signs by a package that is not there."""
    module, extra = _SIGNED_BY[settings.platform]
    if not module or settings.api_key is not None or "credentials" in dict(settings.options):
        return
    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise MissingPackageError(
            f"requests to {settings.platform} are signed by a package that is not installed: "
            f"pip install 'headrace-anthropic[{extra}]'"
        )


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import anthropic  # noqa: F401 - only to have it loaded

    ssl_context()


def _make_sync(settings: ClientSettings) -> SDKClient:
    """A client for sync calls, from many threads."""
    import anthropic

    lent = settings.http_client
    http = lent or anthropic.DefaultHttpxClient(verify=ssl_context(), proxy=settings.proxy)
    client = getattr(anthropic, _CLIENTS[settings.platform])
    sdk = _signing(client(http_client=http, **_arguments(settings)), settings)
    return SDKClient(sdk, lent=lent is not None)


def _make_async(settings: ClientSettings) -> SDKClient:
    """A client for the running event loop."""
    import anthropic

    lent = settings.http_async_client
    http = lent or anthropic.DefaultAsyncHttpxClient(verify=ssl_context(), proxy=settings.proxy)
    client = getattr(anthropic, f"Async{_CLIENTS[settings.platform]}")
    sdk = _signing(client(http_client=http, **_arguments(settings)), settings)
    return SDKClient(sdk, lent=lent is not None)


def _signing(sdk: Any, settings: ClientSettings) -> Any:
    """The client, which on Bedrock signs with the keys given and no other.

    Its constructor takes a bearer token of the environment beside them, and then refuses both.
    """
    if settings.platform == "bedrock":
        sdk.api_key = settings.api_key
        for name, value in settings.options:
            setattr(sdk, name, value)
    return sdk


def _arguments(settings: ClientSettings) -> dict[str, Any]:
    from anthropic import Omit

    headers: dict[str, Any] = dict(settings.headers)
    if not settings.own:
        given = {name.lower() for name in headers}
        for name in environment_headers(_ENVIRONMENT):
            if name.lower() not in given:
                headers[name] = Omit()
    key = settings.api_key
    if callable(key):  # asked at each request, whose own header goes before the client's
        key = "asked-for-each-request"
    name = "access_token" if settings.platform == "vertex" else "api_key"
    return {
        name: key,
        **{n: value for n, value in settings.options if n not in _KEYS},
        "base_url": settings.base_url,
        "default_headers": headers or None,
        "default_query": dict(settings.query) or None,
        "max_retries": 0,
    }
