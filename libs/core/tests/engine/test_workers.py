"""Threads on demand: used again, never in each other's way."""

from __future__ import annotations

import contextvars
import os
import threading
import time
import weakref

import pytest

from headrace.engine import workers
from headrace.engine.workers import Workers


def ran(pool, work=lambda: None):
    """The thread that ran `work`, after it did."""
    done, found = threading.Event(), []

    def task():
        found.append(threading.current_thread())
        work()
        done.set()

    pool.submit(task)
    assert done.wait(10)
    return found[0]


def idle(pool):
    """Waits until a thread of the pool has nothing to do."""
    while not pool._idle:
        time.sleep(0)
    return True


def test_a_thread_without_work_is_used_again() -> None:
    pool = Workers()
    first = ran(pool)
    assert idle(pool)
    assert ran(pool) is first


def test_work_never_waits_for_other_work() -> None:
    pool, barrier = Workers(), threading.Barrier(21)
    for _ in range(20):
        pool.submit(lambda: barrier.wait(10))
    barrier.wait(10)


def test_a_thread_without_work_for_a_while_leaves() -> None:
    pool = Workers(idle=0.01)
    thread = ran(pool)
    thread.join(10)
    assert not thread.is_alive()
    assert pool._idle == 0
    assert ran(pool) is not thread


def test_threads_are_daemons_so_that_the_program_may_end() -> None:
    assert ran(Workers()).daemon


def test_a_thread_that_waits_keeps_nothing_of_its_last_task() -> None:
    class Big:
        pass

    pool, big = Workers(), Big()
    gone = weakref.ref(big)
    ran(pool, lambda held=big: None)
    del big
    assert idle(pool)
    assert gone() is None


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")


def test_a_task_sees_a_copy_of_its_callers_context() -> None:
    seen = []

    def work():
        seen.append(variable.get())
        variable.set("theirs")

    variable.set("mine")
    ran(Workers(), work)
    assert (seen, variable.get()) == (["mine"], "mine")


def test_a_task_may_be_given_another_context() -> None:
    context, done, seen = contextvars.Context(), threading.Event(), []
    context.run(variable.set, "given")
    Workers().submit(lambda: (seen.append(variable.get()), done.set()), context)
    assert done.wait(10)
    assert seen == ["given"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_starts_threads_of_its_own() -> None:
    ran(workers.WORKERS)
    assert idle(workers.WORKERS)
    child = os.fork()
    if child == 0:
        try:
            ran(workers.WORKERS)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
