"""A step, and others in turn while it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.drive import Once, close, close_all
from headrace.engine.hooks import provide
from headrace.errors import InputError
from headrace.runnables.base import Runnable
from headrace.runnables.coercion import coerce_to_runnable
from headrace.runnables.falling_back import FallbackPolicy
from headrace.runnables.replay import Replay
from headrace.runnables.wrapping import rewrapped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence

    from headrace.engine.run import Run

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)


class RunnableWithFallbacks(Runnable[Input, Output]):
    """`runnable`, then each of `fallbacks` while the one before fails; a stream before its start.

    The first error is raised if all fail, with notes of the others. `exception_key`: where in
    the input dict a fallback finds the error before it. Other options: see `FallbackPolicy`.
    Methods reach all members that have them.
    """

    __slots__ = ("exception_key", "fallbacks", "policy", "runnable")

    def __init__(
        self,
        runnable: Runnable[Input, Output],
        fallbacks: Sequence[Any],
        *,
        exception_key: str | None = None,
        policy: FallbackPolicy | None = None,
        **options: Any,
    ) -> None:
        if isinstance(fallbacks, Runnable | str | Mapping) or not hasattr(fallbacks, "__iter__"):
            raise InputError(f"`fallbacks` is a list of Runnables, not {fallbacks!r}")
        self.runnable = runnable
        self.fallbacks: tuple[Runnable[Any, Any], ...] = tuple(
            coerce_to_runnable(step) for step in fallbacks
        )
        self.policy = policy or FallbackPolicy(**options)
        self.exception_key = exception_key

    async def _invoke(self, input: Any, run: Run) -> Any:
        steps = (self.runnable, *self.fallbacks)

        def ask(number: int, error: Exception | None) -> Coroutine[Any, Any, Any]:
            return run.invoke(steps[number], self._with_error(input, error), _tag(number))

        return await self.policy.value(steps, ask, run)

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        given = Replay(chunks)
        steps = (self.runnable, *self.fallbacks)

        def open(number: int, error: Exception | None) -> AsyncIterator[Any]:
            return self._attempt(steps[number], given, error, run, _tag(number))

        items = self.policy.stream(steps, open, run, hopeless=lambda: given.failed)
        try:
            async for item in items:
                given.settle()
                yield item
        finally:
            await close(items)

    async def _attempt(
        self,
        step: Runnable[Any, Any],
        given: Replay,
        error: Exception | None,
        run: Run,
        tag: str | None,
    ) -> AsyncGenerator[Any, None]:
        source = self._source(given, error)
        items = run.transform(step, source, tag)
        try:
            async for item in items:
                yield item
        finally:
            await close_all(items, source)

    def _source(self, given: Replay, error: Exception | None) -> AsyncIterator[Any]:
        source = given.read()
        if self.exception_key is None:
            return source
        if isinstance(source, Once):
            return Once(self._with_error(source.value, error))
        return self._with_last(source, error)

    async def _with_last(
        self, source: AsyncIterator[Any], error: Exception | None
    ) -> AsyncGenerator[Any, None]:
        """Chunks of a dict, the error after them as one more."""
        try:
            async for chunk in source:
                yield self._with_error(chunk, None)
            if error is not None:
                yield self._with_error({}, error)
        finally:
            await close(source)

    def _with_error(self, input: Any, error: Exception | None) -> Any:
        if self.exception_key is None:
            return input
        if not isinstance(input, Mapping):
            raise InputError(
                f"`exception_key` puts the error into a dict; the input is "
                f"{type(input).__name__} {input!r}: leave it out, or give a dict"
            )
        return input if error is None else {**input, self.exception_key: error}

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        return self._of(
            self.runnable._with_kwargs(kwargs),
            [step._with_kwargs(kwargs) for step in self.fallbacks],
        )

    def _of(
        self, runnable: Runnable[Any, Any], fallbacks: Sequence[Runnable[Any, Any]]
    ) -> RunnableWithFallbacks[Any, Any]:
        return RunnableWithFallbacks(
            runnable,
            fallbacks,
            exception_key=self.exception_key,
            policy=self.policy,
        )

    def _limit(self) -> int | None:
        return self.runnable._limit()

    def get_name(self, suffix: str | None = None) -> str:
        return self.runnable.get_name(suffix)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in type(self).__slots__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return rewrapped(getattr(self.runnable, name), self._around)

    def _around(
        self, method: str, made: Runnable[Any, Any], args: Any, kwargs: Any
    ) -> Runnable[Any, Any]:
        others = [
            getattr(step, method)(*args, **kwargs) if hasattr(step, method) else step
            for step in self.fallbacks
        ]
        return self._of(made, others)

    def __repr__(self) -> str:
        return f"{self.runnable!r}.with_fallbacks({list(self.fallbacks)!r})"


def _tag(number: int) -> str | None:
    return f"fallback:{number}" if number else None


def with_fallbacks(
    step: Runnable[Any, Any], fallbacks: Sequence[Any], **options: Any
) -> RunnableWithFallbacks[Any, Any]:
    return RunnableWithFallbacks(step, fallbacks, **options)


provide("with_fallbacks", with_fallbacks)
