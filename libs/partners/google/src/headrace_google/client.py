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
from typing import Any

from headrace.errors import ConfigurationError
from headrace.transport import (
    Limits,
    SDKClient,
    awaitable_key,
    checked_key,
    http_error,
    ssl_context,
)
from headrace_google.failures import auth_error, response_error

_LOWER = ("_build_request", "_request_once", "_async_request_once")
_NO_KEY = "asked for at each request"
_KEY_HEADER = "x-goog-api-key"


class ClientArgs(dict[str, Any]):
    """Arguments of the HTTP client that are the caller's; equal ones share a client."""

    def __hash__(self) -> int:  # type: ignore[override]  # dicts have none; this one stays as it is
        return hash(frozenset(self))


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one client.

    `api_key`: a str, or a function that gives one for each request, sync or async; None on
    Vertex AI with `credentials` (None: those of the environment). `url`: None on Vertex AI for
    the host of the location. `http_client` and `http_async_client`: the caller's own, used as
    they are and never closed here.
    """

    vertex: bool
    url: str | None
    version: str | None
    api_key: Any = field(repr=False)
    project: str | None = None
    location: str | None = None
    credentials: Any = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    http_client: Any = None
    http_async_client: Any = None
    args: ClientArgs = field(default_factory=ClientArgs, repr=False)


class RawClient:
    """An SDK client and the HTTP client it was given, for one of the two worlds.

    `key`: what is asked for the key at each request, if anything is.
    """

    def __init__(self, sdk: Any, http: Any, key: Any, *, is_async: bool) -> None:
        # Under this name what is shared between partners looks for the HTTP client.
        self.sdk, self._client, self._key, self._is_async = sdk, http, key, is_async
        self.api = sdk._api_client
        self.is_lower = all(hasattr(self.api, name) for name in _LOWER)

    def open(self, method: str, path: str, body: Mapping[str, Any], limits: Limits) -> Any:
        """The unread response to a request; an awaitable of it from an async client."""
        return (self._aopen if self._is_async else self._open)(method, path, body, limits)

    def fetch(self, method: str, path: str, body: Mapping[str, Any], limits: Limits) -> Any:
        """The whole body of a response; an awaitable of it from an async client.

        By the lower door alone: for what is no `generateContent` there is no other.
        """
        if not self.is_lower:
            raise ConfigurationError(
                f"this version of google-genai gives no raw answer of {path!r}; headrace-google "
                "is tested with 3.6"
            )
        return (self._afetch if self._is_async else self._fetch)(method, path, body, limits)

    def _fetch(self, method: str, path: str, body: Mapping[str, Any], limits: Limits) -> bytes:
        response = self._open(method, path, body, limits)
        data: bytes = response.read()
        return data

    async def _afetch(
        self, method: str, path: str, body: Mapping[str, Any], limits: Limits
    ) -> bytes:
        response = await self._aopen(method, path, body, limits)
        data: bytes = await response.aread()
        return data

    def _open(self, method: str, path: str, body: Mapping[str, Any], limits: Limits) -> Any:
        headers = {} if self._key is None else {_KEY_HEADER: self._key()}
        if not self.is_lower:
            return open_publicly(self.sdk, path, body, limits, headers)
        request = self._request(method, path, body, limits, headers)
        return self.api._request_once(request, stream=True).response_stream

    async def _aopen(self, method: str, path: str, body: Mapping[str, Any], limits: Limits) -> Any:
        headers = {} if self._key is None else {_KEY_HEADER: await self._key()}
        if not self.is_lower:
            return await aopen_publicly(self.sdk, path, body, limits, headers)
        request = self._request(method, path, body, limits, headers)
        response = await self.api._async_request_once(request, stream=True, implicit_retry=False)
        return response.response_stream

    def _request(
        self, method: str, path: str, body: Mapping[str, Any], limits: Limits, headers: Any
    ) -> Any:
        request = self.api._build_request(method, path, dict(body))
        request.headers.update(headers)
        request.timeout = limits.timeout
        return request

    def close(self) -> None:
        self._client.close()

    async def aclose(self) -> None:
        await self._client.aclose()


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import google.auth
    import google.genai  # noqa: F401 - only to have it loaded

    ssl_context()


def make_client(settings: ClientSettings, is_async: bool) -> SDKClient:
    """A client for sync calls, from many threads, or for the running event loop."""
    import httpx2
    from google import genai

    context = ssl_context()
    # The SDK makes a client of each kind if it is given none; the one that is not used here
    # opens nothing and needs no closing.
    own: Any = {"verify": context, "follow_redirects": True, "timeout": None}
    mine: Any = {**own, "proxy": settings.proxy, **settings.args}
    if is_async:
        lent = settings.http_async_client
        http: Any = lent or httpx2.AsyncClient(**mine)
        pair = {"httpx_client": httpx2.Client(**own), "httpx_async_client": http}
    else:
        lent = settings.http_client
        http = lent or httpx2.Client(**mine)
        pair = {"httpx_client": http, "httpx_async_client": httpx2.AsyncClient(**own)}
    options: Any = {
        **pair,
        "base_url": settings.url,
        "api_version": settings.version,
        "headers": dict(settings.headers),
        "async_client_args": {"ssl": context},  # else it makes a context of its own
    }
    given: Any = {name: value for name, value in options.items() if value is not None}
    key, giver = settings.api_key, None
    if callable(key):
        giver = awaitable_key(key) if is_async else checked_key(key)
        key = _NO_KEY
    sdk = genai.Client(
        vertexai=settings.vertex,
        api_key=key,
        project=settings.project,
        location=settings.location,
        credentials=settings.credentials,
        http_options=given,
    )
    return SDKClient(RawClient(sdk, http, giver, is_async=is_async), lent=lent is not None)


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


def open_publicly(
    sdk: Any, path: str, body: Mapping[str, Any], limits: Limits, headers: Mapping[str, str]
) -> PublicResponse:
    """A stream of the public method; whole answers come as a stream of one chunk."""
    stream = sdk.models.generate_content_stream(**_arguments(path, body, limits, headers))
    return PublicResponse({"content-type": "text/event-stream"}, stream)


async def aopen_publicly(
    sdk: Any, path: str, body: Mapping[str, Any], limits: Limits, headers: Mapping[str, str]
) -> PublicResponse:
    stream = await sdk.aio.models.generate_content_stream(**_arguments(path, body, limits, headers))
    return PublicResponse({"content-type": "text/event-stream"}, stream)


def _arguments(
    path: str, body: Mapping[str, Any], limits: Limits, headers: Mapping[str, str]
) -> dict[str, Any]:
    """What makes the public method send our body: `extra_body` lies over its own."""
    options: dict[str, Any] = {"extra_body": dict(body), "headers": dict(headers)}
    if limits.read is not None:
        options["timeout"] = int(limits.read * 1000)
    config = {"http_options": options, "automatic_continuation": False}
    return {"model": path.rpartition(":")[0], "contents": "-", "config": config}


def _event(chunk: Any) -> bytes:
    unsent = {"sdk_http_response", "automatic_function_calling_history", "parsed"}
    said = chunk.model_dump_json(by_alias=True, exclude_none=True, exclude=unsent)
    return b"data: " + str(said).encode() + b"\n\n"
