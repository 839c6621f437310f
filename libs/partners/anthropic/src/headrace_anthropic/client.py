"""Opens the official SDK's raw response: its keys, headers, proxies and errors, our bytes.

The only module that imports the SDK, and only at the first request.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from headrace.errors import MissingCredentialError, MissingPackageError
from headrace.transport import (
    ClientDoor,
    ClientSettings,
    Limits,
    RawRequest,
    Repeats,
    SDKClient,
    cause,
    environment_headers,
    key_now,
    opened,
    sdk_error,
    ssl_context,
)
from headrace_anthropic.headers import Platform, split_request

if TYPE_CHECKING:
    from headrace.engine.worlds import World

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
class AnthropicSettings(ClientSettings):
    """What a client is made of; equal settings share one client.

    `api_key` is None where the platform signs. `options`: the platform's own arguments of its
    client. `own`: the service is Anthropic's.
    """

    platform: Platform = "api"
    options: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    own: bool = False
    query: tuple[tuple[str, str], ...] = ()


class AnthropicDoor(ClientDoor):
    """A request through the Anthropic SDK; the codec is added below it."""

    path = "/v1/messages"  # exactly the SDK's own: clients of clouds rewrite it

    @property
    @abstractmethod
    def client_settings(self) -> AnthropicSettings: ...

    @property
    def secrets(self) -> tuple[str, ...]:
        values = (value for _, value in self.client_settings.options)
        return (*super().secrets, *(value for value in values if isinstance(value, str)))

    def make_client(self, is_async: bool) -> SDKClient:
        settings = self.client_settings
        _check_packages(settings)
        return _make(settings, is_async)

    async def open(self, client: SDKClient, asked: RawRequest, limits: Limits, io: World) -> Any:
        settings, headers = self.client_settings, dict[str, str]()
        if asked.body is not None:
            body, headers = split_request(asked.body, settings.platform)
            asked = asked._replace(body=body)
        if callable(settings.api_key):
            headers["Authorization"] = f"Bearer {await key_now(settings.api_key, io)}"
        return await opened(client, asked, limits, io, headers)

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        import anthropic

        found = sdk_error(exc, anthropic, self.host, begun=begun)
        if found is exc and (told := _of_cloud(exc, self.client_settings.platform)):
            return MissingCredentialError(told)
        return found


def _of_cloud(exc: Exception, platform: Platform) -> str | None:
    """What went wrong with a cloud's own credentials, in words; None for other errors."""
    package = type(exc).__module__.split(".")[0]
    if package in ("botocore", "google") or (platform != "api" and type(exc) is RuntimeError):
        return f"the credentials of the cloud cannot be used: {cause(exc)}"
    return None


def _check_packages(settings: AnthropicSettings) -> None:
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


def _make(settings: AnthropicSettings, is_async: bool) -> SDKClient:
    """A client for sync calls, from many threads, or for the running event loop."""
    import anthropic

    lent, name = settings.lent(is_async), _CLIENTS[settings.platform]
    transport: Any = anthropic.DefaultHttpxClient
    if is_async:
        transport, name = anthropic.DefaultAsyncHttpxClient, f"Async{name}"
    http = lent or transport(verify=ssl_context(), proxy=settings.proxy)
    sdk = getattr(anthropic, name)(http_client=http, **_arguments(settings))
    # Clouds sign each request and rewrite its address.
    fixed = isinstance(settings.api_key, str) and settings.platform == "api" and lent is None
    repeats = Repeats("anthropic") if fixed else None
    return SDKClient(_signing(sdk, settings), lent=lent is not None, repeats=repeats)


def _signing(sdk: Any, settings: AnthropicSettings) -> Any:
    """The client, which on Bedrock signs with the keys given and no other.

    Its constructor takes a bearer token of the environment beside them, and then refuses both.
    """
    if settings.platform == "bedrock":
        sdk.api_key = settings.api_key
        for name, value in settings.options:
            setattr(sdk, name, value)
    return sdk


def _arguments(settings: AnthropicSettings) -> dict[str, Any]:
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
