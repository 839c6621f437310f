"""Leaving a stream early closes every step of it at once, whatever it stands in."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from typing import Any

import pytest

from headrace.runnables import (
    RunnableBranch,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)


class Source:
    """An endless step, plain or async, that notes when it is opened and closed."""

    def __init__(self):
        self.opened, self.closed = [], []
        self.plain = RunnableGenerator(self._plain)
        self.awaiting = RunnableGenerator(self._plain, self._async)

    def _plain(self, chunks):
        self.opened.append(1)
        try:
            yield from itertools.repeat({"a": "x"})
        finally:
            self.closed.append(1)

    async def _async(self, chunks):
        self.opened.append(1)
        try:
            while True:
                yield {"a": "x"}
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)
            self.closed.append(1)

    @property
    def all_closed(self):
        return self.closed == self.opened != []


def letters(chunks):
    yield from chunks


async def async_letters(chunks):
    async for chunk in chunks:
        yield chunk


async def returns_async(step):
    return step


AROUND = {
    "alone": lambda s: s,
    "generator": lambda s: s | letters,
    "async generator": lambda s: s | async_letters,
    "passthrough": lambda s: s | RunnablePassthrough(lambda _: None),
    "pick": lambda s: s.pick("a"),
    "assign before": lambda s: s.assign(b=lambda d: 1),
    "assign": lambda s: RunnableLambda(lambda _: {"z": 1}) | RunnablePassthrough.assign(b=s),
    "parallel": lambda s: RunnableParallel(a=s, b=s | letters, c=lambda _: 1),
    "parallel after": lambda s: s | {"a": letters, "b": async_letters},
    "config": lambda s: s.with_config(tags=["a"]),
    "listeners": lambda s: s.with_listeners(on_end=lambda _: None),
    "retry": lambda s: s.with_retry(),
    "fallbacks": lambda s: s.with_fallbacks([RunnablePassthrough()]),
    "branch": lambda s: RunnableBranch((lambda _: True, s), RunnablePassthrough()),
    "returned": lambda s: RunnableLambda(lambda _: s),
    "returned by a coroutine": lambda s: RunnableLambda(lambda _: s, lambda _: returns_async(s)),
    "all": lambda s: (
        RunnableParallel(a={"a": s | letters}, b=RunnableLambda(lambda _: s))
        | RunnablePassthrough.assign(c=lambda _: s)
        | letters
    ).with_config(tags=["a"]),
}


@pytest.mark.parametrize("listened", [False, True], ids=["", "listened"])
@pytest.mark.parametrize("limit", [1, 2, 32])
@pytest.mark.parametrize("kind", ["plain", "awaiting"])
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_leaving_a_stream_closes_every_step_at_once(
    world: Any, around, kind, limit, listened
) -> None:
    source, after = Source(), []
    config = {"max_concurrency": limit, "callbacks": [after.append] if listened else None}
    step = around(getattr(source, kind))
    assert len(world.read(step, "x", 3, config)) == 3
    assert source.all_closed


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_leaving_a_sync_stream_inside_a_running_loop_closes_every_step_at_once(around) -> None:
    async def main():
        source = Source()
        chunks = around(source.plain).stream("x")
        for _ in range(3):
            next(chunks)
            gc.collect()
            await asyncio.sleep(0)
        chunks.close()
        assert source.all_closed

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["plain", "awaiting"])
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_cancelling_who_reads_a_stream_closes_every_step_before_it_returns(around, kind) -> None:
    source, read = Source(), []

    async def reader():
        async for chunk in around(getattr(source, kind)).astream("x"):
            read.append(chunk)

    async def main():
        task = asyncio.create_task(reader())
        while len(read) < 3:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.01)  # a stream left without `async with` takes some turns
        assert source.all_closed
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["plain", "awaiting"])
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_a_sibling_that_fails_closes_every_step_before_its_error_is_raised(
    world: Any, around, kind
) -> None:
    source, began = Source(), threading.Event()

    def seen(chunks):
        for chunk in chunks:
            if source.opened:
                began.set()
            yield chunk

    def fails(x):
        began.wait(10)
        raise KeyError(x)

    step = RunnableParallel(a=around(getattr(source, kind)) | seen, b=fails)
    with pytest.raises(KeyError):
        world.stream(step, "x")
    assert source.all_closed


@pytest.mark.parametrize("around", ["generator", "parallel", "all"])
def test_two_hundred_streams_left_early_leave_no_thread_or_task(world: Any, around) -> None:
    async def main():
        for _ in range(200):
            async with step.astream("x") as chunks:
                await chunks.__anext__()
        assert len(asyncio.all_tasks()) == 1

    source = Source()
    step = AROUND[around](source.plain)
    before = threading.active_count()
    if world.is_async:
        asyncio.run(main())
    else:
        for _ in range(200):
            with step.stream("x") as chunks:
                next(chunks)
    assert source.all_closed
    assert threading.active_count() <= before + 12
