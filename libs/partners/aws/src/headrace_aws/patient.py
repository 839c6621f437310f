"""Timeouts of a call on clients whose timeouts belong to the client, and reads that end in time.

botocore has no public place for that: its HTTP session and the pool manager in it are looked for
where botocore 1.44 keeps them. Where they are not found, the client's own timeouts hold; a test
sees to it that they are found in the installed version.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

from headrace.chat_models import Watch
from headrace.engine.strands import Stopped

_LEAST = 0.001  # seconds; 0 would make the socket one that does not block


def seconds(value: float | None) -> float | None:
    """A timeout as sockets take it."""
    return None if value is None else max(float(value), _LEAST)


def put_timeouts(client: Any, timeout: Any) -> bool:
    """Has the connections of a client ask `timeout` anew for each request, if it can be done.

    `timeout` is one of urllib3, which calls its `clone()` for the timeouts of a request.
    """
    session: Any = getattr(getattr(client, "_endpoint", None), "http_session", None)
    manager = getattr(session, "_manager", None)
    if manager is None or not hasattr(session, "_timeout"):
        return False
    session._timeout = timeout  # of proxies' managers, which are made when they are needed
    manager.connection_pool_kw["timeout"] = timeout
    return True


def read_in_time(raw: Any, watch: Watch) -> Iterator[bytes]:
    """The pieces of an unread response of urllib3, for a sync run.

    Each comes within what is left of its time; a read that waits is cut if its run is called off.
    """
    pieces, scope, cut = raw.stream(), watch.scope, partial(wake, raw)
    if scope is not None:
        scope.watch(cut)
    try:
        while (piece := _next(pieces, raw, watch)) is not None:
            yield piece
    finally:
        if scope is not None:
            scope.unwatch(cut)


def _next(pieces: Iterator[bytes], raw: Any, watch: Watch) -> bytes | None:
    if (found := _socket(raw)) is not None:
        found.settimeout(seconds(watch.left))
    scope = watch.scope
    if scope is None:
        return next(pieces, None)
    try:
        return None if scope.stopped else next(pieces, None)
    finally:
        if scope.stopped:
            raise Stopped


def wake(raw: Any) -> None:
    """Ends a read that another thread waits in."""
    found = _socket(raw)
    if found is None:
        return  # all was read just now: nobody waits
    try:
        # Not the method of a TLS socket, which would take its state from under the reader.
        socket.socket.shutdown(found, socket.SHUT_RDWR)
    except (OSError, TypeError):
        return  # it is closed already


def _socket(raw: Any) -> Any:
    """The socket of a response, while its connection is not given back."""
    connection = raw.connection
    return None if connection is None else connection.sock
