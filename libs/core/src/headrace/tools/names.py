"""Names of tools as a wire allows them, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

_BAD = re.compile(r"[^a-zA-Z0-9_-]")


class WireNames:
    """Each name as a provider takes it, `^[a-zA-Z0-9_-]{1,64}$`; reversible for one request.

    A name that fits stays; another has `_` for what is refused and, where it was cut or two
    would be the same, ends with a digest. The same names give the same result every time.
    """

    __slots__ = ("_back", "_limit", "_out", "changed")

    def __init__(self, names: Iterable[str], limit: int = 64) -> None:
        self._limit = limit
        self._out: dict[str, str] = {}
        self._back: dict[str, str] = {}
        self.changed: dict[str, str] = {}  # wire name -> own name, where they differ
        known = list(names)
        for name in sorted(known, key=lambda name: _fitting(name, limit) != name):
            self.out(name)

    def out(self, name: str) -> str:
        """The name on the wire; also of a tool that is no longer bound."""
        found = self._out.get(name)
        if found is None:
            found = _fitting(name, self._limit)
            if found != name and (found in self._back or len(name) > self._limit):
                digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
                found = f"{found[: self._limit - 9]}_{digest}"
            self._out[name] = found
            if self._back.setdefault(found, name) != found:
                self.changed[found] = self._back[found]
        return found

    def back(self, name: str) -> str:
        """The name that was meant; one that was never sent stays as it is."""
        return self._back.get(name, name)


def _fitting(name: str, limit: int) -> str:
    return _BAD.sub("_", name)[:limit] or "_"
