"""The one seam at which user code is called.

It makes the run known to calls inside that code, for that call only (by `set(old)`: a Token
must not live across a `yield`); it turns StopIteration, which asyncio cannot carry, into a
StepError; and it notes on the user's error in which step it came up.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import close, drive
from headrace.engine.run import current
from headrace.engine.strands import Scope
from headrace.errors import HeadraceError, StepError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from headrace.engine.run import Run


def call(run: Run, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)` here and now, for the step `name` of `run`."""
    token = current.set(run)  # a Token is quicker, and safe where nothing yields meanwhile
    try:
        return function(*args, **kwargs)
    except Exception as error:
        _explain(error, name)
        raise
    finally:
        current.reset(token)


class Seam:
    """Calls user code for the step `name` of `run`."""

    __slots__ = ("name", "run")

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.name = run, name

    def within(self, scope: Scope) -> Seam:
        """This seam, whose calls are called off when `scope` is."""
        return Seam(self.run.within(scope), self.name)

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """`function(*args, **kwargs)`, here and now."""
        return call(self.run, self.name, function, *args, **kwargs)

    async def call_async(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """`await function(*args, **kwargs)`; driven by hand in a sync run."""
        run, name = self.run, self.name
        if not run.io.is_async:
            return call(run, name, drive, _awaited(function, args, kwargs), name)
        outer = current.get()
        current.set(run)
        try:
            return await function(*args, **kwargs)
        except Exception as error:
            _explain(error, name)
            raise
        finally:
            if current.get() is run:  # not where a dropped coroutine is collected
                current.set(outer)

    async def call_plain(
        self, function: Callable[..., Any], /, *args: Any, inline: bool = False, **kwargs: Any
    ) -> Any:
        """A plain function: here in a sync run or if `inline`, else in a worker thread."""
        run = self.run
        if inline or not run.io.is_async:
            return call(run, self.name, function, *args, **kwargs)
        scope = Scope(run.scope)
        seam = self.within(scope)
        try:
            return await run.io.blocking(lambda: seam.call(function, *args, **kwargs))
        except BaseException:
            scope.stop()  # a thread goes on when its task is cancelled; what it calls ends
            raise

    def open(self, function: Callable[..., Any], /, *args: Any) -> Iterator[Any]:
        """An iterator over what a generator function, or one like it, gives."""
        iterator: Iterator[Any] = self.call(lambda: iter(function(*args)))
        return iterator

    def step(self, iterator: Any, ended: Any) -> Any:
        """The next item of a user's iterator, or `ended`."""
        return self.call(next, iterator, ended)

    async def items(self, source: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """The items of a user's async iterator, in either world; closed when left."""
        step = _anext_or(source)
        try:
            while (item := await self.call_async(step)) is not _ENDED:
                yield item
        finally:
            await self.call_async(close, source)


_ENDED: Any = object()


def _anext_or(source: AsyncIterator[Any]) -> Callable[[], Any]:
    async def step() -> Any:
        try:
            return await source.__anext__()
        except StopAsyncIteration:
            return _ENDED

    return step


async def _awaited(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return await function(*args, **kwargs)


def _explain(error: Exception, name: str) -> None:
    """Notes on a user's error its step; raises StepError for a StopIteration, also a wrapped one.

    Python itself makes a RuntimeError of one that leaves a coroutine or generator.
    """
    wraps = isinstance(error, RuntimeError) and str(error).endswith(_WRAPPED)
    cause = error.__cause__ if wraps else error
    if not isinstance(cause, StopIteration | StopAsyncIteration):
        return note_step(error, name)
    raise StepError(
        f"step `{name}` raised {type(cause).__name__}, which cannot leave a step; "
        "return a value, or raise another error"
    ) from cause


_WRAPPED = ("raised StopIteration", "raised StopAsyncIteration")


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


def passed(error: BaseException, frame: Any) -> bool:
    """Whether an error came through this frame, so not from what was done with its value."""
    step = error.__traceback__ if frame is not None else None
    while step is not None:
        if step.tb_frame is frame:
            return True
        step = step.tb_next
    return False


def is_coroutine_function(function: Any) -> bool:
    """Whether calling it gives a coroutine: also for partials and objects with `__call__`."""
    return _kind_is(inspect.iscoroutinefunction, function)


def is_async_generator_function(function: Any) -> bool:
    return _kind_is(inspect.isasyncgenfunction, function)


def is_generator_function(function: Any) -> bool:
    return _kind_is(inspect.isgeneratorfunction, function)


def _kind_is(test: Callable[[Any], bool], function: Any) -> bool:
    while isinstance(function, partial):
        function = function.func
    if inspect.isclass(function):  # calling it makes an instance
        return False
    return test(function) or test(getattr(function, "__call__", None))  # noqa: B004
