"""Leaving early closes the HTTP response at once, however it is left, and leaks nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace import RunnableLambda, RunnableParallel, StrOutputParser
from headrace_openai import ChatOpenAI

FDS = Path("/proc/self/fd") if Path("/proc/self/fd").exists() else Path("/dev/fd")


class Chunks:
    """A listener that wants chunks, so that an invoked model streams inside."""

    wants = frozenset({"chunked"})
    raise_errors = True

    def __init__(self, enough: int) -> None:
        self.seen, self.enough = 0, threading.Event()
        self._count = enough

    async def heard(self) -> None:
        await asyncio.to_thread(self.enough.wait, 20)

    def handle(self, event: Any) -> None:
        self.seen += 1
        if self.seen >= self._count:
            self.enough.set()


def failing(listener: Chunks) -> RunnableLambda[Any, Any]:
    def fail(_: Any) -> None:
        assert listener.enough.wait(20)
        raise ValueError("sibling")

    return RunnableLambda(fail)


def left_stream(model: Any) -> None:
    with (model | StrOutputParser()).stream("x") as tokens:
        for _ in range(3):
            next(tokens)


def left_astream(model: Any) -> None:
    async def run() -> None:
        async with (model | StrOutputParser()).astream("x") as tokens:
            async for _ in tokens:
                break
        await model.aclose()

    asyncio.run(run())


def cancelled_task(model: Any) -> None:
    async def run() -> None:
        listener = Chunks(2)
        task = asyncio.create_task(model.ainvoke("x", {"callbacks": [listener]}))
        await listener.heard()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await model.aclose()

    asyncio.run(run())


def failing_sibling(model: Any) -> None:
    listener = Chunks(2)
    fork = RunnableParallel(text=model | StrOutputParser(), bad=failing(listener))
    with pytest.raises(ValueError, match="sibling"):
        fork.invoke("x", {"callbacks": [listener]})


def failing_sibling_async(model: Any) -> None:
    async def run() -> None:
        listener = Chunks(2)
        fork = RunnableParallel(text=model | StrOutputParser(), bad=failing(listener))
        with pytest.raises(ValueError, match="sibling"):
            await fork.ainvoke("x", {"callbacks": [listener]})
        await model.aclose()

    asyncio.run(run())


def failing_sibling_streamed(model: Any) -> None:
    listener = Chunks(2)
    fork = RunnableParallel(text=model | StrOutputParser(), bad=failing(listener))
    with pytest.raises(ValueError, match="sibling"):
        list(fork.stream("x", {"callbacks": [listener]}))


def abandoned_batch(model: Any) -> None:
    listener = Chunks(4)
    quick = RunnableLambda(lambda x: model if x else "quick", inline=True)
    with quick.batch_as_completed(["x", "x", ""], {"callbacks": [listener]}) as results:
        assert next(results) == (2, "quick")
        assert listener.enough.wait(20)


def abandoned_batch_async(model: Any) -> None:
    async def run() -> None:
        listener = Chunks(4)
        quick = RunnableLambda(lambda x: model if x else "quick", inline=True)
        config: Any = {"callbacks": [listener]}
        async with quick.abatch_as_completed(["x", "x", ""], config) as results:
            async for result in results:
                assert result == (2, "quick")
                break
            await listener.heard()
        await model.aclose()

    asyncio.run(run())


WAYS = [
    left_stream, left_astream, cancelled_task, failing_sibling, failing_sibling_async,
    failing_sibling_streamed, abandoned_batch, abandoned_batch_async,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_server_sees_the_disconnect_within_a_second(
    way: Callable[[Any], None], serve: Any, drip: Any
) -> None:
    wire = serve(drip(0.02))
    model = ChatOpenAI(model="m", api_key="k", base_url=wire.url)
    way(model)
    left, written, streams = time.monotonic(), wire.written, len(wire.requests)
    while len(wire.disconnected) < streams and time.monotonic() - left < 20:
        time.sleep(0.005)
    assert len(wire.disconnected) == streams
    assert max(wire.disconnected) - left < 1
    assert wire.written - written < 60
    model.close()


def counts() -> dict[str, int]:
    """What a leak would add to; the client's ends of sockets, not the server's threads."""
    gc.collect()
    ours = [t for t in threading.enumerate() if t.name.startswith("headrace")]
    return {"threads": len(ours), "files": len(os.listdir(FDS))}


@pytest.mark.parametrize("times", [40, pytest.param(200, marks=pytest.mark.soak)])
@pytest.mark.parametrize("way", WAYS)
def test_many_times_leave_no_thread_task_or_socket_behind(
    way: Callable[[Any], None], times: int, serve: Any, drip: Any
) -> None:
    wire = serve(drip(0.001))
    model = ChatOpenAI(model="m", api_key="k", base_url=wire.url)
    for _ in range(3):
        way(model)
    before = settled(counts())
    for _ in range(times):
        way(model)
    after = settled(before)
    model.close()
    assert after["files"] <= before["files"] + 2
    assert after["threads"] <= before["threads"] + 2


def settled(limit: dict[str, int]) -> dict[str, int]:
    """The counts once the server's own threads have seen the last disconnect."""
    now = counts()
    for _ in range(100):
        if now["files"] <= limit["files"] and now["threads"] <= limit["threads"]:
            break
        time.sleep(0.02)
        now = counts()
    return now


def test_a_cancelled_run_leaves_no_task_on_the_loop(serve: Any, drip: Any) -> None:
    wire = serve(drip(0.001))

    async def run() -> set[Any]:
        model = ChatOpenAI(model="m", api_key="k", base_url=wire.url)
        before = asyncio.all_tasks()
        fork = RunnableParallel(a=model, b=model | StrOutputParser())
        for _ in range(200):
            async with fork.astream("x") as chunks:
                async for _ in chunks:
                    break
        left = asyncio.all_tasks() - before
        await model.aclose()
        return left

    assert asyncio.run(run()) == set()
