"""Stores of answers, and the one of the process."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headrace.caches.default import get_default_cache, set_default_cache
from headrace.caches.memory import InMemoryCache
from headrace.caches.store import CacheStore

if TYPE_CHECKING:
    from headrace.caches.sqlite import SQLiteCache as SQLiteCache

__all__ = [
    "CacheStore",
    "InMemoryCache",
    "SQLiteCache",
    "get_default_cache",
    "set_default_cache",
]


def __getattr__(name: str) -> Any:
    """SQLiteCache, on first use: most programs load no database."""
    if name == "SQLiteCache":
        return import_module("headrace.caches.sqlite").SQLiteCache
    raise AttributeError(f"module 'headrace.caches' has no attribute {name!r}")
