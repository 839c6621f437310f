"""A generator function as a step that works chunk by chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.engine.user import Seam, is_async_generator_function
from headrace.errors import InputError
from headrace.runnables.base import Runnable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from headrace.engine.run import Run

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)


class RunnableGenerator(Runnable[Input, Output]):
    """`transform(iterator) -> iterator`, its async twin `atransform`, or both, as a step.

    A plain generator in an async run works in one thread of its own, pulled on demand; an
    async one in a sync run is driven by hand and may not really await.
    """

    __slots__ = ("_atransform", "_function", "name")

    def __init__(
        self,
        transform: Callable[..., Any] | None = None,
        atransform: Callable[..., Any] | None = None,
        *,
        name: str | None = None,
    ) -> None:
        if transform is not None and is_async_generator_function(transform):
            transform, atransform = None, atransform or transform
        given: Any = transform or atransform
        if not callable(given):
            raise InputError(f"a RunnableGenerator takes a generator function, not {given!r}")
        self._function, self._atransform = transform, atransform
        self.name = name or str(getattr(given, "__name__", type(self).__name__))

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        seam, plain, twin = Seam(run, self.name), self._function, self._atransform
        if twin is not None and (run.io.is_async or plain is None):
            items: AsyncIterator[Any] = seam.items(seam.call(twin, chunks))
        elif plain is not None:
            items = run.io.generate(plain, chunks, seam)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def __repr__(self) -> str:
        return f"RunnableGenerator({self.name})"


provide("generator", RunnableGenerator)
