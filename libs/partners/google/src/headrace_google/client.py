"""The official SDK's doors: its keys, tokens, headers and errors, our bytes.

The only module that imports the SDK, and only at the first request. `google-genai` has no public
door to an unread response, so the lower one of its client is used: `_build_request`, and
`_request_once` with its async twin. Where a version has them no more, its public methods give
the same bytes, each chunk at eight times the price; tests/test_doors.py holds both.
Source: `_api_client.py` of google-genai 3.6 (read 2026-11)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from headrace.errors import ConfigurationError
from headrace.transport import (
    ClientSettings,
    Limits,
    RawRequest,
    SDKClient,
    http_error,
    ssl_context,
)
from headrace_google.failures import auth_error, response_error

if TYPE_CHECKING:
    from headrace.engine.worlds import World

_LOWER = ("_build_request", "_request_once", "_async_request_once")
_NO_KEY = "asked for at each request"


class ClientArgs(dict[str, Any]):
    """Arguments of the HTTP client that are the caller's; equal ones share a client."""

    def __hash__(self) -> int:  # type: ignore[override]  # dicts have none; this one stays as it is
        return hash(frozenset(self))


@dataclass(frozen=True, slots=True)
class GoogleSettings(ClientSettings):
    """What a client is made of; equal settings share one client.

    `api_key`: None on Vertex AI with `credentials` (None: those of the environment). `base_url`:
    empty on Vertex AI for the host of the location. `args`: the HTTP client's.
    """

    vertex: bool = False
    version: str | None = None
    project: str | None = None
    location: str | None = None
    credentials: Any = field(default=None, repr=False)
    args: ClientArgs = field(default_factory=ClientArgs, repr=False)


class GenAIClient:
    """An SDK client, and whether it has the lower door."""

    def __init__(self, sdk: Any) -> None:
        self.sdk, self.api = sdk, sdk._api_client
        self.is_lower = all(hasattr(self.api, name) for name in _LOWER)

    def request(self, asked: RawRequest, limits: Limits, headers: Mapping[str, str]) -> Any:
        """A request for the lower door."""
        request = self.api._build_request(asked.method, asked.path, dict(asked.body or {}))
        request.headers.update(headers)
        request.timeout = limits.timeout
        return request

    async def open(
        self, asked: RawRequest, limits: Limits, headers: Mapping[str, str], io: World
    ) -> Any:
        """The unread response to a request, by the lower door; there is no other for most."""
        if not self.is_lower:
            raise ConfigurationError(
                f"this version of google-genai gives no raw answer of {asked.path!r}; "
                "headrace-google is tested with 3.6"
            )
        request = self.request(asked, limits, headers)
        if io.is_async:
            sent = self.api._async_request_once(request, stream=True, implicit_retry=False)
        else:
            sent = self.api._request_once(request, stream=True)
        return (await io.settle(sent)).response_stream

    async def generate(
        self, asked: RawRequest, limits: Limits, headers: Mapping[str, str], io: World
    ) -> Any:
        """The unread answer of a model; by the public door it is a stream, if of one chunk."""
        if self.is_lower:
            return await self.open(asked, limits, headers, io)
        models = (self.sdk.aio if io.is_async else self.sdk).models
        stream = models.generate_content_stream(**_arguments(asked, limits, headers))
        return PublicResponse({"content-type": "text/event-stream"}, await io.settle(stream))


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import google.auth
    import google.genai  # noqa: F401 - only to have it loaded

    ssl_context()


def make_client(settings: GoogleSettings, is_async: bool) -> SDKClient:
    """A client for sync calls, from many threads, or for the running event loop."""
    import httpx2
    from google import genai

    context = ssl_context()
    # The SDK makes a client of each kind if it is given none; the one that is not used here
    # opens nothing and needs no closing.
    own: Any = {"verify": context, "follow_redirects": True, "timeout": None}
    mine: Any = {**own, "proxy": settings.proxy, **settings.args}
    lent = settings.lent(is_async)
    if is_async:
        http: Any = lent or httpx2.AsyncClient(**mine)
        pair = {"httpx_client": httpx2.Client(**own), "httpx_async_client": http}
    else:
        http = lent or httpx2.Client(**mine)
        pair = {"httpx_client": http, "httpx_async_client": httpx2.AsyncClient(**own)}
    options: Any = {
        **pair,
        "base_url": settings.base_url or None,
        "api_version": settings.version,
        "headers": dict(settings.headers),
        "async_client_args": {"ssl": context},  # else it makes a context of its own
    }
    given: Any = {name: value for name, value in options.items() if value is not None}
    key = settings.api_key
    sdk = genai.Client(
        vertexai=settings.vertex,
        api_key=_NO_KEY if callable(key) else key,
        project=settings.project,
        location=settings.location,
        credentials=settings.credentials,
        http_options=given,
    )
    return SDKClient(GenAIClient(sdk), http=http, lent=lent is not None)


@cache
def default_project() -> str | None:
    """The project of the machine's own credentials; asks the disk, or the cloud's metadata."""
    import google.auth

    try:
        return google.auth.default()[1]
    except Exception as exc:
        raise auth_error(exc, "Google Cloud") from exc


def sdk_error(exc: Exception, host: str, *, begun: bool) -> Exception:
    """The error of ours for one of the SDK, google-auth or the HTTP client."""
    from google.genai import errors

    if isinstance(exc, errors.APIError):
        headers = getattr(exc.response, "headers", None) or {}
        return response_error(int(exc.code or 500), exc.details, headers, None)
    found = auth_error(exc, host)
    return http_error(exc, host, begun=begun) if found is exc else found


# The public doors.


class PublicResponse:
    """An answer of the SDK's public methods in the form of a raw response."""

    def __init__(self, headers: Mapping[str, str], chunks: Any) -> None:
        self.headers, self._chunks = headers, chunks

    def iter_bytes(self) -> Iterator[bytes]:
        yield from map(_event, self._chunks)

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield _event(chunk)

    def close(self) -> None:
        self._chunks.close()

    async def aclose(self) -> None:
        await self._chunks.aclose()


def _arguments(asked: RawRequest, limits: Limits, headers: Mapping[str, str]) -> dict[str, Any]:
    """What makes the public method send our body: `extra_body` lies over its own."""
    options: dict[str, Any] = {"extra_body": dict(asked.body or {}), "headers": dict(headers)}
    if limits.read is not None:
        options["timeout"] = int(limits.read * 1000)
    config = {"http_options": options, "automatic_continuation": False}
    return {"model": asked.path.rpartition(":")[0], "contents": "-", "config": config}


def _event(chunk: Any) -> bytes:
    unsent = {"sdk_http_response", "automatic_function_calling_history", "parsed"}
    said = chunk.model_dump_json(by_alias=True, exclude_none=True, exclude=unsent)
    return b"data: " + str(said).encode() + b"\n\n"
