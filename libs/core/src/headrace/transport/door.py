"""The door to an SDK's unread responses: whose client it is, and how errors come out of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from headrace.chat_models import CLIENTS, Specification, Timeout
from headrace.errors import HeadraceError, ModelConnectionError, ModelTimeoutError
from headrace.transport.sdk import Limits, SDKClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from headrace.chat_models import Watch
    from headrace.credentials import Origin, Resolution
    from headrace.engine.run import Run
    from headrace.engine.worlds import World
    from headrace.transport.client_door import ClientDoor, RawRequest

T = TypeVar("T")
_loaded: set[str] = set()  # the SDKs that are there, whole


class Door(ABC):
    """One request to one service: address and key as resolved now.

    `host`: for messages. `client_key`: models whose doors have equal keys share a client; it
    raises MissingCredentialError where a key is missing, which encoding does not need.
    `secrets`: texts that must not be in an error, because some servers repeat them.
    """

    @property
    @abstractmethod
    def host(self) -> str: ...

    @property
    @abstractmethod
    def client_key(self) -> Hashable: ...

    @property
    def secrets(self) -> tuple[str, ...]:
        return ()

    @abstractmethod
    def make_client(self, is_async: bool) -> SDKClient:
        """A new client for this service, for sync calls or for the running event loop."""

    @abstractmethod
    async def send(
        self, client: SDKClient, body: Mapping[str, Any], limits: Limits, io: World
    ) -> Any:
        """The unread response (`headers`, `iter_bytes`, `close` and their async twins)."""

    @abstractmethod
    def error(self, exc: Exception, *, begun: bool) -> Exception:
        """The error of ours for one of the SDK's; `begun`: there was a response already."""


class Gate:
    """Lets errors of the SDK and its HTTP client out as headrace's: the one place for it.

    `begun`: there is a response, so a broken connection is a StreamInterruptedError. `done`: the
    answer is complete, so what still breaks does not matter.
    """

    __slots__ = ("_door", "_watch", "begun", "done")

    def __init__(self, door: Door, watch: Watch | None = None) -> None:
        self._door, self._watch = door, watch
        self.begun = self.done = False

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> bool:
        if self._watch is not None and self._watch.source is not None:
            self._watch.read_from(None, None)
        if not isinstance(exc, Exception):
            return False
        if self._watch is not None and (refused := getattr(exc, "response", None)) is not None:
            self._watch.headers = getattr(refused, "headers", None)
        error = exc
        if not isinstance(exc, HeadraceError):
            error = self._door.error(exc, begun=self.begun)
            if isinstance(error, ModelTimeoutError) and self._watch and not self._watch.in_time:
                error = self._watch.error()  # which says what bound was passed
        if self.done and isinstance(error, ModelConnectionError):
            return True
        redact(error, self._door.secrets)
        if error is exc:
            return False
        raise error from exc


def redact(error: Exception, secrets: tuple[str, ...]) -> None:
    """Cuts secrets out of a message, where some servers repeat them in full."""
    if not isinstance(error, HeadraceError):
        return
    for secret in secrets:
        if len(secret) >= 8:
            error.args = tuple(
                arg.replace(secret, "[key]") if isinstance(arg, str) else arg for arg in error.args
            )


class RawModel(Specification):
    """A model of any kind whose requests go through a Door, on the clients of the process."""

    sdk: ClassVar[str] = ""  # the SDK's module, loaded by `warm` before a first request

    @classmethod
    def _warm(cls) -> None:
        """Does in a worker what would block an event loop: the imports, and the SSL context."""

    async def _prepare(self, run: Run) -> None:
        # Not by `sys.modules`: a module is there while another thread still loads it, and an
        # event loop that imports it then waits for that thread.
        if not self.sdk or self.sdk not in _loaded:
            await run.io.blocking(type(self)._warm)
            _loaded.add(self.sdk)

    async def _make_ready(self, io: World) -> None:
        await super()._make_ready(io)
        await self._client(self._exchange(), io)

    def _exchange(self) -> Any:
        """The service as it is resolved now; keys are never kept in the model."""
        raise NotImplementedError

    def _place(self) -> Any:
        """Where requests go and in whose name, as resolved now: a Place, or what is like it."""
        raise NotImplementedError

    def _resolved(self) -> Resolution:
        """The settings of the account, and where each came from."""
        found: Resolution = self._place().found
        return found

    def explain(self) -> dict[str, Origin]:
        """Where key, address and account come from now; see `Credential.explain`."""
        return dict(self._resolved().origins)

    async def _client(self, door: Door, io: World) -> SDKClient:
        """The client for this door, in this world; closed with its event loop."""
        make = partial(door.make_client, io.is_async)
        assert self.__pydantic_private__ is not None  # as attributes, these take 6 us
        user = self.__pydantic_private__["_user"]
        client: SDKClient = CLIENTS.use(user, door.client_key, make, is_async=io.is_async)
        if io.is_async:
            await client.watch()
        return client

    async def _send(self, door: Door, body: Mapping[str, Any], limits: Limits, run: Run) -> Any:
        client = await self._client(door, run.io)
        return await door.send(client, body, limits, run.io)

    async def _read(
        self, door: Door, body: Mapping[str, Any], gate: Gate, watch: Watch, run: Run
    ) -> tuple[bytes, Mapping[str, str]]:
        """The whole body of a response, and its headers."""
        limits, pieces = Limits.of(watch, stream=False), []
        response = await self._send(door, body, limits, run)
        gate.begun, watch.headers = True, response.headers
        try:
            async for data in run.io.iterate(bytes_of(response, run.io)):
                watch.saw(False)
                pieces.append(data)
        finally:
            await close_response(response, run.io)
        return b"".join(pieces), response.headers

    async def _ask_aside(
        self, door: Door, ask: Callable[[Any, Limits], Awaitable[T]], io: World
    ) -> T:
        """What `ask(client, limits)` gives: a request beside the conversation, such as a list."""
        await io.blocking(type(self)._warm)
        patience = cast("Timeout", self.timeout)
        limits = Limits(patience.connect, patience.for_invoke())
        with Gate(door):
            answer = await ask(await self._client(door, io), limits)
        return answer

    async def _fetch(self, door: ClientDoor, asked: RawRequest, io: World) -> bytes:
        """The whole body of the answer to such a request."""
        return await self._ask_aside(
            door, lambda client, limits: door.fetch(client, asked, limits, io), io
        )


def bytes_of(response: Any, io: World) -> Any:
    """The pieces of a body, as its world iterates them."""
    return response.aiter_bytes() if io.is_async else response.iter_bytes()


async def close_response(response: Any, io: World) -> None:
    """Gives the connection back."""
    await io.settle(response.aclose() if io.is_async else response.close())
