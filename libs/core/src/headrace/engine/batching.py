"""One thread at a time that does what others hand it, in batches and in order."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from headrace.engine.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class _Job(Generic[T]):
    __slots__ = ("done", "error", "item")

    def __init__(self, item: T) -> None:
        self.item, self.done = item, threading.Event()
        self.error: BaseException | None = None


class Batcher(Generic[T]):
    """Calls `work(items)` with all that came meanwhile; its thread leaves when nothing is left."""

    def __init__(self, work: Callable[[list[T]], None]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._jobs: deque[_Job[T]] = deque()
        self._at_work = False

    def put(self, item: T) -> None:
        """Hands it over and waits until it is done; raises what came up."""
        job = self._add(item)
        job.done.wait()
        if job.error is not None:
            raise job.error

    def post(self, item: T) -> None:
        """Hands it over; nobody waits, and an error is nobody's."""
        self._add(item)

    def _add(self, item: T) -> _Job[T]:
        job = _Job(item)
        with self._lock:
            self._jobs.append(job)
            starts, self._at_work = not self._at_work, True
        if starts:
            WORKERS.submit(self._serve)
        return job

    def _serve(self) -> None:
        while True:
            with self._lock:
                jobs, self._jobs = list(self._jobs), deque()
                if not jobs:
                    self._at_work = False
                    return
            error: BaseException | None = None
            try:
                self._work([job.item for job in jobs])
            except BaseException as raised:
                error = raised
            for job in jobs:
                job.error = error
                job.done.set()
