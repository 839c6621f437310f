"""The layers that keep a request from failing: retries, fallbacks, and their bounds in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.chat_models.caching import fresh
from headrace.chat_models.grouping import Grouping
from headrace.chat_models.model import Layer, Model, as_model
from headrace.chat_models.settings import Call
from headrace.chat_models.timeouts import check_seconds
from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.errors import InputError, ModelTimeoutError
from headrace.messages import AIMessageChunk, message_chunk_to_message
from headrace.runnables.falling_back import FallbackPolicy
from headrace.runnables.retrying import RetryPolicy
from headrace.runnables.timing import limited, limited_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence

    from headrace.engine.run import Run


class Retry(Grouping):
    """`with_retry`: tries again; what is inside leaves to it the errors it wants."""

    __slots__ = ("policy",)
    word = "with_retry"

    def __init__(self, **options: Any) -> None:
        self.policy = RetryPolicy(**options)

    async def _answer(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        asked = call

        async def attempt(run: Run) -> Any:
            nonlocal asked
            now, asked = asked, fresh(asked)
            return await inner._ask(input, now, self.policy.takes(run))

        return await self.policy.value(attempt, run)

    async def _answer_stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        asked = call

        def attempt(run: Run) -> AsyncIterator[Any]:
            nonlocal asked
            now, asked = asked, fresh(asked)
            return inner._ask_stream(input, now, self.policy.takes(run))

        items = self.policy.stream(attempt, run, whole=_whole)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def __repr__(self) -> str:
        return f"with_retry({self.policy!r})"


class Fallbacks(Grouping):
    """`with_fallbacks`: the next model where one fails, before its first chunk."""

    __slots__ = ("others", "policy")
    word = "with_fallbacks"

    def __init__(self, fallbacks: Sequence[Any], **options: Any) -> None:
        self.others = tuple(as_model(other, "with_fallbacks") for other in fallbacks)
        self.policy = FallbackPolicy(**options)

    async def _answer(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        models = (inner, *self.others)

        def ask(number: int, error: Exception | None) -> Coroutine[Any, Any, Any]:
            return models[number]._ask(input, call, _tagged(run, number))

        return await self.policy.value(models, ask, run)

    async def _answer_stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        models = (inner, *self.others)

        def open(number: int, error: Exception | None) -> AsyncIterator[Any]:
            return models[number]._ask_stream(input, call, _tagged(run, number))

        items = self.policy.stream(models, open, run, whole=_whole)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def __repr__(self) -> str:
        return f"with_fallbacks({list(self.others)!r})"


class TimeLimit(Layer):
    """`with_timeout`: bounds of each attempt inside, and of all of it."""

    __slots__ = ("parts", "total")

    def __init__(self, total: float | None, parts: Mapping[str, float | None]) -> None:
        self.parts = {name: value for name, value in parts.items() if value is not None}
        self.total = total
        if total is None and not self.parts:
            raise InputError("`with_timeout` takes `total`, `first_chunk`, `idle` or `connect`")
        for name, value in {**self.parts, "total": total}.items():
            check_seconds(name, value)

    def asking(self, call: Call) -> Call:
        return call.over(Call(timeouts=self.parts))

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        run = run.bounded(run.bounds.within(self.total))
        work = inner._ask(input, self.asking(call), run)
        return await (work if self.total is None else limited(work, run, self._late))

    def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        run = run.bounded(run.bounds.within(self.total))
        items = inner._ask_stream(input, self.asking(call), run)
        return items if self.total is None else limited_stream(items, run, self._late)

    def _late(self) -> ModelTimeoutError:
        return ModelTimeoutError(
            f"the model took longer than the `total` = {self.total:g} s of `with_timeout`; "
            "raise it, or ask for less"
        )

    def __repr__(self) -> str:
        told = {**self.parts, "total": self.total} if self.total is not None else self.parts
        return f"with_timeout({', '.join(f'{name}={told[name]:g}' for name in told)})"


def _tagged(run: Run, number: int) -> Run:
    return run.pending(tags=(f"fallback:{number}",)) if number else run


def _whole(total: Any) -> Any:
    """An answer as predicates know it, of the sum of its chunks."""
    return message_chunk_to_message(total) if isinstance(total, AIMessageChunk) else total


provide("retry_layer", Retry)
provide("timeout_layer", TimeLimit)
provide("fallback_layer", Fallbacks)
