"""Several steps on one input, as a dict of their outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.drive import Once, close_all
from headrace.engine.hooks import provide
from headrace.engine.strands import Scope
from headrace.engine.sums import AddableDict
from headrace.engine.user import passed, place
from headrace.errors import InputError
from headrace.runnables.base import Runnable
from headrace.runnables.coercion import coerce_to_runnable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run

Input = TypeVar("Input", contravariant=True)


class RunnableParallel(Runnable[Input, dict[str, Any]]):
    """All steps get the same input; `{key: output}` in the order the steps were given.

    Streams `{key: chunk}` as chunks come. When one step fails the others are cancelled
    (async) or end at their next chunk (sync), and its error is raised.
    """

    __slots__ = ("name", "steps")

    def __init__(
        self, steps: Mapping[str, Any] | None = None, *, name: str | None = None, **more: Any
    ) -> None:
        given = {**(steps or {}), **more}
        for key in given:
            if not isinstance(key, str):
                raise InputError(f"the keys of a RunnableParallel are strings, not {key!r}")
        self.steps = {key: coerce_to_runnable(step) for key, step in given.items()}
        self.name = name

    async def _invoke(self, input: Any, run: Run) -> dict[str, Any]:
        scope = Scope(run.scope)
        inner, results = run.within(scope), dict[str, Any]()

        async def do(item: tuple[str, Runnable[Any, Any]]) -> None:
            key, step = item
            try:
                results[key] = await inner.invoke(step, input, f"map:key:{key}")
            except Exception as error:
                place(error, f"{key}:{step.get_name()}")
                raise

        size = len(self.steps)
        if size:
            await run.io.spread(self.steps.items(), do, run.budget, scope, size)
        return {key: results[key] for key in self.steps}

    async def _transform(
        self, chunks: AsyncIterator[Any], run: Run
    ) -> AsyncGenerator[dict[str, Any], None]:
        if not self.steps:
            yield {}
            return
        scope, upstream = Scope(run.scope), getattr(chunks, "ag_frame", None)
        inner, sources = run.within(scope), self._sources(chunks, run)

        async def branch(key: str) -> AsyncGenerator[AddableDict, None]:
            step, source = self.steps[key], sources[key]
            items = inner.transform(step, source, f"map:key:{key}")
            try:
                async for item in items:
                    yield AddableDict({key: item})
            except Exception as error:
                if not passed(error, upstream):
                    place(error, f"{key}:{step.get_name()}")
                raise
            finally:
                await close_all(items, source)

        flow = run.io.flow(self.steps, branch, run.budget, scope, len(self.steps))
        try:
            async for item in flow:
                yield item
        finally:
            await close_all(flow, chunks)

    def _sources(self, chunks: AsyncIterator[Any], run: Run) -> dict[str, AsyncIterator[Any]]:
        if isinstance(chunks, Once):
            return {key: Once(chunks.value) for key in self.steps}
        return dict(zip(self.steps, run.io.tee(chunks, len(self.steps)), strict=True))

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key}: {step!r}" for key, step in self.steps.items()) + "}"


RunnableMap = RunnableParallel

provide("parallel", RunnableParallel)
