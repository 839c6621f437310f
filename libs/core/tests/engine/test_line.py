from __future__ import annotations

import asyncio
import os
import random
import threading
from typing import Any

import pytest

from headrace.engine.drive import drive
from headrace.engine.line import Line
from headrace.engine.run import open_run
from headrace.engine.strands import Scope, Stopped
from headrace.engine.worlds import async_world, sync_world
from headrace.errors import UsageLimitExceeded


class Permits:
    """A rule of so many permits; claims below zero are refused."""

    def __init__(self, free: int) -> None:
        self.free, self.admitted = free, list[int]()

    def admit(self, claim: int, now: float) -> float | None:
        if claim < 0:
            raise UsageLimitExceeded("no such claim")
        if not self.free:
            return None
        self.free -= 1
        self.admitted.append(claim)
        return 0

    def withdraw(self, claim: int, now: float) -> None:
        self.free += 1

    def forked(self) -> None:
        self.free = 99


def give(line: Line[int], rule: Permits) -> None:
    with line:
        rule.free += 1


async def held(line: Line[int], rule: Permits, claim: int, turns: int = 1) -> None:
    await line.enter(claim, open_run(async_world(), None))
    try:
        for _ in range(turns):
            await asyncio.sleep(0)
    finally:
        give(line, rule)


def test_ten_thousand_tasks_are_admitted_in_the_order_they_came() -> None:
    rule = Permits(3)
    line: Line[int] = Line(rule)

    async def main() -> None:
        await asyncio.gather(*(held(line, rule, number) for number in range(10_000)))

    asyncio.run(main())
    assert rule.admitted == list(range(10_000))
    assert (rule.free, len(line)) == (3, 0)


def test_tasks_cancelled_at_random_leave_no_permit_behind() -> None:
    rule, dice = Permits(2), random.Random(5)
    line: Line[int] = Line(rule)

    async def main() -> None:
        tasks = [asyncio.create_task(held(line, rule, number, 3)) for number in range(400)]
        while not all(task.done() for task in tasks):
            for task in dice.sample(tasks, 3):
                task.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert (rule.free, len(line)) == (2, 0)


def test_threads_and_two_loops_share_one_line() -> None:
    rule = Permits(1)
    line: Line[int] = Line(rule)

    def thread() -> None:
        for number in range(50):
            drive(line.enter(number, open_run(sync_world(), None)))
            give(line, rule)

    async def tasks() -> None:
        await asyncio.gather(*(held(line, rule, number) for number in range(100)))

    workers = [threading.Thread(target=thread) for _ in range(4)]
    workers += [threading.Thread(target=asyncio.run, args=(tasks(),)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(rule.admitted) == 400
    assert (rule.free, len(line)) == (1, 0)


def test_a_claim_that_the_rule_refuses_raises_and_lets_the_next_one_go(world: Any) -> None:
    line: Line[int] = Line(Permits(1))

    async def work(io: Any) -> None:
        run = open_run(io, None)
        with pytest.raises(UsageLimitExceeded):
            await line.enter(-1, run)
        assert await line.enter(1, run) == 0

    world.run(work)


def test_a_waiting_claim_that_is_refused_in_its_turn_raises() -> None:
    rule = Permits(0)
    line: Line[int] = Line(rule)

    async def main() -> None:
        tasks = [asyncio.create_task(held(line, rule, claim)) for claim in (1, -1, 2)]
        await asyncio.sleep(0)
        give(line, rule)
        first, refused, last = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(refused, UsageLimitExceeded)
        assert first is last is None

    asyncio.run(main())
    assert rule.free == 1


def test_a_sync_waiter_that_is_called_off_leaves_at_once() -> None:
    rule, scope = Permits(0), Scope(Scope())
    line: Line[int] = Line(rule)
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            drive(line.enter(1, open_run(sync_world(), None).within(scope)))
        except Stopped as stopped:
            ended.append(stopped)

    worker = threading.Thread(target=wait)
    worker.start()
    while not len(line):
        pass
    scope.stop()
    worker.join(10)
    assert len(ended) == 1
    give(line, rule)
    assert (rule.free, len(line)) == (1, 0)


@pytest.mark.filterwarnings("ignore:coroutine method 'aclose':RuntimeWarning")
def test_a_loop_that_died_while_its_tasks_waited_does_not_hold_up_others() -> None:
    rule = Permits(0)
    line: Line[int] = Line(rule)
    loop = asyncio.new_event_loop()
    lost = [loop.create_task(held(line, rule, number)) for number in range(3)]
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert len(line) == 3
    give(line, rule)
    assert line.try_enter(2)
    assert len(line) == 0
    for task in lost:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # on purpose
        task.get_coro().close()  # type: ignore[union-attr]  # as the collector would
    assert rule.free == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_waits_for_nobody_of_its_parent() -> None:
    rule = Permits(0)
    line: Line[int] = Line(rule)
    line._queue.append(object())  # type: ignore[arg-type]  # one of the parent's who waits
    child = os.fork()
    if not child:
        os._exit(0 if line.try_enter(7) else 1)
    assert os.waitpid(child, 0)[1] == 0
