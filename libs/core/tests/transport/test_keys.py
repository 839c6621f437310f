"""Keys that a function gives: asked for at each request, in the world it is made in."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from headrace.engine.drive import drive
from headrace.engine.worlds import async_world, sync_world
from headrace.errors import ConfigurationError
from headrace.transport import key_now


async def later() -> str:
    return "given-later"


def asked(key: Any, world: str) -> Any:
    if world == "sync":
        return drive(key_now(key, sync_world()))
    return asyncio.run(key_now(key, async_world()))


@pytest.mark.parametrize("world", ["sync", "async"])
@pytest.mark.parametrize(
    ("key", "found"),
    [(None, None), ("k", "k"), (lambda: "given", "given")],
    ids=["none", "text", "function"],
)
def test_a_key_is_itself_or_what_its_function_gives(key: Any, found: Any, world: str) -> None:
    assert asked(key, world) == found


@pytest.mark.parametrize("key", [later, lambda: later()], ids=["async", "plain, of a coroutine"])
def test_an_async_function_is_awaited_in_async_runs_alone(key: Any) -> None:
    assert asked(key, "async") == "given-later"
    with pytest.raises(ConfigurationError, match="`ainvoke`"):
        asked(key, "sync")


def test_a_plain_function_does_not_hold_up_the_event_loop() -> None:
    threads: list[threading.Thread] = []

    def give() -> str:
        threads.append(threading.current_thread())
        return "given"

    asked(give, "async")
    assert threads != [threading.main_thread()]
