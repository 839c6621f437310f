"""The cache of all models that were given none of their own."""

from __future__ import annotations

from headrace.caches.store import CacheStore, check_store

_default: CacheStore | None = None


def set_default_cache(store: CacheStore | None) -> None:
    """Sets the cache of this process, for all models with `cache=None` or True; None: no cache."""
    global _default
    _default = None if store is None else check_store(store, "set_default_cache")


def get_default_cache() -> CacheStore | None:
    """The cache of this process, if one was set."""
    return _default
