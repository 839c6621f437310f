"""Daemon threads on demand: they start when none is idle and leave after a while without work.

Not asyncio's default executor: that has a handful of threads, which also look up names, and
a pool with an upper bound deadlocks when its work waits for more of its work.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

IDLE_SECONDS = 5.0


class Workers:
    """`submit(task)` runs `task()` in a thread of its own, in a copy of a context."""

    def __init__(self, idle: float = IDLE_SECONDS) -> None:
        self._patience = idle
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._queue: deque[Callable[[], None]] = deque()
        self._idle = 0

    def submit(self, task: Callable[[], None], context: Context | None = None) -> None:
        """Starts `task` now; in a copy of the caller's context if none is given."""
        copied = copy_context() if context is None else context.copy()
        first = partial(copied.run, task)
        with self._lock:
            if self._idle > len(self._queue):
                self._queue.append(first)
                self._wake.notify()
                return
        threading.Thread(target=self._serve, args=([first],), name="headrace", daemon=True).start()

    def _serve(self, box: list[Callable[[], None]]) -> None:
        while True:
            box.pop()()  # nothing of a finished task stays referenced while this thread waits
            with self._lock:
                self._idle += 1
                try:
                    if not self._wake.wait_for(lambda: self._queue, self._patience):
                        return
                    box.append(self._queue.popleft())
                finally:
                    self._idle -= 1


WORKERS = Workers()


def _after_fork() -> None:
    WORKERS.__init__()  # type: ignore[misc]  # a forked child has none of the parent's threads


os.register_at_fork(after_in_child=_after_fork)
