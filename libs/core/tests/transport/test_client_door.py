"""Doors below an SDK's typed methods: what opens, what is refused, and what is closed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from headrace.engine.drive import drive
from headrace.engine.worlds import async_world, sync_world
from headrace.errors import ModelRateLimitError
from headrace.transport import ClientSettings, Gate, Limits, LowerDoor, RawRequest, SDKClient

LIST = RawRequest("GET", "/models")


class Answers(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that knows whether it was closed."""

    def __init__(self, data: bytes) -> None:
        self._data, self.closed = data, 0

    def __iter__(self) -> Any:
        yield self._data

    async def __aiter__(self) -> Any:
        yield self._data

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.close()


class PlainDoor(LowerDoor):
    """Through the HTTP client itself, to a service that answers `status` with `body`."""

    def __init__(self, status: int, body: Answers) -> None:
        self.seen: list[httpx2.Request] = []
        self._status, self._body = status, body

    @property
    def client_settings(self) -> ClientSettings:
        return ClientSettings("http://service.test/v1", lambda: "key-now")

    def make_client(self, is_async: bool) -> SDKClient:
        def answer(request: httpx2.Request) -> httpx2.Response:
            self.seen.append(request)
            return httpx2.Response(self._status, stream=self._body, headers={"retry-after": "7"})

        make: Any = httpx2.AsyncClient if is_async else httpx2.Client
        return SDKClient(make(transport=httpx2.MockTransport(answer)))

    def request(self, client: SDKClient, asked: RawRequest, limits: Limits, key: Any) -> Any:
        url, headers = self.client_settings.base_url + asked.path, {"authorization": key}
        return client.http.build_request(asked.method, url, json=asked.body, headers=headers)


def fetched(door: PlainDoor, world: str) -> bytes:
    if world == "sync":
        with Gate(door):
            return drive(door.fetch(door.make_client(False), LIST, Limits(1, 1), sync_world()))

    async def fetch() -> bytes:
        with Gate(door):
            return await door.fetch(door.make_client(True), LIST, Limits(1, 1), async_world())

    return asyncio.run(fetch())


@pytest.mark.parametrize("world", ["sync", "async"])
def test_an_answer_is_read_whole_and_closed(world: str) -> None:
    body = Answers(b"[1, 2]")
    door = PlainDoor(200, body)
    assert fetched(door, world) == b"[1, 2]"
    assert body.closed
    assert (door.seen[0].url.path, door.seen[0].headers["authorization"]) == (
        "/v1/models", "key-now",
    )  # fmt: skip


@pytest.mark.parametrize("world", ["sync", "async"])
@pytest.mark.parametrize("said", [b'{"error": {"message": "slow down"}}', b"slow down"])
def test_an_error_status_is_an_error_with_what_was_said(said: bytes, world: str) -> None:
    body = Answers(said)
    with pytest.raises(ModelRateLimitError, match=r"^slow down$") as caught:
        fetched(PlainDoor(429, body), world)
    assert (caught.value.status, caught.value.retry_after) == (429, 7.0)
    assert body.closed


class OtherDoor(PlainDoor):
    """Another partner's, whose settings are the same."""

    def make_client(self, is_async: bool) -> SDKClient:
        raise NotImplementedError


class SecondPath(PlainDoor):
    """Another path of the same partner's."""

    path = "/second"

    @property
    def client_settings(self) -> ClientSettings:
        return ClientSettings("http://service.test/v1", "k")


class ThirdPath(SecondPath):
    path = "/third"


def test_partners_share_no_client_and_the_paths_of_one_do() -> None:
    def key(door: type[PlainDoor]) -> Any:
        return door(200, Answers(b"")).client_key

    assert key(SecondPath) == key(ThirdPath)
    assert hash(key(SecondPath)) == hash(key(ThirdPath))

    class OtherPath(OtherDoor, SecondPath): ...

    assert key(OtherPath) != key(SecondPath)
