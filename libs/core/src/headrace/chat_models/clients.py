"""The SDK clients of the process, shared by models of equal settings on one event loop.

Not in models: a model built for each request would pay for a client (20 ms, nearly all of it
the SSL context) and its connections each time.
"""

from __future__ import annotations

import atexit
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from headrace.engine.worlds import running_loop
from headrace.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNUSED_KEPT = 64  # clients no living model uses, kept for models to come


class ClientUser:
    """Whose use of a client is counted: one for each model."""


class _Entry:
    def __init__(self, client: Any, loop: Any) -> None:
        self.client, self.loop = client, loop
        self.users: WeakSet[ClientUser] = WeakSet()


class Clients:
    """Clients by key and event loop; those of closed loops and of a forked parent are dropped."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: OrderedDict[tuple[Hashable, int], _Entry] = OrderedDict()

    def use(
        self, user: ClientUser, key: Hashable, make: Callable[[], Any], *, is_async: bool
    ) -> Any:
        """The client of this key, made if there is none yet on the running loop."""
        check_requests_allowed()
        loop = running_loop() if is_async else None
        with self._lock:
            entry = self._entries.get((key, id(loop)))
            if entry is None or entry.loop is not loop:
                self._drop_dead()
                entry = self._entries[(key, id(loop))] = _Entry(make(), loop)
            self._entries.move_to_end((key, id(loop)))
            entry.users.add(user)
            return entry.client

    def _drop_dead(self) -> None:
        unused = []
        for key, entry in list(self._entries.items()):
            if entry.loop is not None and entry.loop.is_closed():
                del self._entries[key]
            elif entry.loop is None and not entry.users:
                unused.append(key)
        for key in unused[: max(0, len(unused) - UNUSED_KEPT)]:
            self._entries.pop(key).client.close()

    def _leave(self, user: ClientUser, loop: Any) -> list[Any]:
        with self._lock:
            left = []
            for key, entry in list(self._entries.items()):
                if entry.loop is loop and user in entry.users:
                    entry.users.discard(user)
                    if not entry.users:
                        left.append(self._entries.pop(key).client)
            return left

    def release(self, user: ClientUser) -> None:
        """Ends a user's use of sync clients; those without users are closed."""
        for client in self._leave(user, None):
            client.close()

    async def arelease(self, user: ClientUser) -> None:
        """Ends a user's use of this loop's clients; those without users are closed."""
        for client in self._leave(user, running_loop()):
            await client.close()

    def close(self) -> None:
        """Closes all sync clients; those of event loops end with their loops."""
        with self._lock:
            ended = [key for key, entry in self._entries.items() if entry.loop is None]
            clients = [self._entries.pop(key).client for key in ended]
        for client in clients:
            client.close()

    def __len__(self) -> int:
        return len(self._entries)


CLIENTS = Clients()
atexit.register(CLIENTS.close)


def _after_fork() -> None:
    CLIENTS.__init__()  # type: ignore[misc]  # two processes must not share a connection


os.register_at_fork(after_in_child=_after_fork)

_forbidden: ContextVar[bool] = ContextVar("headrace_forbid_requests", default=False)


def check_requests_allowed() -> None:
    """Raises ConfigurationError where requests to providers are forbidden."""
    if _forbidden.get() or os.environ.get("HEADRACE_FORBID_REQUESTS") == "1":
        raise ConfigurationError(
            "a request to a provider was about to be made, and requests are forbidden here "
            "(`forbid_requests()` or HEADRACE_FORBID_REQUESTS=1); use an offline or scripted model"
        )


@contextmanager
def forbid_requests() -> Iterator[None]:
    """Inside it, any model that would reach a provider raises ConfigurationError instead."""
    before = _forbidden.get()
    _forbidden.set(True)
    try:
        yield
    finally:
        _forbidden.set(before)
