"""Coroutines driven by hand, and the streams of both worlds."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys

import pytest

from headrace.engine.drive import AsyncStream, Once, Stream, close_all, drive
from headrace.errors import SuspendedError

log: list[str] = []


@pytest.fixture(autouse=True)
def _empty_log():
    log.clear()


async def value():
    return 7


async def suspends():
    await asyncio.Event().wait()


async def letters(*given):
    try:
        for letter in given:
            yield letter
    finally:
        log.append("closed")


def in_loop(function):
    """`function()` called by code that runs in an event loop, as in a notebook."""

    async def main():
        return function()

    return asyncio.run(main())


def test_a_coroutine_is_run_to_its_value_without_a_loop() -> None:
    assert drive(value()) == 7


def test_a_coroutine_is_run_to_its_value_inside_a_running_loop() -> None:
    assert in_loop(lambda: drive(value())) == 7


def test_an_error_of_the_coroutine_is_raised_plain() -> None:
    async def fails():
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        drive(fails())


def test_a_suspension_is_an_error_that_names_the_step_and_the_way_out() -> None:
    with pytest.raises(SuspendedError, match=r"step `wait` awaited.*`ainvoke`"):
        in_loop(lambda: drive(suspends(), "wait"))


def test_a_call_that_needs_a_running_loop_is_the_same_error() -> None:
    with pytest.raises(SuspendedError, match="step `wait`") as caught:
        drive(asyncio.sleep(1), "wait")
    assert "no running event loop" in str(caught.value.__cause__)


def test_another_runtime_error_stays_what_it_is() -> None:
    async def fails():
        raise RuntimeError("no ink")

    with pytest.raises(RuntimeError, match="no ink") as caught:
        drive(fails())
    assert not isinstance(caught.value, SuspendedError)


def test_a_coroutine_that_suspended_sees_the_error_and_runs_its_finally() -> None:
    async def step():
        try:
            await suspends()
        except SuspendedError:
            log.append("seen")
            raise
        finally:
            log.append("cleaned")

    with pytest.raises(SuspendedError):
        in_loop(lambda: drive(step()))
    assert log == ["seen", "cleaned"]


def test_a_coroutine_that_swallows_the_error_gives_no_result() -> None:
    async def step():
        try:
            await suspends()
        except SuspendedError:
            return 5

    with pytest.raises(SuspendedError):
        in_loop(lambda: drive(step()))


def test_an_error_of_the_step_in_place_of_ours_is_raised_with_its_own_type() -> None:
    async def step():
        try:
            await suspends()
        except SuspendedError as error:
            raise KeyError("mine") from error

    with pytest.raises(KeyError, match="mine"):
        in_loop(lambda: drive(step()))


def test_a_coroutine_that_awaits_again_while_it_unwinds_runs_all_its_finallys() -> None:
    async def step():
        try:
            try:
                await suspends()
            finally:
                await suspends()
        finally:
            log.append("inner")
            try:
                await suspends()
            finally:
                log.append("outer")

    with pytest.raises(SuspendedError):
        in_loop(lambda: drive(step()))
    assert log == ["inner", "outer"]


def test_a_coroutine_that_never_stops_awaiting_is_given_up() -> None:
    async def step():
        while True:
            try:
                await suspends()
            except SuspendedError:
                log.append("again")

    with pytest.raises(SuspendedError):
        in_loop(lambda: drive(step()))
    assert len(log) == 100


def test_a_runtime_error_while_the_step_unwinds_is_the_cause_of_ours() -> None:
    async def step():
        try:
            await suspends()
        finally:
            raise RuntimeError("mine")

    with pytest.raises(SuspendedError) as caught:
        in_loop(lambda: drive(step()))
    assert str(caught.value.__cause__) == "mine"


def test_another_suspended_error_of_the_step_is_raised_as_it_is() -> None:
    async def step():
        try:
            await suspends()
        except SuspendedError as error:
            raise SuspendedError("mine") from error

    with pytest.raises(SuspendedError, match="mine"):
        in_loop(lambda: drive(step()))


def test_a_coroutine_that_not_even_closing_ends_is_given_up_too() -> None:
    seen = []

    async def step():
        while len(seen) < 102:
            try:
                await suspends()
            except BaseException as error:  # noqa: BLE001 - the worst there is
                seen.append(type(error))

    with pytest.raises(SuspendedError):
        in_loop(lambda: drive(step()))
    assert seen[:101] == [SuspendedError] * 100 + [GeneratorExit]


def test_the_hooks_of_a_running_loop_are_as_before_also_after_an_error() -> None:
    def work():
        before = sys.get_asyncgen_hooks()
        with pytest.raises(SuspendedError):
            drive(suspends())
        return before == sys.get_asyncgen_hooks()

    assert in_loop(work)


def test_once_gives_its_value_once() -> None:
    async def read():
        once = Once(3)
        return [x async for x in once], [x async for x in once]

    assert drive(read()) == ([3], [])


def test_all_are_closed_in_order_also_if_closing_one_fails() -> None:
    async def fails():
        try:
            yield 1
        finally:
            raise KeyError("x")

    async def main():
        first, second, third = letters("a"), fails(), letters("b")
        for stage in (first, second, third):
            await stage.__anext__()
        with pytest.raises(KeyError):
            await close_all(first, second, third)

    drive(main())
    assert log == ["closed", "closed"]


# Sync streams.


def test_a_stream_is_an_iterator_with_a_result() -> None:
    stream = Stream(letters("a", "b"))
    assert list(stream) == ["a", "b"]
    assert stream.result == "ab"
    assert list(stream) == []


def test_a_result_asked_for_early_reads_the_rest() -> None:
    stream = Stream(letters("a", "b", "c"))
    assert next(stream) == "a"
    assert stream.result == "abc"
    assert log == ["closed"]


def test_the_result_of_a_stream_that_was_left_is_the_sum_so_far() -> None:
    with Stream(letters("a", "b")) as stream:
        next(stream)
    assert stream.result == "a"


def test_the_result_of_an_empty_stream_is_none() -> None:
    assert Stream(letters()).result is None


def test_leaving_a_stream_closes_it_before_the_next_statement() -> None:
    with Stream(letters("a", "b")) as stream:
        next(stream)
        assert log == []
    assert log == ["closed"]


def test_closing_a_stream_twice_or_at_its_end_does_nothing_more() -> None:
    stream = Stream(letters("a"))
    next(stream)
    stream.close()
    stream.close()
    assert log == ["closed"]
    with pytest.raises(StopIteration):
        next(stream)


def test_a_dropped_stream_is_closed_at_once() -> None:
    stream = Stream(letters("a", "b"))
    next(stream)
    del stream
    assert log == ["closed"]


def test_an_error_while_a_dropped_stream_closes_is_told_to_the_unraisable_hook(monkeypatch) -> None:
    async def fails():
        try:
            yield 1
        finally:
            raise KeyError("x")

    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    stream = Stream(fails())
    next(stream)
    del stream
    assert [type(args.exc_value) for args in told] == [KeyError]


def test_a_stream_that_failed_is_closed_and_over() -> None:
    async def fails():
        yield 1
        raise KeyError("x")

    stream = Stream(fails())
    next(stream)
    with pytest.raises(KeyError):
        next(stream)
    assert list(stream) == []


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")


def test_a_stream_runs_in_one_context_of_its_own() -> None:
    async def reads():
        yield variable.get()
        variable.set("inside")
        yield variable.get()
        yield variable.get()

    variable.set("made")
    stream = Stream(reads())
    variable.set("later")
    assert list(stream) == ["made", "inside", "inside"]
    assert variable.get() == "later"


def test_a_stream_inside_a_running_loop_is_not_adopted_by_it() -> None:
    async def main():
        stream, found = Stream(letters(*"abcd")), []
        for letter in stream:
            found.append(letter)
            gc.collect()
            await asyncio.sleep(0)
        return found, len(asyncio.get_running_loop()._asyncgens)

    assert asyncio.run(main()) == (list("abcd"), 0)


def test_a_stream_left_inside_a_running_loop_is_closed_at_once() -> None:
    def work():
        with Stream(letters("a", "b")) as stream:
            next(stream)
        return list(log)

    assert in_loop(work) == ["closed"]


# Async streams.


def test_an_async_stream_is_an_iterator_with_an_awaitable_result() -> None:
    async def main():
        stream = AsyncStream(letters("a", "b"))
        return [x async for x in stream], await stream.result, [x async for x in stream]

    assert asyncio.run(main()) == (["a", "b"], "ab", [])


def test_an_async_result_asked_for_early_reads_the_rest() -> None:
    async def main():
        stream = AsyncStream(letters("a", "b", "c"))
        await stream.__anext__()
        return await stream.result

    assert asyncio.run(main()) == "abc"


def test_leaving_an_async_stream_closes_it_before_the_next_statement() -> None:
    async def main():
        async with AsyncStream(letters("a", "b")) as stream:
            await stream.__anext__()
        assert log == ["closed"]
        await stream.aclose()

    asyncio.run(main())
    assert log == ["closed"]


def test_an_async_stream_dropped_after_a_bare_break_is_closed_some_turns_later() -> None:
    async def main():
        async for _ in AsyncStream(letters("a", "b")):
            break
        await asyncio.sleep(0.01)
        return list(log)

    assert asyncio.run(main()) == ["closed"]


async def waits_midway():
    try:
        yield 1
        await asyncio.Event().wait()
    finally:
        log.append("closed")


def test_a_timeout_around_who_reads_an_async_stream_closes_it() -> None:
    async def main():
        async with asyncio.timeout(0.01):
            async for _ in AsyncStream(waits_midway()):
                log.append("read")

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert log == ["read", "closed"]
