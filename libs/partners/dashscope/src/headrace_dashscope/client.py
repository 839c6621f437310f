"""Opens the SDK's raw responses: its identification and headers, our bytes.

`open_stream` of the SDK's transports sends a request once and gives the response unread; key
and workspace are of each call. Nothing is read from, or written to, the globals of the SDK. The
only module that imports the SDK, and only at the first request.
Source: `v2/transport/http.py` of dashscope 2.0.2 (read 2026-11); a test holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headrace.chat_models.wire import excerpt
from headrace.errors import (
    ConfigurationError,
    HeadraceError,
    ModelConnectionError,
    ModelTimeoutError,
)
from headrace.transport import (
    Limits,
    RawRequest,
    SDKClient,
    cause,
    http_error,
    key_now,
    request_id_of,
    slow,
    ssl_context,
)
from headrace_dashscope.failures import failure

if TYPE_CHECKING:
    from headrace.engine.worlds import World

SSE = {"X-DashScope-SSE": "enable"}


@dataclass(frozen=True, slots=True)
class Asker:
    """In whose name one request is sent, and with which headers more."""

    key: Any = field(repr=False)
    workspace: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


async def open_response(
    client: SDKClient,
    asked: RawRequest,
    asker: Asker,
    limits: Limits,
    io: World,
    *,
    stream: bool = False,
) -> Any:
    """The unread response to a request."""
    import httpx

    sent = client.sdk.open_stream(
        asked.method,
        asked.path,
        api_key=await key_now(asker.key, io),
        json=asked.body,
        headers={**(SSE if stream else {}), **dict(asker.headers)},
        timeout=limits.timeout_of(httpx),
        workspace=asker.workspace,
        sdk_module="aigc",
    )
    return await io.settle(sent)


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


def make_client(url: str, proxy: str | None, is_async: bool) -> SDKClient:
    """A new client, without retries of its own, whose closing is ours."""
    import httpx
    from dashscope.v2 import transport as sdk

    make: Any = httpx.AsyncClient if is_async else httpx.Client
    http = make(
        base_url=url,
        verify=ssl_context(),
        proxy=proxy,
        headers={"User-Agent": sdk.default_user_agent()},
    )
    transport: Any = sdk.AsyncTransport if is_async else sdk.SyncTransport
    return SDKClient(transport(http_client=http, base_url=url, max_retries=0), http=http)
