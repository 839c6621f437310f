"""A step that is tried again when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.drive import close, close_all
from headrace.engine.hooks import provide
from headrace.runnables.base import Runnable
from headrace.runnables.replay import Replay
from headrace.runnables.retrying import RetryPolicy
from headrace.runnables.wrapping import rewrapped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine

    from headrace.engine.run import Run

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)


class RunnableRetry(Runnable[Input, Output]):
    """`bound`, tried again as `policy` says: a stream before its first chunk only.

    Models inside leave to it the errors it wants, so that attempts never multiply. Other
    attributes are those of `bound`; what its methods make is tried again as well.
    """

    __slots__ = ("bound", "policy")

    def __init__(self, bound: Runnable[Input, Output], policy: RetryPolicy) -> None:
        self.bound, self.policy = bound, policy

    async def _invoke(self, input: Any, run: Run) -> Any:
        def attempt(run: Run) -> Coroutine[Any, Any, Any]:
            return self.policy.takes(run).invoke(self.bound, input)

        return await self.policy.value(attempt, run)

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        given = Replay(chunks)

        def attempt(run: Run) -> AsyncIterator[Any]:
            return self._attempt(given, self.policy.takes(run))

        items = self.policy.stream(attempt, run, hopeless=lambda: given.failed)
        try:
            async for item in items:
                given.settle()
                yield item
        finally:
            await close(items)

    async def _attempt(self, given: Replay, run: Run) -> AsyncGenerator[Any, None]:
        source = given.read()
        items = run.transform(self.bound, source)
        try:
            async for item in items:
                yield item
        finally:
            await close_all(items, source)

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        return RunnableRetry(self.bound._with_kwargs(kwargs), self.policy)

    def _limit(self) -> int | None:
        return self.bound._limit()

    def get_name(self, suffix: str | None = None) -> str:
        return self.bound.get_name(suffix)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("bound", "policy"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return rewrapped(getattr(self.bound, name), self._around)

    def _around(
        self, method: str, made: Runnable[Any, Any], args: Any, kwargs: Any
    ) -> Runnable[Any, Any]:
        return RunnableRetry(made, self.policy)

    def __repr__(self) -> str:
        return f"{self.bound!r}.with_retry({self.policy!r})"


def with_retry(step: Runnable[Any, Any], **options: Any) -> RunnableRetry[Any, Any]:
    return RunnableRetry(step, RetryPolicy(**options))


provide("with_retry", with_retry)
