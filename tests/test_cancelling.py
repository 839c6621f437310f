"""Cancelling at a random moment leaves nothing behind, and loses nothing of what had come."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from headrace import RunnableParallel, StrOutputParser
from headrace_openai import ChatOpenAI

FDS = Path("/proc/self/fd") if Path("/proc/self/fd").exists() else Path("/dev/fd")
TIMES = 200


class Counting:
    """A listener that wants chunks, so that an invoked model streams; wakes at one of them."""

    wants = frozenset({"chunked"})
    raise_errors = True

    def __init__(self, enough: int) -> None:
        self.reached, self._left = asyncio.Event(), enough

    def handle(self, event: Any) -> None:
        self._left -= 1
        if self._left <= 0:
            self.reached.set()


async def cancelled(work: Coroutine[Any, Any, Any], reached: asyncio.Event) -> Any:
    """The CancelledError of a task that is cancelled when it has come so far."""
    task = asyncio.create_task(work)
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return caught.value


async def streamed(model: Any, count: int) -> None:
    reached, seen = asyncio.Event(), list[str]()

    async def consume() -> None:
        async with model.astream("x") as chunks:
            async for chunk in chunks:
                seen.append(chunk.text)
                if len(seen) >= count:
                    reached.set()

    error = await cancelled(consume(), reached)
    assert error.partial.text == "".join(seen)


async def invoked(model: Any, count: int) -> None:
    listener = Counting(count)
    error = await cancelled(model.ainvoke("x", {"callbacks": [listener]}), listener.reached)
    assert error.partial.text.startswith("0 ")


async def forked(model: Any, count: int) -> None:
    listener = Counting(count)
    fork = RunnableParallel(a=model, b=model | StrOutputParser())
    await cancelled(fork.ainvoke("x", {"callbacks": [listener]}), listener.reached)


async def batched(model: Any, count: int) -> None:
    listener = Counting(count)
    await cancelled(model.abatch(["x", "y"], {"callbacks": [listener]}), listener.reached)


def counts() -> tuple[int, int]:
    """Threads of ours, and open files: what a leak would add to."""
    gc.collect()
    ours = [t for t in threading.enumerate() if t.name.startswith("headrace")]
    return len(ours), len(os.listdir(FDS))


WAYS: list[Callable[[Any, int], Coroutine[Any, Any, None]]] = [streamed, invoked, forked, batched]


def check(ways: list[Any], serve: Any, drip: Any) -> None:
    """Cancels in these ways, two hundred times at random moments, and looks for what is left."""
    wire = serve(drip(0.0005))
    moments = random.Random(5)

    async def run() -> None:
        model = ChatOpenAI(model="m", api_key="k", base_url=wire.url)
        for way in ways:
            await way(model, 2)
        tasks, (threads, files) = asyncio.all_tasks(), counts()
        for _ in range(TIMES):
            await moments.choice(ways)(model, moments.randrange(1, 12))
        assert asyncio.all_tasks() == tasks
        end = time.monotonic() + 10  # the server's own ends of the last connections close
        while counts()[1] > files + 2 and time.monotonic() < end:
            await asyncio.to_thread(time.sleep, 0.02)
        left = counts()
        await model.aclose()
        assert left[0] <= threads
        assert left[1] <= files + 2

    asyncio.run(run())


def test_two_hundred_cancellations_leave_no_task_thread_or_socket(serve: Any, drip: Any) -> None:
    check(WAYS, serve, drip)


@pytest.mark.soak
@pytest.mark.parametrize("way", WAYS)
def test_two_hundred_cancellations_of_one_kind_leave_nothing(
    way: Any, serve: Any, drip: Any
) -> None:
    check([way], serve, drip)


def test_two_hundred_sync_streams_left_at_a_random_chunk_leave_no_thread_or_socket(
    serve: Any, drip: Any
) -> None:
    wire = serve(drip(0.0005))
    moments = random.Random(6)
    with ChatOpenAI(model="m", api_key="k", base_url=wire.url) as model:
        list(zip(range(2), model.stream("x"), strict=False))
        gc.collect()
        threads, files = counts()
        for _ in range(TIMES):
            with model.stream("x") as chunks:
                for _ in range(moments.randrange(1, 12)):
                    next(chunks)
        end = time.monotonic() + 10
        while counts()[1] > files + 2 and time.monotonic() < end:
            time.sleep(0.02)
        left = counts()
    assert left[0] <= threads
    assert left[1] <= files + 2
