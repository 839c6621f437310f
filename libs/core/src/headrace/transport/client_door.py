"""Doors through an SDK's HTTP client: whose it is, what it is made of, and how an answer opens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from headrace.chat_models.wire import parse
from headrace.errors import HeadraceError, ModelError, WireError
from headrace.transport.door import Door, bytes_of, close_response
from headrace.transport.failures import status_error
from headrace.transport.keys import key_now
from headrace.transport.sdk import Limits, SDKClient, http_error, request_id_of
from headrace.transport.urls import host_of

if TYPE_CHECKING:
    from headrace.chat_models import Specification
    from headrace.engine.worlds import World


class RawRequest(NamedTuple):
    """What is asked for, before an SDK makes a request of it; `path`: below the base URL."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one client.

    `api_key`: a str, a function that gives one for each request, sync or async, or None.
    `http_client` and `http_async_client`: the caller's own, used as they are, never closed here.
    """

    base_url: str
    api_key: Any = field(repr=False)
    proxy: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    http_client: Any = None
    http_async_client: Any = None

    @classmethod
    def of(cls, model: Specification, base_url: str, api_key: Any, **more: Any) -> Self:
        """Those of a model at an address, with its proxy, its headers, and clients of its own."""
        more.setdefault("headers", tuple((model.default_headers or {}).items()))
        for name in ("http_client", "http_async_client"):
            more[name] = getattr(model, name, None)
        return cls(base_url, api_key, proxy=model.proxy, **more)

    def lent(self, is_async: bool) -> Any:
        """The caller's own client for sync calls, or for async ones; None if there is none."""
        return self.http_async_client if is_async else self.http_client


class ClientDoor(Door):
    """A door whose client is made of settings, and through which any path can be asked for."""

    path: ClassVar[str] = ""  # where an answer is asked for

    @property
    @abstractmethod
    def client_settings(self) -> ClientSettings:
        """What the client is made of, the key among it."""

    @property
    def host(self) -> str:
        return host_of(self.client_settings.base_url)

    @property
    def client_key(self) -> Hashable:
        """Who makes the client, and of what: partners share none, if their settings are equal."""
        return _maker(type(self)), self.client_settings

    @property
    def secrets(self) -> tuple[str, ...]:
        key = self.client_settings.api_key
        return (key,) if isinstance(key, str) else ()

    @abstractmethod
    async def open(self, client: SDKClient, asked: RawRequest, limits: Limits, io: World) -> Any:
        """The unread response to a request, as `send` gives it."""

    async def send(
        self, client: SDKClient, body: Mapping[str, Any], limits: Limits, io: World
    ) -> Any:
        return await self.open(client, RawRequest("POST", self.path, body), limits, io)

    async def fetch(self, client: SDKClient, asked: RawRequest, limits: Limits, io: World) -> bytes:
        """The whole body of a response."""
        response = await self.open(client, asked, limits, io)
        try:
            return b"".join([data async for data in io.iterate(bytes_of(response, io))])
        finally:
            await close_response(response, io)


@cache  # classes: there are few and they stay
def _maker(kind: type[ClientDoor]) -> type:
    return next(one for one in kind.__mro__ if "make_client" in vars(one))


class LowerDoor(ClientDoor):
    """A door below an SDK that would judge and type an answer: an error is known by its status.

    A partner writes `request`, with its SDK's headers, and says what is special in `refused`.
    """

    @abstractmethod
    def request(self, client: SDKClient, asked: RawRequest, limits: Limits, key: Any) -> Any:
        """A request for the HTTP client; `key` as it is for this one."""

    def http(self) -> Any:
        """The module of its HTTP client; some SDKs still sit on httpx2's predecessor."""
        import httpx2

        return httpx2

    def sent(self, client: SDKClient, request: Any) -> Any:
        """The unread response; an awaitable of it from an async client."""
        return client.http.send(request, stream=True)

    def refused(self, status: int, body: Any, headers: Mapping[str, str]) -> ModelError:
        """The error that a status means; `body` is parsed JSON or text."""
        return status_error(status, body, headers, request_id=request_id_of(headers))

    async def open(self, client: SDKClient, asked: RawRequest, limits: Limits, io: World) -> Any:
        key = await key_now(self.client_settings.api_key, io)
        request = self.request(client, asked, limits, key)
        return await granted(await io.settle(self.sent(client, request)), io)

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        if isinstance(exc, HeadraceError):
            return exc
        if isinstance(exc, RefusedError):
            response = exc.response
            return self.refused(response.status_code, exc.said, response.headers)
        return http_error(exc, self.host, begun=begun, http=self.http())


class RefusedError(Exception):
    """An answer with an error status, read; it becomes the tree's error at the gate."""

    def __init__(self, response: Any) -> None:
        super().__init__(response.status_code)
        self.response = response

    @property
    def said(self) -> Any:
        """The body: parsed JSON, or text."""
        try:
            return parse(self.response.content)
        except WireError:
            return self.response.text


async def granted(response: Any, io: World) -> Any:
    """The response, still unread; RefusedError for one with an error status."""
    if not response.is_error:
        return response
    try:
        await io.settle(response.aread() if io.is_async else response.read())
    finally:
        await close_response(response, io)
    raise RefusedError(response)
