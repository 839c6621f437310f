"""SDK clients: one SSL context for all, their bounds and errors, closed with their loops.

The HTTP client is the SDKs' own dependency: it is imported at the first request, never before.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from headrace.chat_models.wire import excerpt
from headrace.errors import (
    ModelConnectionError,
    ModelTimeoutError,
    StreamInterruptedError,
    WireError,
)
from headrace.transport.patience import Patience, patient
from headrace.transport.repeating import Repeats

if TYPE_CHECKING:
    import ssl

    from headrace.chat_models import Watch

# How the headers end in which services give the id of a request; a proxy's id stands in for it.
_REQUEST_IDS = ("request-id", "requestid", "correlation-id")
_PROXY_ID = "cf-ray"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a request may wait for a connection, and for bytes."""

    connect: float | None
    read: float | None

    @classmethod
    def of(cls, watch: Watch, *, stream: bool) -> Limits:
        """Those of one attempt: in a stream bytes may pause, a whole answer comes at once.

        `read` holds what any read may take at most; a client that is `patient` asks its Watch.
        """
        limits, left = watch.timeout, watch.left_of_total
        pauses = [limits.first_chunk, limits.idle] if stream else [limits.first_chunk]
        longest = None if None in pauses else max(pause for pause in pauses if pause is not None)
        return cls(_least(limits.connect, left), Patience(_least(longest, left), watch))

    @property
    def timeout(self) -> Any:
        """As the HTTP client takes them."""
        import httpx2

        return self.timeout_of(httpx2)

    def timeout_of(self, http: Any) -> Any:
        """As an HTTP client of this module takes them: httpx2, or its predecessor."""
        most = None if self.read is None else float(self.read)
        return http.Timeout(connect=self.connect, read=self.read, write=most, pool=self.connect)


def _least(one: float | None, other: float | None) -> float | None:
    return other if one is None or (other is not None and other < one) else one


class SDKClient:
    """An SDK client as the registry of the process keeps it; `lent`: the caller's, not closed.

    `http`: the HTTP client below it, where that is what is sent through and closed. `repeats`:
    what it has sent, where a request like it needs nothing but another body. An async one is
    closed by awaiting its `close`, or by `aclose` where it has that.
    """

    __slots__ = ("_guard", "_lent", "http", "repeats", "sdk")

    def __init__(
        self, sdk: Any, *, http: Any = None, lent: bool = False, repeats: Repeats | None = None
    ) -> None:
        self.sdk, self.http, self._lent = sdk, sdk if http is None else http, lent
        self.repeats = repeats
        if not lent:
            patient(getattr(self.http, "_client", self.http))  # where SDKs of Stainless keep it
        self._guard: AsyncGenerator[None, None] | None = None

    @property
    def is_async(self) -> bool:
        """Whether what it sends is awaited."""
        return hasattr(self.http, "__aenter__")

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
        return None if self._lent else self.http.close()

    async def end(self) -> None:
        if not self._lent:
            await (self.http.aclose() if hasattr(self.http, "aclose") else self.http.close())


async def _until_closed(client: SDKClient) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.end()


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The service's own id of a request, for its support."""
    if found := headers.get("x-request-id"):
        return found
    for name, value in headers.items():
        if value and name.lower().endswith(_REQUEST_IDS):
            return value
    return headers.get(_PROXY_ID) or None


def http_error(exc: Exception, host: str, *, begun: bool, http: Any = None) -> Exception:
    """The error of ours for one of the HTTP client; any other as it is.

    `begun`: there is a response, so a broken connection is a StreamInterruptedError. `http`: the
    client's module, where an SDK still sits on httpx2's predecessor.
    """
    if http is None:
        import httpx2

        http = httpx2
    match exc:
        case http.TimeoutException() if timed_out(exc):
            return ModelTimeoutError(slow(exc, host))
        case http.DecodingError():
            return WireError(f"`{host}` sent bytes that cannot be decompressed: {exc}")
        case http.TransportError() if begun:
            return StreamInterruptedError(f"the connection to `{host}` broke off: {cause(exc)}")
        case http.RequestError() | http.StreamError():
            return ModelConnectionError(f"no answer from `{host}`: {cause(exc)}")
        case _ if _of_aiohttp(exc):  # what its transport lets through as it is
            kind = StreamInterruptedError if begun else ModelConnectionError
            return kind(f"what came from `{host}` is not HTTP: {cause(exc)}")
    return exc


def timed_out(exc: BaseException | None) -> bool:
    """Whether what the HTTP client calls a timeout is one.

    The SDKs' transport over aiohttp calls every lost connection a ConnectTimeout; what aiohttp
    itself raised tells. Source: `_vendor/httpx_aiohttp` of openai 3.57 (read 2026-11)
    """
    while exc is not None:
        if _of_aiohttp(exc):
            return isinstance(exc, TimeoutError)
        exc = exc.__cause__
    return True


def _of_aiohttp(exc: BaseException) -> bool:
    return type(exc).__module__.partition(".")[0] == "aiohttp"


def slow(exc: BaseException, host: str) -> str:
    """Which bound a timeout passed, in words."""
    reason = exc.__cause__ or exc
    if "Connect" in type(reason).__name__ or "Pool" in type(reason).__name__:
        return f"no connection to `{host}` in time; raise `timeout.connect` or check the network"
    return f"`{host}` sent nothing for too long; raise `timeout`, or ask for less"


def cause(exc: BaseException) -> str:
    """What lies behind an error, in one line."""
    found = exc.__cause__ or exc
    return excerpt(str(found)) or type(found).__name__


_context: ssl.SSLContext | None = None
_context_lock = Lock()


def ssl_context() -> ssl.SSLContext:
    """The one SSL context of the process: making it is nearly all that a client costs."""
    global _context
    with _context_lock:
        if _context is None:
            _context = _new_context()
        return _context


def _new_context() -> ssl.SSLContext:
    """From the HTTP client that is there: some SDKs still sit on httpx2's predecessor."""
    try:
        import httpx2
    except ImportError:
        import httpx

        return httpx.create_ssl_context()
    return httpx2.create_ssl_context()
