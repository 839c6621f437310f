"""Steps one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.drive import close_all
from headrace.engine.hooks import provide
from headrace.engine.user import place
from headrace.errors import InputError
from headrace.runnables.base import Runnable
from headrace.runnables.coercion import coerce_to_runnable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)


class RunnableSequence(Runnable[Input, Output]):
    """Each step's output is the next one's input; nested sequences become one.

    It streams as far as its steps do: a step that needs its whole input waits for it.
    """

    __slots__ = ("_tags", "name", "steps")

    def __init__(self, *steps: Any, name: str | None = None) -> None:
        self.name = name
        self.steps: tuple[Runnable[Any, Any], ...] = tuple(_flat(steps))
        if len(self.steps) < 2:
            raise InputError(f"a sequence takes at least two steps, not {len(self.steps)}")
        self._tags = [f"seq:step:{number}" for number in range(1, len(self.steps) + 1)]

    async def _invoke(self, input: Any, run: Run) -> Any:
        value, at = input, 0
        checks = run.checked
        try:
            if run.observed:
                for at, step in enumerate(self.steps):
                    if checks:
                        run.check()
                    value = await run.invoke(step, value, self._tags[at])
            else:
                for step in self.steps:
                    if checks:
                        run.check()
                    value = await step._invoke(value, run)
                    at += 1
        except Exception as error:
            place(error, self._where(at))
            raise
        return value

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        source = chunks
        stages: list[AsyncIterator[Any]] = []
        for step, tag in zip(self.steps, self._tags, strict=True):
            chunks = run.transform(step, chunks, tag)
            stages.append(chunks)
        # Which step failed is read off the traceback: a `try` a step would cost every chunk.
        frames = [getattr(stage, "ag_frame", None) for stage in (source, *stages)]
        try:
            async for chunk in chunks:
                yield chunk
        except Exception as error:
            if at := _deepest(error, frames):  # 0: the source's own
                place(error, self._where(at - 1))
            raise
        finally:
            await close_all(*reversed(stages))

    def _where(self, at: int) -> str:
        return f"{at}:{self.steps[at].get_name()}"

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        first, *rest = self.steps
        return RunnableSequence(first._with_kwargs(kwargs), *rest, name=self.name)

    def __repr__(self) -> str:
        return " | ".join(repr(step) for step in self.steps)


def _deepest(error: BaseException, frames: list[Any]) -> int:
    """The index of the innermost of these frames that the error came through, else 0."""
    found, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame in frames:
            found = frames.index(step.tb_frame)
        step = step.tb_next
    return found


def _flat(steps: tuple[Any, ...]) -> list[Runnable[Any, Any]]:
    flat: list[Runnable[Any, Any]] = []
    for step in steps:
        runnable = coerce_to_runnable(step)
        if isinstance(runnable, RunnableSequence):
            flat.extend(runnable.steps)
        else:
            flat.append(runnable)
    return flat


def sequence(*steps: Any, name: str | None = None) -> RunnableSequence[Any, Any]:
    """The sequence of steps; of the names of nested ones, that of the leftmost stands."""
    names = (step.name for step in steps if isinstance(step, RunnableSequence))
    return RunnableSequence(*steps, name=name or next((n for n in names if n), None))


provide("sequence", sequence)
