"""Opens the SDK's HTTP client: its address and headers, our bytes.

The SDK's public `chat` builds typed objects both ways, and its type of a tool's parameters has no
room for nested objects, unions or bounds: they would be lost. So requests go through the HTTP
client that the SDK made. A test holds this door against the installed version.
The only module that imports the SDK, and only at the first request.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headrace.chat_models.wire import parse
from headrace.errors import (
    HeadraceError,
    ModelConnectionError,
    ModelNotFoundError,
    ModelTimeoutError,
    StreamInterruptedError,
    WireError,
)
from headrace.transport import (
    Exchange,
    Limits,
    SDKClient,
    awaitable_key,
    cause,
    checked_key,
    host_of,
    slow,
    ssl_context,
    status_error,
)

if TYPE_CHECKING:
    import httpx

CHAT = "/api/chat"
MODELS = "/api/tags"


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one client."""

    base_url: str
    api_key: Any = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class RefusedError(Exception):
    """An answer with an error status, read; it becomes the tree's error at the gate."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class SDKExchange(Exchange):
    """An exchange through the SDK's HTTP client; a codec is added below it."""

    client_settings: ClientSettings
    model_name: str

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
        return ask(client, "POST", CHAT, limits, body, stream=True)

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        return translated(exc, self.host, self.model_name, begun)


def ask(
    client: SDKClient,
    method: str,
    path: str,
    limits: Limits,
    body: Mapping[str, Any] | None = None,
    *,
    stream: bool = False,
) -> Any:
    """The response to a request, unread if `stream`; an awaitable of it from an async client."""
    import httpx

    http = client.sdk._client
    bounds = httpx.Timeout(
        connect=limits.connect, read=limits.read, write=limits.read, pool=limits.connect
    )
    request = http.build_request(method, path, json=body, timeout=bounds)
    if isinstance(http, httpx.AsyncClient):
        return _sent_async(http, request, stream)
    return _sent(http, request, stream)


def _sent(http: httpx.Client, request: httpx.Request, stream: bool) -> httpx.Response:
    response = http.send(request, stream=stream)
    if response.is_error:
        response.read()
        response.close()
        raise RefusedError(response)
    return response


async def _sent_async(
    http: httpx.AsyncClient, request: httpx.Request, stream: bool
) -> httpx.Response:
    response = await http.send(request, stream=stream)
    if response.is_error:
        await response.aread()
        await response.aclose()
        raise RefusedError(response)
    return response


def translated(exc: Exception, host: str, model: str, begun: bool) -> Exception:
    """The error of ours for one of the HTTP client or of the server; any other as it is."""
    if isinstance(exc, HeadraceError):
        return exc
    import httpx

    match exc:
        case RefusedError():
            return _refused(exc.response, model)
        case httpx.TimeoutException():
            return ModelTimeoutError(slow(exc, host))
        case httpx.DecodingError():
            return WireError(f"`{host}` sent bytes that cannot be decompressed: {exc}")
        case httpx.ConnectError():
            return ModelConnectionError(
                f"no connection to Ollama at `{host}`: {cause(exc)}; is it running "
                "(`ollama serve`), and is `base_url` or OLLAMA_HOST right?"
            )
        case httpx.TransportError() if begun:
            return StreamInterruptedError(f"the connection to `{host}` broke off: {cause(exc)}")
        case httpx.RequestError() | httpx.StreamError():
            return ModelConnectionError(f"no answer from `{host}`: {cause(exc)}")
    return exc


def _refused(response: httpx.Response, model: str) -> Exception:
    try:
        body = parse(response.content)
    except WireError:
        body = response.text
    found = status_error(response.status_code, body, response.headers)
    if isinstance(found, ModelNotFoundError) and "model" in str(found):
        message = f"{found}; pull it first: ollama pull {model}"
        return ModelNotFoundError(message, status=found.status, code=found.code)
    return found


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import ollama  # noqa: F401 - only to have it loaded

    ssl_context()


def _make(settings: ClientSettings, is_async: bool) -> SDKClient:
    import ollama

    make = ollama.AsyncClient if is_async else ollama.Client
    given: dict[str, Any] = dict(settings.headers)
    hook = _Bearer(settings.api_key) if settings.api_key is not None else None
    sdk = make(settings.base_url, headers=given, verify=ssl_context(), proxy=settings.proxy)
    http = sdk._client
    if "authorization" not in {name.lower() for name in given}:
        # The SDK sends OLLAMA_API_KEY wherever it is told to; it is of the cloud alone.
        http.headers.pop("authorization", None)
    if hook is not None:
        http.event_hooks["request"].append(hook.later if is_async else hook.now)
    return SDKClient(_Closable(sdk, http, is_async))


class _Closable:
    """The SDK's client; its own `close` is missing in some versions."""

    def __init__(self, sdk: Any, http: Any, is_async: bool) -> None:
        self.sdk, self._client = sdk, http
        if is_async:
            self.aclose = http.aclose

    def close(self) -> None:
        self._client.close()


class _Bearer:
    """Puts the key on each request, asked for anew where it is a function."""

    def __init__(self, key: Any) -> None:
        self._key = key

    def now(self, request: httpx.Request) -> None:
        key = checked_key(self._key)() if callable(self._key) else self._key
        request.headers["authorization"] = f"Bearer {key}"

    async def later(self, request: httpx.Request) -> None:
        key = await awaitable_key(self._key)() if callable(self._key) else self._key
        request.headers["authorization"] = f"Bearer {key}"
