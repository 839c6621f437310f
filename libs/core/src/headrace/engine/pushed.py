"""Work that pushes, in a sync run: a worker thread does it, the caller takes what it puts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from headrace.engine.strands import Stopped
from headrace.engine.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from headrace.engine.strands import Scope

T = TypeVar("T")

AHEAD = 64  # items that may wait for the consumer


class Pushed(Generic[T]):
    """As `ahead.Ahead`, for a thread that waits: `next()` and `end()` block."""

    def __init__(
        self, work: Callable[[Callable[[T], bool]], object], stop: Callable[[], None], scope: Scope
    ) -> None:
        self._work, self._stop, self._scope = work, stop, scope
        self._changed = threading.Condition()
        self._ready: list[T] = []
        self._started = self._ended = self._closing = False
        self._error: BaseException | None = None

    def next(self) -> list[T]:
        if not self._started:
            self._started = True
            WORKERS.submit(self._serve)
        self._scope.watch(self._stir)
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._ready or self._ended or self._scope.stopped)
                if self._scope.stopped:
                    raise Stopped
                items, self._ready = self._ready, []
                self._changed.notify_all()
        finally:
            self._scope.unwatch(self._stir)
        if not items and self._error is not None:
            raise self._error
        return items

    def end(self) -> None:
        if not self._started:
            return
        with self._changed:
            self._closing = True
            ended = self._ended
            self._changed.notify_all()
        if not ended:
            self._stop()
        with self._changed:
            self._changed.wait_for(lambda: self._ended)

    def _serve(self) -> None:
        error: BaseException | None = None
        try:
            self._work(self._put)
        except BaseException as raised:
            error = raised
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _put(self, item: T) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: len(self._ready) < AHEAD or self._closing)
            if self._closing:
                return False
            self._ready.append(item)
            self._changed.notify_all()
            return True

    def _stir(self) -> None:
        with self._changed:
            self._changed.notify_all()
