"""What a task puts, for the consumer of an async generator."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from headrace.engine.relay import AHEAD, relayed


async def read(work: Any) -> list[Any]:
    return [item async for item in relayed(work)]


def test_items_come_in_the_order_they_were_put() -> None:
    async def work(put: Any) -> None:
        for number in range(100):
            if (room := put(number)) is not None:
                await room

    assert asyncio.run(read(work)) == list(range(100))


def test_a_thread_may_put_too() -> None:
    async def work(put: Any) -> None:
        thread = threading.Thread(target=lambda: [put(number) for number in range(100)])
        thread.start()
        await asyncio.to_thread(thread.join)

    assert asyncio.run(read(work)) == list(range(100))


def test_a_producer_that_waits_for_room_is_never_far_ahead() -> None:
    put_so_far: list[int] = []

    async def work(put: Any) -> None:
        for number in range(100):
            put_so_far.append(number)
            if (room := put(number)) is not None:
                assert room.optional
                await room

    async def consume() -> None:
        taken = 0
        async for _ in relayed(work):
            taken += 1
            await asyncio.sleep(0)
            assert len(put_so_far) <= taken + AHEAD

    asyncio.run(consume())


def test_the_error_of_the_task_comes_after_its_items() -> None:
    async def work(put: Any) -> None:
        put(1)
        raise ValueError("late")

    seen: list[Any] = []

    async def consume() -> None:
        async for item in relayed(work):
            seen.append(item)

    with pytest.raises(ValueError, match="late"):
        asyncio.run(consume())
    assert seen == [1]


@pytest.mark.parametrize("leave", ["close", "cancel"])
def test_leaving_it_cancels_the_task_and_waits_for_its_end(leave: str) -> None:
    done: list[str] = []

    async def work(put: Any) -> None:
        try:
            put(1)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append("ended")

    async def consume() -> None:
        items = relayed(work)
        await anext(items)
        if leave == "close":
            await items.aclose()
        else:
            task = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        done.append("left")

    asyncio.run(consume())
    assert done == ["ended", "left"]


def test_a_put_after_the_end_is_lost_in_peace() -> None:
    puts: list[Any] = []

    async def work(put: Any) -> None:
        puts.append(put)

    asyncio.run(read(work))
    returned: list[Any] = []
    thread = threading.Thread(target=lambda: returned.append(puts[0](1)))
    thread.start()
    thread.join(10)
    assert returned == [None]
