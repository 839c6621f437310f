"""Sync reads that end in time, and at once when their run is called off."""

from __future__ import annotations

import copy
import socket
import threading
from typing import Any, cast

import httpx2
import pytest

from headrace.chat_models import Timeout, Watch
from headrace.engine.strands import Scope, Stopped
from headrace.transport import Patience, SDKClient, patient
from headrace.transport.door import Gate
from headrace.transport.patience import _Backend


class Silent:
    """A server that takes connections and never says a word."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def silent() -> Any:
    server = Silent()
    yield server
    server.close()


def ask(url: str, watch: Watch, most: float | None = None) -> Any:
    with httpx2.Client() as client:
        patient(client)
        return client.get(url, timeout=httpx2.Timeout(30, read=Patience(most, watch)))


def test_the_installed_http_client_has_the_place_where_reads_are_made_patient() -> None:
    with httpx2.Client(proxy="http://127.0.0.1:9") as client:
        patient(client)
        pools = [client._transport._pool, *(t._pool for t in client._mounts.values() if t)]
        assert {type(pool._network_backend).__name__ for pool in pools} == {"_Backend"}


def test_an_async_client_is_left_as_it_is() -> None:
    client = httpx2.AsyncClient()
    backend = client._transport._pool._network_backend
    patient(client)
    assert client._transport._pool._network_backend is backend


@pytest.mark.parametrize("module", ["openai", "anthropic"])
def test_the_installed_sdks_keep_their_http_client_where_it_is_found(module: str) -> None:
    sdk: Any = pytest.importorskip(module)
    make = getattr(sdk, {"openai": "OpenAI", "anthropic": "Anthropic"}[module])
    client = SDKClient(make(api_key="k"))
    pool = client.sdk._client._transport._pool
    client.close()
    assert type(pool._network_backend).__name__ == "_Backend"


def test_a_read_takes_what_is_left_and_not_the_most_that_it_may(silent: Silent) -> None:
    watch = Watch(Timeout(first_chunk=0.05))
    with pytest.raises(httpx2.ReadTimeout):
        ask(silent.url, watch, most=30)


def test_a_read_of_a_run_that_is_called_off_ends_at_once(silent: Silent) -> None:
    scope = Scope(Scope())
    threading.Timer(0.05, scope.stop).start()
    with pytest.raises(Stopped):
        ask(silent.url, Watch(Timeout(None, None, None, None), scope))


def test_no_read_begins_in_a_run_that_was_called_off_before(silent: Silent) -> None:
    scope = Scope()
    scope.stop()
    with pytest.raises(Stopped):
        ask(silent.url, Watch(Timeout(), scope))


def test_to_others_it_is_a_number_of_seconds() -> None:
    assert Patience(3, Watch(Timeout())) + 1 == 4
    assert Patience(None, Watch(Timeout())) > 1e6


def test_a_copy_of_a_requests_options_keeps_its_watch() -> None:
    patience = Patience(5, Watch(Timeout()))
    assert copy.deepcopy({"read": patience})["read"] is patience


class Inner:
    """A network stream of which each read does `during()` and brings one byte."""

    def __init__(self) -> None:
        self.socket, self.there = socket.socketpair()
        self.during: Any = lambda: None

    def connect_tcp(self) -> Inner:
        return self

    def read(self, size: int, timeout: float | None) -> bytes:
        self.during()
        self.there.send(b"a")
        return self.socket.recv(1)

    def get_extra_info(self, name: str) -> Any:
        return self.socket


@pytest.fixture
def inner() -> Any:
    made = Inner()
    yield made
    made.socket.close()
    made.there.close()


def test_a_connection_is_not_cut_by_who_read_from_it_before(inner: Inner) -> None:
    stream = _Backend(inner).connect_tcp()
    before, now = Watch(Timeout(), Scope()), Watch(Timeout(), Scope())
    stream.read(1, Patience(None, before))
    inner.during = before.scope.stop
    assert stream.read(1, Patience(None, now)) == b"a"


def test_all_reads_of_a_request_are_cut_by_one_watcher_that_goes_with_it(inner: Inner) -> None:
    scope, looks = Scope(), []
    stream, watch = _Backend(inner).connect_tcp(), Watch(Timeout(), scope)
    with Gate(cast("Any", None), watch):
        for _ in range(3):
            stream.read(1, Patience(None, watch))
            looks.append(len(scope._watchers))
    assert (looks, scope._watchers) == ([1, 1, 1], ())
