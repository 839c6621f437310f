"""Events of a run, and those who listen.

An event is one value. A parent starts before and ends after its children; within a run the
order is exact; `seq` counts all events below one root.
"""

from __future__ import annotations

import inspect
import os
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, runtime_checkable
from weakref import WeakSet

from headrace.deferred import logging
from headrace.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

EventKind = Literal["started", "chunked", "ended", "failed", "noted"]
KINDS: Final[frozenset[EventKind]] = frozenset({"started", "chunked", "ended", "failed", "noted"})

# Notes of our own; every other one is a custom event, and so is one of `dispatch_custom_event`.
OWN_NOTES: Final[frozenset[str]] = frozenset({"retry", "fallback", "text"})


@dataclass(frozen=True, slots=True)
class Event:
    """What happened in a run: `payload` holds input, chunk, output, error, or a note's data.

    started: {"input"} · chunked: {"chunk"} · ended: {"output", "input", "reason"?} ·
    failed: {"error", "input"?} · noted: {"name", "data", "custom"?}. Of a model's request all but
    chunks and notes have "request", a ModelRequest; the start of a stream has "streamed".
    `time` is in seconds since the epoch.
    """

    kind: EventKind
    run_id: str
    parent_ids: tuple[str, ...]
    seq: int
    name: str
    run_type: str
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    payload: dict[str, Any]
    time: float = field(default_factory=time.time)


@runtime_checkable
class Listener(Protocol):
    """Gets the events of the kinds it wants; `handle` may return an awaitable.

    If some listener wants `chunked`, a model that is invoked streams inside.
    """

    wants: frozenset[EventKind]
    raise_errors: bool

    def handle(self, event: Event) -> Awaitable[None] | None: ...


class FunctionListener:
    """A plain function or coroutine function as a listener of `wants`."""

    raise_errors = False

    def __init__(
        self,
        function: Callable[[Event], Awaitable[None] | None],
        wants: Iterable[EventKind] = KINDS - {"chunked"},
    ) -> None:
        self._function, self.wants = function, frozenset(wants)
        if unknown := self.wants - KINDS:
            raise InputError(f"no event kinds {sorted(unknown)}; there are {sorted(KINDS)}")

    def handle(self, event: Event) -> Awaitable[None] | None:
        return self._function(event)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FunctionListener) and (
            (other._function, other.wants) == (self._function, self.wants)
        )

    def __hash__(self) -> int:
        return hash((self._function, self.wants))


def as_listeners(callbacks: Any) -> tuple[Listener, ...]:
    """Listeners from handlers, listeners or plain functions; one, a list, or None."""
    if callbacks is None:
        return ()
    if not isinstance(callbacks, list | tuple):
        callbacks = [callbacks]
    return tuple(_as_listener(item) for item in callbacks)


def _as_listener(item: Any) -> Listener:
    if isinstance(item, Listener):
        return item
    if callable(item) and not inspect.isclass(item):
        return FunctionListener(item)
    raise InputError(
        f"a callback is a handler, a listener or a function of one event, not {item!r}"
        + ("; make an instance of it" if inspect.isclass(item) else "")
    )


_failed: WeakSet[Any] = WeakSet()


def report(listener: Listener, error: Exception) -> None:
    """Logs a listener's failure, once a listener; raises it if the listener asked for that."""
    if listener.raise_errors:
        raise error
    # What lives on from call to call: not our wrapper of a function, nor a bound method.
    subject = getattr(listener, "_function", listener)
    subject = getattr(subject, "__self__", subject)
    try:
        if subject in _failed:
            return
        _failed.add(subject)
    except TypeError:
        pass  # it cannot be remembered
    logging.getLogger("headrace").error(
        "a listener failed and is ignored: %r", listener, exc_info=error
    )


class Ids:
    """Run ids of one process: UUIDs of a random prefix and a counter."""

    def __init__(self) -> None:
        part = os.urandom(8).hex()
        self._prefix = f"{part[:8]}-{part[8:12]}-4{part[12:15]}-8{os.urandom(2).hex()[:3]}-"
        self._next = count(1).__next__

    def new(self) -> str:
        return f"{self._prefix}{self._next():012x}"


IDS = Ids()


def _after_fork() -> None:
    IDS.__init__()  # type: ignore[misc]  # else parent and child would give out the same ids


os.register_at_fork(after_in_child=_after_fork)
