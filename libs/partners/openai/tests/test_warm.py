"""`model.warm()`: the SDK and the client are there before the first request needs them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headrace.chat_models import CLIENTS
from headrace.errors import MissingCredentialError
from headrace.testing import ScriptedChatModel
from headrace.testing.loopback import LoopbackServer
from headrace.transport import door
from headrace_openai import ChatOpenAI
from headrace_openai.loopback import ChatCompletionsWire

KEYED: dict[str, Any] = {"model": "gpt-4o-mini", "api_key": "sk-1"}


def until(told: Callable[[], bool]) -> bool:
    """Waits for it, in a thread that may wait."""
    end = time.monotonic() + 20
    while not told() and time.monotonic() < end:
        time.sleep(0.005)
    return told()


def made(before: int) -> bool:
    """Waits until the process has a client more."""
    return until(lambda: len(CLIENTS) > before)


@pytest.fixture(autouse=True)
def _no_dead_clients() -> None:
    """Those of closed loops and the unused ones too many go when another is made: go now."""
    CLIENTS._drop_dead()


@pytest.fixture
def url() -> Iterator[str]:
    with LoopbackServer(ScriptedChatModel(["hello"] * 3), ChatCompletionsWire()) as server:
        yield server.base_url


def test_a_warmed_model_asks_by_the_client_that_was_made_for_it(url: str) -> None:
    before = len(CLIENTS)
    with ChatOpenAI(base_url=url, **KEYED) as model:
        model.warm()
        assert made(before)
        ready = len(CLIENTS)
        assert model.invoke("hi").text == "hello"
        assert len(CLIENTS) == ready


def test_inside_a_loop_the_client_of_that_loop_is_made(url: str) -> None:
    async def main() -> None:
        before = len(CLIENTS)
        async with ChatOpenAI(base_url=url, **KEYED) as model:
            model.warm()
            assert await asyncio.to_thread(made, before)
            assert (await model.ainvoke("hi")).text == "hello"
            assert len(CLIENTS) == before + 1

    asyncio.run(asyncio.wait_for(main(), 20))


def test_warming_again_makes_no_other_client(url: str) -> None:
    before = len(CLIENTS)
    with ChatOpenAI(base_url=url, **KEYED) as model:
        for _ in range(3):
            model.warm()
        assert made(before)
        assert model.invoke("hi").text == "hello"
        assert len(CLIENTS) == before + 1


def test_what_fails_in_the_background_comes_up_at_the_first_request(monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    model = ChatOpenAI(model="gpt-4o-mini")
    model.warm()
    with pytest.raises(MissingCredentialError, match="OPENAI_API_KEY"):
        model.invoke("hi")


def test_a_model_in_layers_warms_the_one_inside(url: str) -> None:
    before = len(CLIENTS)
    with ChatOpenAI(base_url=url, **KEYED).with_retry().bind(temperature=0) as model:
        model.warm()
        assert made(before)


def test_a_request_waits_for_the_sdk_in_a_worker_while_another_thread_loads_it(
    monkeypatch, url: str
) -> None:
    """The module is in `sys.modules` by then; importing it would hold up the event loop."""
    turned, threads = threading.Event(), []

    def slow() -> None:
        threads.append(threading.get_ident())
        assert turned.wait(10)

    monkeypatch.setattr(door, "_loaded", set())
    monkeypatch.setattr(ChatOpenAI, "_warm", slow)

    async def main() -> None:
        async with ChatOpenAI(base_url=url, **KEYED) as model:
            model.warm()
            asked = asyncio.create_task(model.ainvoke("hi"))
            assert await asyncio.to_thread(until, lambda: len(threads) == 2)
            turned.set()
            assert (await asked).text == "hello"

    asyncio.run(asyncio.wait_for(main(), 20))
    assert threading.get_ident() not in threads
