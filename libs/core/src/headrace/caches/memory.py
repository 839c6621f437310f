"""InMemoryCache: answers kept in this process, those used last."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from headrace.engine.recent import Guard
from headrace.errors import InputError

MEBIBYTE = 1 << 20


class InMemoryCache:
    """Keeps at most so many entries and bytes, for `ttl` seconds; who was used last stays.

    A copy by pickle is an empty one of the same limits.
    """

    inline = True

    def __init__(
        self,
        *,
        max_entries: int | None = 10_000,
        max_bytes: int | None = 256 * MEBIBYTE,
        ttl: float | None = None,
    ) -> None:
        for name, value in (("max_entries", max_entries), ("max_bytes", max_bytes), ("ttl", ttl)):
            if value is not None and not value > 0:
                raise InputError(f"`{name}` is a number above 0 or None, not {value!r}")
        self.max_entries, self.max_bytes, self.ttl = max_entries, max_bytes, ttl
        self._guard = Guard()
        self._kept: OrderedDict[str, tuple[bytes, float | None]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> bytes | None:
        with self._guard:
            entry = self._kept.get(key)
            if entry is None:
                return None
            value, until = entry
            if until is not None and time.monotonic() >= until:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return value

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        ttl = self.ttl if ttl is None else ttl
        until = None if ttl is None else time.monotonic() + ttl
        with self._guard:
            self._drop(key)
            if self.max_bytes is not None and len(value) > self.max_bytes:
                return
            self._kept[key] = (bytes(value), until)
            self._bytes += len(value)
            while self._is_over():
                self._drop(next(iter(self._kept)))

    def delete(self, key: str) -> None:
        with self._guard:
            self._drop(key)

    def clear(self, namespace: str | None = None) -> None:
        with self._guard:
            for key in list(self._kept):
                if namespace is None or key.startswith(f"{namespace}:"):
                    self._drop(key)

    def _is_over(self) -> bool:
        if self.max_entries is not None and len(self._kept) > self.max_entries:
            return True
        return self.max_bytes is not None and self._bytes > self.max_bytes

    def _drop(self, key: str) -> None:
        entry = self._kept.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry[0])

    def __len__(self) -> int:
        return len(self._kept)

    def __bool__(self) -> bool:
        return True  # an empty store is one

    def __reduce__(self) -> Any:
        limits = {"max_entries": self.max_entries, "max_bytes": self.max_bytes, "ttl": self.ttl}
        return _made, (limits,)

    def __repr__(self) -> str:
        return f"InMemoryCache(max_entries={self.max_entries}, max_bytes={self.max_bytes})"


def _made(limits: dict[str, Any]) -> InMemoryCache:
    return InMemoryCache(**limits)
