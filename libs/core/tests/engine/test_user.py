"""The seam at which user code is called."""

from __future__ import annotations

import asyncio
import functools
import operator
from typing import Any

import pytest

from headrace.engine.drive import close
from headrace.engine.run import current, open_run
from headrace.engine.strands import Stopped
from headrace.engine.user import (
    Seam,
    is_async_generator_function,
    is_coroutine_function,
    is_generator_function,
    passed,
    place,
)
from headrace.errors import HeadraceError, InputError, StepError, SuspendedError


def call(world, kind, function, *args):
    """`function(*args)` through the seam of a step `mine`, as `kind` of user code."""

    async def work(io):
        seam = Seam(open_run(io, None), "mine")
        match kind:
            case "plain":
                return await seam.call_plain(function, *args)
            case "inline":
                return await seam.call_plain(function, *args, inline=True)
            case "async":

                async def awaited():
                    return function(*args)

                return await seam.call_async(awaited)
            case "generator":

                def generator(_):
                    yield function(*args)

                items = io.generate(generator, nothing(), seam)
            case "async generator":

                async def async_generator():
                    yield function(*args)

                items = seam.items(async_generator())
        try:
            return await items.__anext__()
        finally:
            await close(items)

    return world.run(work)


async def nothing():
    return
    yield


kinds = pytest.mark.parametrize(
    "kind", ["plain", "inline", "async", "generator", "async generator"]
)


@kinds
def test_user_code_gives_its_value(world: Any, kind) -> None:
    assert call(world, kind, max, 1, 2) == 2


@kinds
def test_the_run_is_known_inside_user_code_only(world: Any, kind) -> None:
    seen = call(world, kind, current.get)
    assert seen.io.is_async == world.is_async
    assert current.get() is None


def fails(error):
    raise error


@kinds
def test_an_error_of_user_code_is_raised_plain_with_a_note_of_its_step(world: Any, kind) -> None:
    error = KeyError("x")
    with pytest.raises(KeyError) as caught:
        call(world, kind, fails, error)
    assert caught.value is error
    assert error.__notes__ == ["raised in step `mine`"]


@kinds
@pytest.mark.parametrize("error", [StopIteration, StopAsyncIteration])
def test_a_stop_iteration_of_user_code_is_a_step_error_that_says_so(
    world: Any, kind, error
) -> None:
    with pytest.raises(StepError, match=rf"step `mine` raised {error.__name__}") as caught:
        call(world, kind, fails, error())
    assert isinstance(caught.value.__cause__, error)


@kinds
def test_an_error_of_ours_gets_no_note(world: Any, kind) -> None:
    with pytest.raises(InputError) as caught:
        call(world, kind, fails, InputError("x"))
    assert not hasattr(caught.value, "__notes__")


@kinds
def test_what_is_no_exception_passes_untouched(world: Any, kind) -> None:
    with pytest.raises(Stopped) as caught:
        call(world, kind, fails, Stopped())
    assert not hasattr(caught.value, "__notes__")


def test_a_runtime_error_about_something_else_stays(world: Any) -> None:
    with pytest.raises(RuntimeError, match="ink"):
        call(world, "async", fails, RuntimeError("out of ink"))


def test_the_innermost_step_is_noted_once() -> None:
    run = open_run(sync(), None)

    def outer():
        return Seam(run, "inner").call(operator.truediv, 1, 0)

    with pytest.raises(ZeroDivisionError) as caught:
        Seam(run, "outer").call(outer)
    assert caught.value.__notes__ == ["raised in step `inner`"]


class SlottedError(Exception):
    __slots__ = ()

    def __setattr__(self, name, value):
        raise AttributeError(name)


def test_an_error_that_takes_no_mark_is_raised_all_the_same(world: Any) -> None:
    with pytest.raises(SlottedError):
        call(world, "plain", fails, SlottedError())


def sync():
    from headrace.engine.worlds import sync_world

    return sync_world()


def test_arguments_may_have_any_name(world: Any) -> None:
    def function(**kwargs):
        return kwargs

    async def work(io):
        seam = Seam(open_run(io, None), "mine")
        return await seam.call_plain(function, self=1, function=2, run=3, name=4)

    assert world.run(work) == {"self": 1, "function": 2, "run": 3, "name": 4}


def test_a_users_coroutine_that_waits_in_a_sync_run_names_its_step() -> None:
    async def waits():
        await asyncio.sleep(1)

    async def work():
        return await Seam(open_run(sync(), None), "mine").call_async(waits)

    from headrace.engine.drive import drive

    with pytest.raises(SuspendedError, match="step `mine`"):
        drive(work())


def test_a_users_async_generator_is_closed_through_the_seam(world: Any) -> None:
    seen = []

    async def generator():
        try:
            yield 1
        finally:
            seen.append(current.get())

    async def work(io):
        run = open_run(io, None)
        items = Seam(run, "mine").items(generator())
        await items.__anext__()
        await close(items)
        return seen == [run]

    assert world.run(work)
    assert current.get() is None


def test_a_coroutine_collected_while_it_waits_leaves_the_run_of_others() -> None:
    async def waits():
        await asyncio.Event().wait()

    async def main():
        run, other = open_run(asynchronous(), None), object()
        coroutine = Seam(run, "mine").call_async(waits)
        coroutine.send(None)
        current.set(other)
        coroutine.close()
        return current.get() is other

    assert asyncio.run(main())


def asynchronous():
    from headrace.engine.worlds import async_world

    return async_world()


def test_what_a_cancelled_functions_thread_still_calls_is_called_off() -> None:
    import threading

    started, release, seen = threading.Event(), threading.Event(), []

    def function():
        started.set()
        release.wait(10)
        seen.append(current.get().scope.stopped)
        release.clear()

    async def main():
        task = asyncio.create_task(Seam(open_run(asynchronous(), None), "x").call_plain(function))
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
        while release.is_set():  # noqa: ASYNC110 - a thread clears it
            await asyncio.sleep(0.001)

    asyncio.run(main())
    assert seen == [True]


def test_the_path_of_an_error_of_ours_grows_outwards() -> None:
    error = HeadraceError("x")
    place(error, "1:inner")
    place(error, "0:outer")
    assert error.step == "0:outer/1:inner"


def test_the_path_of_a_users_error_is_not_touched() -> None:
    error = KeyError("x")
    place(error, "1:inner")
    assert not hasattr(error, "step")


def test_an_error_is_known_to_have_passed_a_generator() -> None:
    async def inner():
        raise KeyError("x")
        yield

    async def outer(chunks):
        async for chunk in chunks:
            yield chunk

    from headrace.engine.drive import drive

    source, other = inner(), inner()
    frames = source.ag_frame, other.ag_frame, None
    with pytest.raises(KeyError) as caught:
        drive(outer(source).__anext__())
    assert [passed(caught.value, frame) for frame in frames] == [True, False, False]
    drive(close(other))


async def coroutine(x):
    return x


def generator(x):
    yield x


async def async_generator(x):
    yield x


class Callable:
    def __init__(self, function):
        self.func = function  # not a partial, for all its `func`

    async def __call__(self, x):
        return x


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (len, None),
        (lambda x: x, None),
        (coroutine, is_coroutine_function),
        (generator, is_generator_function),
        (async_generator, is_async_generator_function),
        (functools.partial(functools.partial(coroutine), 1), is_coroutine_function),
        (functools.partial(generator, 1), is_generator_function),
        (Callable(generator), is_coroutine_function),
        (functools.partial(Callable(generator), 1), is_coroutine_function),
        (Callable, None),
        (Callable(generator).__call__, is_coroutine_function),
    ],
)
def test_the_kind_of_a_function_is_seen_before_it_is_called(function, kind) -> None:
    tests = [is_coroutine_function, is_generator_function, is_async_generator_function]
    assert [test for test in tests if test(function)] == ([kind] if kind else [])
