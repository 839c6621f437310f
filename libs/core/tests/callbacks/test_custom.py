"""Custom events: where they may come from, and to whom they go."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from headrace.callbacks import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    adispatch_custom_event,
    dispatch_custom_event,
)
from headrace.errors import ConfigurationError
from headrace.runnables import RunnableLambda


class Heard(BaseCallbackHandler):
    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        self.events.append((name, data, kwargs["tags"]))


class HeardLater(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.events: list[Any] = []

    async def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        await asyncio.sleep(0)
        self.events.append((name, data, kwargs["tags"]))


@pytest.mark.parametrize("kind", [Heard, HeardLater])
@pytest.mark.parametrize("inline", [False, True])
def test_a_plain_function_tells_its_listeners(world: Any, kind: Any, inline: bool) -> None:
    def work(x: int) -> int:
        dispatch_custom_event("begun", x)
        return x

    handler = kind()
    step = RunnableLambda(work, inline=inline)
    world.invoke(step, 1, {"callbacks": [handler], "tags": ["t"]})
    assert handler.events == [("begun", 1, ["t"])]


@pytest.mark.parametrize("kind", [Heard, HeardLater])
def test_a_coroutine_function_tells_its_listeners(world: Any, kind: Any) -> None:
    async def work(x: int) -> int:
        await adispatch_custom_event("begun", x)
        return x

    handler = kind()
    world.invoke(RunnableLambda(work), 1, {"callbacks": [handler]})
    assert handler.events == [("begun", 1, [])]


def test_the_config_carries_the_run_to_a_thread_of_the_users(world: Any) -> None:
    def work(x: int, config: Any) -> int:
        def elsewhere() -> None:
            dispatch_custom_event("there", x, config=config)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return x

    handler = Heard()
    world.invoke(RunnableLambda(work), 1, {"callbacks": [handler]})
    assert handler.events == [("there", 1, [])]


def test_without_a_listener_nothing_happens(world: Any) -> None:
    def work(x: int) -> int:
        dispatch_custom_event("begun", x)
        return x

    assert world.invoke(RunnableLambda(work), 1) == 1


def test_outside_a_run_it_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="none runs here"):
        dispatch_custom_event("lost")
    with pytest.raises(ConfigurationError, match="none runs here"):
        asyncio.run(adispatch_custom_event("lost"))
