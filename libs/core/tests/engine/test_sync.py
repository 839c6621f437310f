"""What is particular to the sync world: helpers are threads, and Ctrl-C does not wait for them."""

from __future__ import annotations

import itertools
import queue
import signal
import subprocess
import sys
import threading
import time

import pytest

from headrace.engine import sync
from headrace.engine.drive import close, drive
from headrace.engine.strands import Budget, Scope, Stopped
from headrace.engine.sync import SYNC
from headrace.engine.workers import Workers


def on_main():
    return threading.current_thread() is threading.main_thread()


def spread(source, do, scope=None, limit=4, size=None):
    async def one(item):
        do(item)

    drive(SYNC.spread(source, one, Budget(limit), scope or Scope(), size))


def test_a_sync_program_never_loads_asyncio() -> None:
    code = (
        "import sys; from headrace.runnables import RunnableLambda\n"
        "step = RunnableLambda(len) | {'a': lambda x: x, 'b': lambda x: x}\n"
        "assert step.batch(['x'] * 9); assert list(step.stream('x'))\n"
        "assert 'asyncio' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_fan_outs_over_one_item_start_no_thread() -> None:
    seen = []
    spread(["a"], lambda _: seen.append(on_main()), size=1)
    assert seen == [True]


def test_a_keyboard_interrupt_in_spread_does_not_wait_for_helpers() -> None:
    helping, release = threading.Event(), threading.Event()

    def do(item):
        if on_main():
            helping.wait(10)
            raise KeyboardInterrupt
        helping.set()
        assert release.wait(10)

    with pytest.raises(KeyboardInterrupt):
        spread(range(4), do, limit=2, size=4)
    assert not release.is_set()
    release.set()


def test_a_keyboard_interrupt_while_the_caller_waits_for_helpers_does_not_wait_longer() -> None:
    helping, release, scope = threading.Event(), threading.Event(), Scope()

    def do(item):
        if on_main():
            helping.wait(10)
            return
        helping.set()
        time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        release.wait(10)

    with pytest.raises(KeyboardInterrupt):
        spread(range(2), do, scope, limit=2, size=2)
    assert not release.is_set()
    assert scope.stopped
    release.set()


def test_fan_outs_do_without_threads_that_cannot_be_started(monkeypatch) -> None:
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setattr(sync, "WORKERS", Workers())
    seen = []
    spread(range(5), seen.append, size=5)
    found = flow("ab", lambda name: [name], size=2)
    assert [drive(found.__anext__()) for _ in range(2)] == ["a", "b"]
    assert seen == [0, 1, 2, 3, 4]


def test_a_keyboard_interrupt_wins_over_a_helpers_error_that_came_before() -> None:
    working, scope = threading.Event(), Scope()

    def do(item):
        if not on_main():
            working.wait(10)
            raise KeyError(item)
        working.set()
        while not scope.stopped:
            time.sleep(0.001)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spread(range(4), do, scope, limit=2, size=4)


def test_an_exit_asked_for_by_a_helper_ends_the_caller() -> None:
    def do(item):
        if not on_main():
            sys.exit(3)

    with pytest.raises(SystemExit):
        spread(itertools.count(), do)


def test_spread_ends_when_a_scope_around_it_is_stopped() -> None:
    outer, seen = Scope(), []

    def do(item):
        seen.append(item)
        outer.stop()

    with pytest.raises(Stopped):
        spread(itertools.count(), do, Scope(outer), limit=1)
    assert seen == [0]


def test_an_error_in_spread_does_not_wait_for_a_helper_that_waits_for_the_source() -> None:
    waiting, items = threading.Event(), queue.Queue()

    def source():
        yield 1
        waiting.set()
        yield items.get()

    def do(item):
        waiting.wait(10)
        raise KeyError(item)

    with pytest.raises(KeyError):
        spread(source(), do)
    items.put(2)


def flow(source, open, limit=4, scope=None, **options):
    async def each(item):
        for piece in open(item):
            yield piece

    return SYNC.flow(source, each, Budget(limit), scope or Scope(), **options)


def test_leaving_flow_does_not_wait_for_a_helper_that_waits_for_the_source() -> None:
    items = queue.Queue()
    items.put(1)
    found = flow(iter(items.get, None), lambda x: [x], lend=True)
    assert drive(found.__anext__()) == 1
    drive(found.aclose())
    items.put(None)


def test_a_keyboard_interrupt_in_flow_does_not_wait_for_helpers() -> None:
    helping, release = threading.Event(), threading.Event()

    def open(name):
        if on_main():
            helping.wait(10)
            raise KeyboardInterrupt
        helping.set()
        release.wait(10)
        yield name

    with pytest.raises(KeyboardInterrupt):
        drive(flow("ab", open, limit=2, size=2).__anext__())
    assert not release.is_set()
    release.set()


def test_a_thread_of_flow_ends_at_its_next_item_when_the_flow_is_left() -> None:
    made = []

    def open(name):
        for n in itertools.count():
            made.append(n)
            yield n

    found = flow("ab", open, size=2)
    drive(found.__anext__())
    drive(found.aclose())
    count = len(made)
    assert [len(made), drive(close(found))] == [count, None]


def test_flow_stepped_by_its_caller_ends_when_a_scope_around_it_is_stopped() -> None:
    outer = Scope()
    found = flow("ab", lambda name: itertools.repeat(name), 1, Scope(outer), size=2)
    drive(found.__anext__())
    outer.stop()
    with pytest.raises(Stopped):
        drive(found.__anext__())


def test_sleep_ends_when_its_scope_is_stopped() -> None:
    scope = Scope()
    scope.stop()
    with pytest.raises(Stopped):
        drive(SYNC.sleep(60, scope))


def test_an_async_listener_is_heard_on_a_thread_of_its_own() -> None:
    heard = []

    async def listener():
        heard.append(threading.current_thread().name)

    drive(SYNC.listen(listener()))
    assert heard == ["headrace-aside"]
