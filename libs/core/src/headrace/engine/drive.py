"""Runs a coroutine without an event loop, and the sync stream that stands on it.

In a sync run nothing suspends, because all waiting goes through `run.io`, whose sync world
blocks. So one `send(None)` runs a coroutine to its end.
"""

from __future__ import annotations

import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from headrace.engine.sums import NOTHING, Accumulator
from headrace.errors import SuspendedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine

T = TypeVar("T")

_NO_LOOP = ("no running event loop", "unknown async library")
_UNWINDINGS = 100  # how often a step may await again while its `finally` blocks run


def drive(coro: Coroutine[Any, Any, T], what: str | None = None) -> T:
    """The value of `coro`, run to its end here and now.

    Raises SuspendedError, naming `what`, if it awaits something that is not ready.
    """
    hooks = sys.get_asyncgen_hooks()
    if hooks.firstiter is None:
        return _run(coro, what)
    # A running loop would adopt our async generators and close them on its own terms.
    sys.set_asyncgen_hooks(None, None)
    try:
        return _run(coro, what)
    finally:
        sys.set_asyncgen_hooks(*hooks)


def _run(coro: Coroutine[Any, Any, T], what: str | None) -> T:
    try:
        coro.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    except RuntimeError as error:
        if str(error).startswith(_NO_LOOP):
            raise _suspended(what) from error
        raise
    _refuse(coro, what)


def _suspended(what: str | None) -> SuspendedError:
    step = f"step `{what}`" if what else "a step"
    return SuspendedError(
        f"{step} awaited something that was not ready in a sync run; "
        "call it by `ainvoke`, `astream` or `abatch`"
    )


def _refuse(coro: Coroutine[Any, Any, Any], what: str | None) -> NoReturn:
    """Unwinds a coroutine that suspended: thrown into, so that its `finally` blocks run."""
    error = _suspended(what)
    for _ in range(_UNWINDINGS):
        try:
            coro.throw(error)
        except SuspendedError as raised:
            if raised is error:
                raise error from None
            raise
        except (StopIteration, StopAsyncIteration):
            raise error from None  # the step swallowed it: what it returned is no result
        except RuntimeError as raised:
            raise error from raised
    try:
        coro.close()
    except RuntimeError as raised:  # not even this ends it
        raise error from raised
    raise error


class Once(Generic[T]):
    """An async iterator over one value that is already there."""

    __slots__ = ("_left", "value")

    def __init__(self, value: T) -> None:
        self.value = value
        self._left = True

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._left:
            self._left = False
            return self.value
        raise StopAsyncIteration


async def close(chunks: Any) -> None:
    """Closes an async iterator if it can be closed; a second time does nothing."""
    aclose = getattr(chunks, "aclose", None)
    # One that runs belongs to a helper thread that Ctrl-C left behind.
    if aclose is not None and not getattr(chunks, "ag_running", False):
        await aclose()


async def close_all(first: Any, *rest: Any) -> None:
    """Closes all of them in this order, also if closing one fails."""
    try:
        await close(first)
    finally:
        if rest:
            await close_all(*rest)


def _next(chunks: AsyncGenerator[T, None]) -> T:
    """The next chunk, here and now."""
    if sys.get_asyncgen_hooks().firstiter is None:
        return _run(chunks.__anext__(), None)
    return drive(_awaited(chunks))


async def _awaited(chunks: AsyncGenerator[T, None]) -> T:
    # Inside `drive`, for `__anext__()` itself already hands a generator to a running loop.
    return await chunks.__anext__()


class Stream(Generic[T]):
    """The chunks of a sync run: an iterator, a context manager, and the sum as `result`.

    Leaving the `with` block, or `close()`, closes every step down to the provider's response
    before the next statement runs.
    """

    __slots__ = ("_agen", "_context", "_done", "_sum")

    def __init__(self, agen: AsyncGenerator[T, None], sums: bool = True) -> None:
        self._agen, self._context, self._done = agen, copy_context(), False
        self._sum = Accumulator() if sums else None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._done:
            raise StopIteration
        try:
            chunk: T = self._context.run(_next, self._agen)
        except StopAsyncIteration:
            self._done = True
            raise StopIteration from None
        except BaseException:
            self.close()
            raise
        if self._sum is not None:
            self._sum.feed(chunk)
        return chunk

    @property
    def result(self) -> Any:
        """The sum of all chunks; reads the rest of the stream if asked early."""
        for _ in self:
            pass
        return _total(self._sum)

    def close(self) -> None:
        if not self._done:
            self._done = True
            self._context.run(drive, close(self._agen))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class AsyncStream(Generic[T]):
    """The chunks of an async run: an async iterator and context manager; `await s.result`.

    `async with chain.astream(x) as chunks` closes every step at once when left; after a bare
    `break` Python closes it some turns of the loop later.
    """

    __slots__ = ("_agen", "_sum")

    def __init__(self, agen: AsyncGenerator[T, None], sums: bool = True) -> None:
        self._agen, self._sum = agen, Accumulator() if sums else None

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        chunk = await self._agen.__anext__()
        if self._sum is not None:
            self._sum.feed(chunk)
        return chunk

    @property
    def result(self) -> Coroutine[Any, Any, Any]:
        """Awaitable: the sum of all chunks; reads the rest of the stream if asked early."""
        return self._drain()

    async def _drain(self) -> Any:
        async for _ in self:
            pass
        return _total(self._sum)

    async def aclose(self) -> None:
        await self._agen.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _total(summed: Accumulator | None) -> Any:
    total = NOTHING if summed is None else summed.total()
    return None if total is NOTHING else total
