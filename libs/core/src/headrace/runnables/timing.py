"""A step that must be done by a certain time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.errors import InputError, StepTimeoutError
from headrace.runnables.base import Runnable
from headrace.runnables.binding import RunnableBinding

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)
_SLACK = 0.005  # seconds by which the clock of an event loop may be ahead


class RunnableTimeout(RunnableBinding[Input, Output]):
    """`bound`, which must be done in `total` seconds with all that it does; else StepTimeoutError.

    Async work is cancelled. Sync work is not begun after that time, and what waits for a model
    ends with it; a function that goes on by itself is waited for.
    """

    __slots__ = ("total",)
    transparent = True

    def __init__(self, bound: Runnable[Input, Output], total: float) -> None:
        super().__init__(bound)
        self.total = total

    async def _invoke(self, input: Any, run: Run) -> Any:
        run = run.bounded(run.bounds.within(self.total))
        return await limited(run.invoke(self.bound, input), run, self._late)

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        run = run.bounded(run.bounds.within(self.total))
        items = limited_stream(run.transform(self.bound, chunks), run, self._late)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def _late(self) -> StepTimeoutError:
        return StepTimeoutError(
            f"`{self.bound.get_name()}` took longer than the {self.total:g} s of its "
            "`with_timeout`; raise `total`, or ask for less"
        )

    def _around(self, bound: Runnable[Any, Any]) -> Runnable[Any, Any]:
        return RunnableTimeout(bound, self.total)

    def __repr__(self) -> str:
        return f"{self.bound!r}.with_timeout(total={self.total:g})"


async def limited(
    work: Coroutine[Any, Any, Any], run: Run, late: Callable[[], TimeoutError]
) -> Any:
    """The value of `work`; `late()` is raised where the deadline of `run` ends it."""
    try:
        return await run.io.bounded(work, run.bounds.left)
    except TimeoutError as error:
        raise _said(error, run, late) from error


async def limited_stream(
    items: AsyncIterator[Any], run: Run, late: Callable[[], TimeoutError]
) -> AsyncGenerator[Any, None]:
    """The items; `late()` is raised where the deadline of `run` ends them."""
    items = run.io.guarded(items, lambda: run.bounds.left)
    try:
        async for item in items:
            yield item
            if _is_over(run):
                raise late()
    except TimeoutError as error:
        raise _said(error, run, late) from error
    finally:
        await close(items)


def _said(error: TimeoutError, run: Run, late: Callable[[], TimeoutError]) -> TimeoutError:
    """The error to raise for a timeout inside, with what had come of an answer."""
    ours: Any = late()
    if isinstance(error, type(ours)) or not _is_over(run):
        return error
    for source in (error, error.__cause__):
        if (partial := getattr(source, "partial", None)) is not None:
            ours.partial, ours.usage = partial, getattr(source, "usage", None)
            break
    return ours  # type: ignore[no-any-return]  # `late` gives a TimeoutError


def _is_over(run: Run) -> bool:
    left = run.bounds.left
    return left is not None and left < _SLACK


def with_timeout(step: Runnable[Any, Any], total: Any, others: dict[str, Any]) -> Any:
    for name, value in others.items():
        if value is not None:
            raise InputError(
                f"`{name}` is for models; say it on the model in `{step.get_name()}`, here `total`"
            )
    if not isinstance(total, int | float) or isinstance(total, bool) or total <= 0:
        raise InputError(f"`total` is a number of seconds above 0, not {total!r}")
    return RunnableTimeout(step, total)


provide("with_timeout", with_timeout)
