"""Opens the official SDK's raw response: its keys, headers, proxies and errors, our bytes.

The only module that imports the SDK, and only at the first request.
"""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headrace.chat_models.wire import excerpt
from headrace.errors import (
    ConfigurationError,
    HeadraceError,
    ModelConnectionError,
    ModelTimeoutError,
    StreamInterruptedError,
    WireError,
)
from headrace_openai.errors import status_error
from headrace_openai.place import host_of

if TYPE_CHECKING:
    import ssl

    from headrace.chat_models import Settings

PATH = "/chat/completions"
MODELS = "/models"
# Headers in which services give the id of a request.
_REQUEST_IDS = ("x-request-id", "apim-request-id", "request-id", "cf-ray")
# What the SDK reads from the environment for OpenAI and must not tell another vendor.
_OPENAI_HEADERS = ("OpenAI-Organization", "OpenAI-Project")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one client.

    `api_key`: a str, or a function that gives one for each request, sync or async. `own`: the
    service is OpenAI itself. `http_client` and `http_async_client`: the caller's own, used as
    they are and never closed here.
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


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a request may wait for a connection, and for bytes."""

    connect: float | None
    read: float | None

    @classmethod
    def of(cls, settings: Settings, read: float | None) -> Limits:
        return cls(settings.watch.timeout.connect, read)


class SDKClient:
    """An SDK client as the registry of the process keeps it."""

    __slots__ = ("_guard", "_lent", "sdk")

    def __init__(self, sdk: Any, *, lent: bool = False) -> None:
        self.sdk, self._lent = sdk, lent
        self._guard: AsyncGenerator[None, None] | None = None

    async def watch(self) -> None:
        """Lets the running event loop close the client when the loop itself ends.

        A suspended async generator is what `asyncio.run` closes on its own
        (`shutdown_asyncgens`); this one closes the client with it.
        """
        if self._guard is None:
            self._guard = _until_closed(self)
            await anext(self._guard)

    def close(self) -> Any:
        """Closes a sync client; gives the awaitable that closes an async one."""
        if self._guard is not None:
            return self._guard.aclose()
        return None if self._lent else self.sdk.close()

    async def end(self) -> None:
        if not self._lent:
            await self.sdk.close()


async def _until_closed(client: SDKClient) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.end()


def post(client: SDKClient, body: Mapping[str, Any], limits: Limits) -> Any:
    """The unread response to a request; an awaitable of it from an async client.

    Source: `post` of the SDK 3.52, typed for `cast_to=httpx2.Response` (read 2026-11)
    """
    import httpx2

    timeout = httpx2.Timeout(
        connect=limits.connect, read=limits.read, write=limits.read, pool=limits.connect
    )
    options: Any = {"timeout": timeout, "max_retries": 0}
    return client.sdk.post(PATH, cast_to=httpx2.Response, body=body, stream=True, options=options)


def get(client: SDKClient, path: str, limits: Limits) -> Any:
    """The read response to a GET; an awaitable of it from an async client."""
    import httpx2

    timeout = httpx2.Timeout(limits.read, connect=limits.connect)
    options: Any = {"timeout": timeout, "max_retries": 0}
    return client.sdk.get(path, cast_to=httpx2.Response, options=options)


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The service's own id of a request, for its support."""
    return next((headers[name] for name in _REQUEST_IDS if headers.get(name)), None)


class Gate:
    """Lets errors of the SDK and its HTTP client out as headrace's: the one place for it.

    `begun`: there is a response, so a broken connection is a StreamInterruptedError. `done`: the
    answer is complete, so what still breaks does not matter.
    """

    __slots__ = ("_settings", "begun", "done")

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self.begun = self.done = False

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> bool:
        if not isinstance(exc, Exception):
            return False
        error = _translated(exc, host_of(self._settings.base_url), self.begun)
        if self.done and isinstance(error, ModelConnectionError):
            return True
        _redact(error, self._settings.api_key)
        if error is exc:
            return False
        raise error from exc


def _translated(exc: Exception, host: str, begun: bool) -> Exception:
    """The error of ours for one of the SDK or its HTTP client; any other as it is."""
    if isinstance(exc, HeadraceError):
        return exc
    import httpx2
    import openai

    match exc:
        case openai.APIStatusError():
            headers = exc.response.headers
            id = request_id_of(headers)
            return status_error(exc.status_code, exc.body, headers, request_id=id)
        case openai.APITimeoutError() | httpx2.TimeoutException():
            return ModelTimeoutError(_slow(exc, host))
        case openai.APIConnectionError():
            return ModelConnectionError(f"no connection to `{host}`: {_cause(exc)}")
        case httpx2.DecodingError():
            return WireError(f"`{host}` sent bytes that cannot be decompressed: {exc}")
        case httpx2.TransportError() if begun:
            return StreamInterruptedError(f"the connection to `{host}` broke off: {_cause(exc)}")
        case httpx2.RequestError() | httpx2.StreamError():
            return ModelConnectionError(f"no answer from `{host}`: {_cause(exc)}")
        case openai.OpenAIError():
            return ConfigurationError(f"the OpenAI SDK refused the request: {exc}")
        case _:
            return exc


def _redact(error: Exception, key: object) -> None:
    """Cuts the key out of the message, where some servers repeat it in full."""
    if isinstance(error, HeadraceError) and isinstance(key, str) and len(key) >= 8:
        error.args = tuple(
            arg.replace(key, "[key]") if isinstance(arg, str) else arg for arg in error.args
        )


def _slow(exc: BaseException, host: str) -> str:
    cause = exc.__cause__ or exc
    if "Connect" in type(cause).__name__ or "Pool" in type(cause).__name__:
        return f"no connection to `{host}` in time; raise `timeout.connect` or check the network"
    return f"`{host}` sent nothing for too long; raise `timeout`, or ask for less"


def _cause(exc: BaseException) -> str:
    cause = exc.__cause__ or exc
    return excerpt(str(cause)) or type(cause).__name__


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import openai  # noqa: F401

    ssl_context()


_context: ssl.SSLContext | None = None
_context_lock = threading.Lock()


def ssl_context() -> ssl.SSLContext:
    """The one SSL context of the process: making it is nearly all that a client costs."""
    global _context
    with _context_lock:
        if _context is None:
            import httpx2

            _context = httpx2.create_ssl_context()
        return _context


def make_sync(settings: ClientSettings) -> SDKClient:
    """A client for sync calls, from many threads."""
    import openai

    key = settings.api_key
    if callable(key):
        key = _checked_key(key)
    lent = settings.http_client
    http = lent or openai.DefaultHttpx2Client(verify=ssl_context(), proxy=settings.proxy)
    sdk = openai.OpenAI(api_key=key, http_client=http, **_common(settings))
    return SDKClient(sdk, lent=lent is not None)


def make_async(settings: ClientSettings) -> SDKClient:
    """A client for the running event loop."""
    import openai

    key = settings.api_key
    if callable(key):
        key = _awaitable_key(key)
    lent = settings.http_async_client
    http = lent or openai.DefaultAsyncHttpx2Client(verify=ssl_context(), proxy=settings.proxy)
    sdk = openai.AsyncOpenAI(api_key=key, http_client=http, **_common(settings))
    return SDKClient(sdk, lent=lent is not None)


def _common(settings: ClientSettings) -> dict[str, Any]:
    from openai import Omit

    headers: dict[str, Any] = dict(settings.headers)
    if not settings.own:
        own = {"organization": settings.organization, "project": settings.project}
        given = {name.lower() for name in headers}
        given |= {f"openai-{name}" for name, value in own.items() if value}
        for name in (*_OPENAI_HEADERS, *_environment_headers()):
            if name.lower() not in given:
                headers[name] = Omit()
    return {
        "base_url": settings.base_url,
        "organization": settings.organization,
        "project": settings.project,
        "default_headers": headers or None,
        "default_query": dict(settings.query) or None,
        "max_retries": 0,
    }


def _environment_headers() -> list[str]:
    """Names of the headers that the SDK takes from OPENAI_CUSTOM_HEADERS."""
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    return [name.strip() for line in lines for name, colon, _ in [line.partition(":")] if colon]


def _checked_key(key: Callable[[], Any]) -> Callable[[], str]:
    def give() -> str:
        value = key()
        if not isinstance(value, str):
            if hasattr(value, "close"):
                value.close()  # a coroutine that nobody will await
            raise ConfigurationError(
                "`api_key` is an async function; call the model by `ainvoke` or `astream`, or "
                "give a plain one"
            )
        return value

    return give


def _awaitable_key(key: Callable[[], Any]) -> Callable[[], Any]:
    async def give() -> str:
        import asyncio
        import inspect

        if inspect.iscoroutinefunction(key):
            value = await key()
        else:
            value = await asyncio.to_thread(key)  # it may ask a server for a token
            if inspect.isawaitable(value):
                value = await value
        return str(value)

    return give
