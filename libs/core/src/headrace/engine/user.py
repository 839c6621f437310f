"""The one seam at which user code is called.

It makes the run known to calls inside that code, for that call only (by `set(old)`: a Token
must not live across a `yield`); it turns StopIteration, which asyncio cannot carry, into a
StepError; and it notes on the user's error in which step it came up.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import close, drive
from headrace.engine.run import current
from headrace.errors import HeadraceError, StepError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from headrace.engine.run import Run


class Seam:
    """Calls user code for the step `name` of `run`."""

    __slots__ = ("name", "run")

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.name = run, name

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`function(*args, **kwargs)`, here and now."""
        outer = current.get()
        current.set(self.run)
        try:
            return function(*args, **kwargs)
        except (StopIteration, StopAsyncIteration) as error:
            raise self._stop(error) from error
        except Exception as error:
            note_step(error, self.name)
            raise
        finally:
            current.set(outer)

    async def call_async(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`await function(*args, **kwargs)`; driven by hand in a sync run."""
        if not self.run.io.is_async:
            return self.call(lambda: drive(function(*args, **kwargs), self.name))
        outer = current.get()
        current.set(self.run)
        try:
            return await function(*args, **kwargs)
        except (StopIteration, StopAsyncIteration) as error:
            raise self._stop(error) from error
        except Exception as error:
            note_step(error, self.name)
            raise
        finally:
            current.set(outer)

    async def call_plain(
        self, function: Callable[..., Any], *args: Any, inline: bool = False, **kwargs: Any
    ) -> Any:
        """A plain function: here in a sync run or if `inline`, else in a worker thread."""
        if inline or not self.run.io.is_async:
            return self.call(function, *args, **kwargs)
        return await self.run.io.blocking(lambda: self.call(function, *args, **kwargs))

    def step(self, iterator: Any, ended: Any) -> Any:
        """The next item of a user's iterator, or `ended`."""
        return self.call(next, iterator, ended)

    async def items(self, source: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The items of a user's async iterator, in either world; closed when left."""
        step = _anext_or(source)
        try:
            while (item := await self.call_async(step)) is not _ENDED:
                yield item
        finally:
            await close(source)

    def _stop(self, error: BaseException) -> StepError:
        return StepError(
            f"step `{self.name}` raised {type(error).__name__}, which cannot leave a step; "
            "return a value, or raise another error"
        )


_ENDED: Any = object()


def _anext_or(source: AsyncIterator[Any]) -> Callable[[], Any]:
    async def step() -> Any:
        try:
            return await source.__anext__()
        except StopAsyncIteration:
            return _ENDED

    return step


def note_step(error: BaseException, name: str) -> None:
    """Notes on a user's error the innermost step it came up in."""
    if not isinstance(error, HeadraceError) and not getattr(error, "__headrace_step__", None):
        try:
            error.__headrace_step__ = name  # type: ignore[attr-defined]  # our own mark
        except AttributeError:
            return  # an exception class without a __dict__ takes no mark
        error.add_note(f"raised in step `{name}`")


def place(error: BaseException, where: str) -> None:
    """Puts `where` before the path that a HeadraceError already names in `.step`."""
    if isinstance(error, HeadraceError):
        error.step = f"{where}/{error.step}" if error.step else where


def is_coroutine_function(function: Any) -> bool:
    """Whether calling it gives a coroutine: also for partials and objects with `__call__`."""
    return _kind_is(inspect.iscoroutinefunction, function)


def is_async_generator_function(function: Any) -> bool:
    return _kind_is(inspect.isasyncgenfunction, function)


def is_generator_function(function: Any) -> bool:
    return _kind_is(inspect.isgeneratorfunction, function)


def _kind_is(test: Callable[[Any], bool], function: Any) -> bool:
    while hasattr(function, "func") and not inspect.isroutine(function):
        function = function.func  # functools.partial
    return test(function) or test(getattr(function, "__call__", None))  # noqa: B004
