from __future__ import annotations

import asyncio
import gc
import os
from typing import Any

import pytest

from headrace.chat_models.clients import UNUSED_KEPT, Clients, ClientUser


class Client:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> Any:
        self.closed += 1
        return asyncio.sleep(0) if self.is_async else None

    is_async = False


class AsyncClient(Client):
    is_async = True


def test_equal_settings_share_one_client_and_others_do_not() -> None:
    clients, user = Clients(), ClientUser()
    one = clients.use(user, ("p", 1), Client, is_async=False)
    assert clients.use(ClientUser(), ("p", 1), Client, is_async=False) is one
    assert clients.use(user, ("p", 2), Client, is_async=False) is not one


def test_a_client_is_closed_by_its_last_user_and_once() -> None:
    clients, first, second = Clients(), ClientUser(), ClientUser()
    client = clients.use(first, "k", Client, is_async=False)
    clients.use(second, "k", Client, is_async=False)
    clients.release(first)
    assert client.closed == 0
    clients.release(second)
    clients.release(second)
    assert client.closed == 1
    assert len(clients) == 0


def test_a_client_whose_models_are_gone_is_kept_for_models_to_come() -> None:
    clients = Clients()
    client = clients.use(ClientUser(), "k", Client, is_async=False)
    gc.collect()
    assert clients.use(ClientUser(), "k", Client, is_async=False) is client


def test_of_unused_clients_only_the_latest_are_kept() -> None:
    clients = Clients()
    made = [clients.use(ClientUser(), n, Client, is_async=False) for n in range(UNUSED_KEPT + 5)]
    gc.collect()
    clients.use(ClientUser(), "new", Client, is_async=False)
    assert sum(client.closed for client in made) == 5
    assert [client.closed for client in made[:5]] == [1] * 5


def test_each_event_loop_has_a_client_of_its_own_and_closed_loops_are_forgotten() -> None:
    clients = Clients()

    async def use() -> Any:
        return clients.use(ClientUser(), "k", AsyncClient, is_async=True)

    assert asyncio.run(use()) is not asyncio.run(use())
    assert len(clients) == 1


def test_an_async_client_is_closed_on_its_loop() -> None:
    clients, user = Clients(), ClientUser()

    async def use() -> Any:
        client = clients.use(user, "k", AsyncClient, is_async=True)
        await clients.arelease(user)
        return client

    assert asyncio.run(use()).closed == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are of POSIX systems")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_begins_without_its_parents_clients() -> None:
    from headrace.chat_models.clients import CLIENTS

    user = ClientUser()
    CLIENTS.use(user, "of the parent", Client, is_async=False)
    child = os.fork()
    if not child:
        os._exit(len(CLIENTS))
    _, status = os.waitpid(child, 0)
    CLIENTS.release(user)
    assert os.waitstatus_to_exitcode(status) == 0


def test_closing_all_closes_the_sync_clients() -> None:
    clients = Clients()
    client = clients.use(ClientUser(), "k", Client, is_async=False)
    clients.close()
    assert (client.closed, len(clients)) == (1, 0)
