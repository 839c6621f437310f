"""Sync reads that end in time, and at once when their run is called off.

A blocking read cannot be interrupted from outside, and the HTTP client takes one timeout for a
whole request. So its streams are wrapped: each read asks anew what is left of the bound that
holds now (also while headers drip in), and a socket is shut down under a read whose run ends.
"""

from __future__ import annotations

import socket
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from headrace.engine.strands import Stopped

if TYPE_CHECKING:
    from headrace.chat_models import Watch

FOREVER = 1e8  # seconds; a number, because it must carry its Watch where nothing is bounded
_LEAST = 0.001  # seconds; 0 would make the socket one that does not block


class Patience(float):
    """A read timeout in seconds that knows the Watch of its request.

    To whoever does not know better it is a number: the most that any one read may take.
    """

    __slots__ = ("watch",)
    watch: Watch

    def __new__(cls, seconds: float | None, watch: Watch) -> Patience:
        new = super().__new__(cls, FOREVER if seconds is None else seconds)
        new.watch = watch
        return new

    def __deepcopy__(self, memo: Any) -> Patience:
        return self  # SDKs copy the options of a request; the Watch is its own


def patient(client: Any) -> None:
    """Lets the reads of a sync HTTP client obey the Watch of their request from now on.

    It has no public place for that: `network_backend` is a parameter of its connection pool
    which it does not pass on. Where that is not found, as in an async client, nothing changes,
    and reads keep the fixed timeout.
    Source: httpx2 and httpcore2 2.16 (read 2026-11); tests hold it for the installed version.
    """
    mounted = getattr(client, "_mounts", {}).values()
    for transport in (getattr(client, "_transport", None), *mounted):
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        connect = getattr(backend, "connect_tcp", None)
        if callable(connect) and not iscoroutinefunction(connect):
            pool._network_backend = _Backend(backend)  # type: ignore[union-attr]  # it has one


class _Backend:
    """A network backend of the HTTP client, with patient streams."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def connect_tcp(self, *args: Any, **kwargs: Any) -> _Stream:
        return _Stream(self._inner.connect_tcp(*args, **kwargs))

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> _Stream:
        return _Stream(self._inner.connect_unix_socket(*args, **kwargs))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream:
    """A network stream of the HTTP client, whose reads are patient."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._reader: Watch | None = None  # whose read is under way

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        if not isinstance(timeout, Patience):
            return self._inner.read(max_bytes, timeout)
        watch = timeout.watch
        scope, left = watch.scope, watch.left
        seconds = None if left is None else max(left, _LEAST)
        if scope is None:
            return self._inner.read(max_bytes, seconds)
        if watch.source is not self:  # once a request, for it costs more than the rest of a read
            watch.read_from(self, partial(self._cut, watch))
        self._reader = watch
        try:
            if not scope.stopped:  # asked after `_reader` is set: whoever stops it later will cut
                return self._inner.read(max_bytes, seconds)
        finally:
            self._reader = None
            if scope.stopped:
                raise Stopped

    def _cut(self, watch: Watch) -> None:
        """Ends a read of this request that another thread waits in."""
        if self._reader is not watch:
            return  # the connection may be another request's by now
        found = self._inner.get_extra_info("socket")
        try:
            # Not the method of a TLS socket, which would take its state from under the reader.
            socket.socket.shutdown(found, socket.SHUT_RDWR)
        except (OSError, TypeError):
            return  # it is closed already

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, *args: Any, **kwargs: Any) -> _Stream:
        return _Stream(self._inner.start_tls(*args, **kwargs))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
