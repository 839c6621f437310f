"""Work that nobody waits for: done beside the caller, in the world that the caller is in."""

from __future__ import annotations

import sys
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import drive
from headrace.engine.workers import WORKERS
from headrace.engine.worlds import async_world, sync_world

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from headrace.engine.worlds import World

_tasks: set[Any] = set()  # an event loop alone holds its tasks weakly


def aside(work: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    """Begins `work(world)` and returns: in a task of the running loop, else in a worker.

    For what is to be ready when it is needed, and is done again there if it is not: so an error
    is dropped here and comes up there. Nothing waits for the work at exit.
    """
    loop = _loop()
    if loop is None:
        WORKERS.submit(partial(_drive, work), Context())
    else:
        task = loop.create_task(_quiet(work(async_world())), context=Context())
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)


def _drive(work: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    drive(_quiet(work(sync_world())))


async def _quiet(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        return


def _loop() -> Any:
    """The event loop that runs in this thread, if any; a program without one imports none."""
    if "asyncio" not in sys.modules:
        return None
    from asyncio import get_running_loop

    try:
        return get_running_loop()
    except RuntimeError:
        return None
