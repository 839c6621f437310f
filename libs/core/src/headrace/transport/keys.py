"""Keys of requests: as they are, or as the caller's function gives them now."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import drive
from headrace.engine.worlds import async_world, sync_world
from headrace.errors import ConfigurationError

if TYPE_CHECKING:
    from headrace.engine.worlds import World


async def key_now(key: Any, io: World) -> Any:
    """The key of one request: itself, or what the function that it is gives now.

    A plain function may ask a server for a token: in an async run it does so in a thread. Raises
    ConfigurationError for an async one in a sync run.
    """
    if not callable(key):
        return key
    value = key() if iscoroutinefunction(key) else await io.blocking(key)
    if not isawaitable(value):
        return str(value)
    if io.is_async:
        return str(await value)
    if hasattr(value, "close"):
        value.close()  # a coroutine that nobody will await
    raise ConfigurationError(
        "`api_key` is an async function; call the model by `ainvoke` or `astream`, or give a "
        "plain one"
    )


def checked_key(key: Callable[[], Any]) -> Callable[[], str]:
    """A function that gives the key, for an SDK that asks for it itself in sync calls."""
    return lambda: drive(key_now(key, sync_world()))


def awaitable_key(key: Callable[[], Any]) -> Callable[[], Any]:
    """The same for async calls."""

    async def give() -> Any:
        return await key_now(key, async_world())

    return give
