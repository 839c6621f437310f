"""What keeps answers: bytes under a key, and how both worlds come to them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from headrace.errors import InputError

if TYPE_CHECKING:
    from headrace.engine.worlds import World

LOGGER = logging.getLogger("headrace.caches")


class CacheStore(Protocol):
    """Bytes by key, shared by threads. `ttl` in seconds; None: as long as the store likes.

    In async calls its methods run in a worker thread; a store whose methods never wait says so
    by `inline = True`, and one that awaits has `aget`, `aset`, `adelete` and `aclear` too.
    """

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None: ...

    def delete(self, key: str) -> None: ...

    def clear(self, namespace: str | None = None) -> None:
        """Deletes all, or all of one namespace: the keys that begin with its name and a colon."""


def check_store(store: Any, asked_by: str) -> CacheStore:
    """`store` if it is one; InputError saying what one is otherwise."""
    if all(callable(getattr(store, name, None)) for name in ("get", "set", "delete", "clear")):
        found: CacheStore = store
        return found
    raise InputError(
        f"`{asked_by}` takes a store with `get`, `set`, `delete` and `clear`, such as "
        f"`InMemoryCache()`, not {type(store).__name__}"
    )


async def read(store: CacheStore, key: str, io: World) -> bytes | None:
    """What is kept under `key`; a store that fails keeps nothing."""
    try:
        found = await _call(store, "get", io, key)
    except Exception as error:  # noqa: BLE001 - a store of the user's fails in its own ways
        tell_once(store, "read", error)
        return None
    return found if isinstance(found, bytes) else None


async def write(store: CacheStore, key: str, value: bytes, ttl: float | None, io: World) -> None:
    """Keeps it, where the store can."""
    try:
        await _call(store, "set", io, key, value, ttl)
    except Exception as error:  # noqa: BLE001 - as above
        tell_once(store, "written", error)


async def _call(store: CacheStore, name: str, io: World, *args: Any) -> Any:
    method = getattr(store, name)
    if io.is_async:
        if (awaited := getattr(store, f"a{name}", None)) is not None:
            return await awaited(*args)
        if not getattr(store, "inline", False):
            return await io.blocking(method, *args)
    return method(*args)


_TOLD: set[tuple[int, str]] = set()


def tell_once(store: CacheStore, what: str, error: Exception) -> None:
    """Logs that a store is of no use; the calls go on without it."""
    if (id(store), what) not in _TOLD:
        _TOLD.add((id(store), what))
        LOGGER.warning(
            "the cache %s could not be %s; calls go on without it (told once)",
            type(store).__name__, what, exc_info=error,
        )  # fmt: skip
