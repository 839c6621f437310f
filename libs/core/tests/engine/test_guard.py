"""Async reads that end in time."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from headrace.engine.guard import Guarded


async def items(count: int, hangs: bool = False) -> Any:
    for number in range(count):
        yield number
    if hangs:
        await asyncio.get_running_loop().create_future()


def test_a_read_that_brings_nothing_in_time_is_a_timeout() -> None:
    async def run() -> list[int]:
        end = time.monotonic() + 0.01
        guarded = Guarded(items(2, hangs=True), lambda: end - time.monotonic())
        found = [await anext(guarded), await anext(guarded)]
        with pytest.raises(TimeoutError):
            await anext(guarded)
        await guarded.aclose()
        return found

    assert asyncio.run(run()) == [0, 1]


def test_a_consumer_that_takes_its_time_is_not_cut() -> None:
    async def run() -> list[int]:
        guarded, found, left = Guarded(items(3), lambda: left[0]), [], [0.001]
        async for item in guarded:
            found.append(item)
            await asyncio.sleep(0.005)
            left[0] = 60.0
        await guarded.aclose()
        return found

    assert asyncio.run(run()) == [0, 1, 2]


def test_a_bound_that_moved_on_is_looked_at_again_without_a_timer_an_item() -> None:
    async def run() -> int:
        loop, armed = asyncio.get_running_loop(), []
        later = loop.call_later

        def counting(delay: float, *rest: Any) -> Any:
            armed.append(delay)
            return later(delay, *rest)

        loop.call_later = counting  # type: ignore[method-assign]  # counts, and passes on
        guarded = Guarded(items(1000), lambda: 60.0)
        async for _ in guarded:
            pass
        await guarded.aclose()
        return len(armed)

    assert asyncio.run(run()) == 2


def test_a_cancellation_from_outside_stays_one() -> None:
    async def run() -> None:
        guarded = Guarded(items(0, hangs=True), lambda: 60.0)
        task = asyncio.ensure_future(anext(guarded))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await guarded.aclose()

    asyncio.run(run())


def test_the_task_of_a_late_read_is_not_left_cancelled() -> None:
    async def run() -> int:
        guarded = Guarded(items(0, hangs=True), lambda: 0.0)
        with pytest.raises(TimeoutError):
            await anext(guarded)
        await guarded.aclose()
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert asyncio.run(run()) == 0


def test_closing_closes_the_source_and_its_timer() -> None:
    async def run() -> list[str]:
        closed: list[str] = []

        async def source() -> Any:
            try:
                yield 1
            finally:
                closed.append("source")

        guarded = Guarded(source(), lambda: 60.0)
        assert await anext(guarded) == 1
        await guarded.aclose()
        await guarded.aclose()
        assert guarded._handle is None
        return closed

    assert asyncio.run(run()) == ["source"]
