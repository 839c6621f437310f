"""The table through which a lower floor reaches an upper one, filled as that is imported."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headrace.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

_TABLE: dict[str, Any] = {}


def provide(name: str, value: Any) -> None:
    """Puts what an upper package offers under `name`."""
    _TABLE[name] = value


def provide_lazily(name: str, module: str) -> None:
    """Says that `name` stands in `module`, which is imported when it is first reached."""
    _TABLE.setdefault(name, _Lazy(module))


class _Lazy:
    def __init__(self, module: str) -> None:
        self.module = module


def reach(name: str) -> Callable[..., Any]:
    """What stands under `name`; ConfigurationError if its package was never imported."""
    found = _TABLE.get(name)
    if found is None:
        raise ConfigurationError(
            f"`{name}` is not there yet: import `headrace.runnables` (or `headrace`) first"
        )
    if isinstance(found, _Lazy):
        found = _TABLE[name] = getattr(import_module(found.module), name)
    return found  # type: ignore[no-any-return]  # the table is untyped by nature
