"""Listeners: what they hear, and what their failures do."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import Any

import pytest

from headrace.engine.events import IDS, FunctionListener, as_listeners
from headrace.errors import InputError
from headrace.runnables import RunnableLambda


class Listening:
    """A listener of `wants` that keeps what it hears."""

    raise_errors = False

    def __init__(self, *wants):
        self.wants, self.heard = frozenset(wants), []

    def handle(self, event):
        self.heard.append(event)


class AsyncListening(Listening):
    async def handle(self, event):
        await asyncio.sleep(0.001)
        self.heard.append((event, threading.current_thread().name))


class Failing(Listening):
    def handle(self, event):
        raise KeyError(event.kind)


def test_a_listener_hears_what_it_wants_and_nothing_else(world: Any) -> None:
    ends, all_kinds = Listening("ended"), Listening("started", "chunked", "ended")
    world.stream(RunnableLambda(str), 1, {"callbacks": [ends, all_kinds]})
    assert [event.kind for event in ends.heard] == ["ended"]
    assert [event.kind for event in all_kinds.heard] == ["started", "chunked", "ended"]


def test_a_function_as_a_listener_hears_all_but_the_chunks(world: Any) -> None:
    heard = []
    world.stream(RunnableLambda(str), 1, {"callbacks": lambda event: heard.append(event.kind)})
    assert heard == ["started", "ended"]


def test_a_listener_of_a_kind_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InputError, match="no event kinds"):
        FunctionListener(print, ["startd"])


def test_one_listener_a_list_or_none_are_listeners() -> None:
    listener = Listening()
    assert as_listeners(None) == ()
    assert as_listeners(listener) == as_listeners([listener]) == (listener,)
    assert as_listeners([print]) == (FunctionListener(print),)


def test_the_same_listener_given_twice_hears_once(world: Any) -> None:
    heard = []
    listener = Listening("started")

    def function(event):
        heard.append(event)

    given = [listener, listener, function, function]
    step = RunnableLambda(str).with_config(callbacks=given)
    world.invoke(step, 1, {"callbacks": given})
    assert (len(listener.heard), len(heard)) == (1, 2)


def test_an_async_listener_is_awaited_before_the_run_goes_on(world: Any) -> None:
    listener = AsyncListening("started", "ended")
    step = RunnableLambda(lambda x: len(listener.heard))
    assert world.invoke(step, 1, {"callbacks": [listener]}) == 1
    assert len(listener.heard) == 2


def test_an_async_listener_of_a_sync_run_is_heard_on_one_thread_that_stays() -> None:
    listener = AsyncListening("started")
    for _ in range(3):
        RunnableLambda(str).invoke(1, {"callbacks": [listener]})
    assert {thread for _, thread in listener.heard} == {"headrace-aside"}
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("headrace-aside") == 1


def test_an_async_listener_of_a_sync_run_is_heard_inside_a_running_loop_too() -> None:
    listener = AsyncListening("started")

    async def main():
        return RunnableLambda(str).invoke(1, {"callbacks": [listener]})

    assert asyncio.run(main()) == "1"
    assert len(listener.heard) == 1


def test_a_failing_listener_changes_no_result_and_is_logged_once(world: Any, caplog) -> None:
    listener = Failing("started", "ended")
    for _ in range(3):
        assert world.invoke(RunnableLambda(str) | str, 1, {"callbacks": [listener]}) == "1"
    assert [record.name for record in caplog.records] == ["headrace"]
    assert caplog.records[0].exc_info[0] is KeyError


def test_a_failing_function_is_logged_once_and_another_one_too(world: Any, caplog) -> None:
    def one(event):
        raise KeyError("one")

    def two(event):
        raise KeyError("two")

    for function in (one, one, two, two):
        world.invoke(RunnableLambda(str), 1, {"callbacks": [function]})
    assert len(caplog.records) == 2


def test_a_failing_method_is_logged_once_an_object(world: Any, caplog) -> None:
    class Handler:
        def heard(self, event):
            raise KeyError(event.kind)

    handler = Handler()
    for _ in range(3):
        world.invoke(RunnableLambda(str), 1, {"callbacks": [handler.heard]})
    assert len(caplog.records) == 1


def test_a_failing_listener_that_cannot_be_remembered_is_logged_all_the_same(
    world: Any, caplog
) -> None:
    class Unhashable(Failing):
        __hash__ = None

    caplog.set_level(logging.ERROR)
    world.invoke(RunnableLambda(str), 1, {"callbacks": [Unhashable("started")]})
    assert len(caplog.records) == 1


def test_a_listener_may_ask_for_its_errors_to_be_raised(world: Any) -> None:
    listener = Failing("started")
    listener.raise_errors = True
    with pytest.raises(KeyError, match="started"):
        world.invoke(RunnableLambda(str), 1, {"callbacks": [listener]})


def test_ids_of_runs_are_uuids_that_differ_also_between_threads() -> None:
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(IDS.new() for _ in range(1000)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 4000
    assert {len(id) for id in found} == {36}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_gives_out_other_ids() -> None:
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, IDS.new().encode())
        os._exit(0)
    os.wait()
    assert os.read(read, 36).decode()[:18] != IDS.new()[:18]
