"""The layers that `with_*` put around a model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headrace.caches.store import check_store
from headrace.chat_models.caching import CacheUse, fresh
from headrace.chat_models.model import Layer, Model, as_model
from headrace.chat_models.settings import Call
from headrace.chat_models.timeouts import check_seconds
from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.engine.run import check_config
from headrace.errors import InputError, ModelTimeoutError
from headrace.messages import AIMessageChunk, message_chunk_to_message
from headrace.rate_limiters import Gate, RateLimiter, UsageLimit, as_gate
from headrace.runnables.binding import own_listeners
from headrace.runnables.falling_back import FallbackPolicy
from headrace.runnables.retrying import RetryPolicy
from headrace.runnables.timing import limited, limited_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence

    from headrace.chat_models.room import Misfit
    from headrace.engine.run import Run


class Config(Layer):
    """`with_config`."""

    __slots__ = ("config",)

    def __init__(self, config: Mapping[str, Any]) -> None:
        check_config(config)
        self.config = config

    def enter(self, call: Call, run: Run) -> tuple[Call, Run]:
        return call, run.configured(self.config, bound=True)

    def limit(self) -> int | None:
        return self.config.get("max_concurrency")

    def __repr__(self) -> str:
        return f"with_config({dict(self.config)!r})"


class Listen(Layer):
    """`with_listeners`: tells functions of the model's own requests."""

    __slots__ = ("listeners",)

    def __init__(self, on_start: Any, on_end: Any, on_error: Any) -> None:
        self.listeners = own_listeners(on_start, on_end, on_error)

    def enter(self, call: Call, run: Run) -> tuple[Call, Run]:
        return call, run.pending(callbacks=self.listeners)

    def __repr__(self) -> str:
        return "with_listeners(…)"


class Look(Layer):
    """`with_preflight`: a request without room in its model is refused, or warned of."""

    __slots__ = ("on_misfit",)

    def __init__(self, on_misfit: Misfit = "raise") -> None:
        if on_misfit not in ("raise", "warn"):
            raise InputError(f'`with_preflight` is told "raise" or "warn", not {on_misfit!r}')
        self.on_misfit = on_misfit

    def asking(self, call: Call) -> Call:
        return replace(call, preflight=call.preflight or self.on_misfit)

    def __repr__(self) -> str:
        return f"with_preflight({self.on_misfit!r})"


class Retry(Layer):
    """`with_retry`: tries again; what is inside leaves to it the errors it wants."""

    __slots__ = ("policy",)

    def __init__(self, **options: Any) -> None:
        self.policy = RetryPolicy(**options)

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        asked = call

        async def attempt(run: Run) -> Any:
            nonlocal asked
            now, asked = asked, fresh(asked)
            return await inner._ask(input, now, self.policy.takes(run))

        return await self.policy.value(attempt, run)

    async def stream(
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


class Cached(Layer):
    """`with_cache`: the model inside is asked only what the store does not have."""

    __slots__ = ("use",)

    def __init__(self, store: Any, ttl: float | None, namespace: str) -> None:
        if ttl is not None and not ttl > 0:
            raise InputError(f"`ttl` is a number of seconds above 0, not {ttl!r}")
        if ":" in namespace:
            raise InputError(f"`namespace` is a name without a colon, not {namespace!r}")
        if not isinstance(store, bool):
            store = check_store(store, "with_cache")
        self.use = CacheUse(store, ttl, namespace)

    def asking(self, call: Call) -> Call:
        return replace(call, cache=call.cache.over(self.use) if call.cache else self.use)

    def __repr__(self) -> str:
        return f"with_cache({self.use.store!r})"


class Admit(Layer):
    """`with_rate_limit`, `with_usage_limit`: each attempt inside passes one gate more."""

    __slots__ = ("gate", "name")

    def __init__(self, name: str, gate: Gate) -> None:
        self.name, self.gate = name, gate

    @classmethod
    def limited(cls, limiter: Any, limits: Mapping[str, Any]) -> Admit:
        if (limiter is None) == (not limits):
            raise InputError(
                "`with_rate_limit` takes a limiter or the limits of a new one, such as "
                "`concurrency=8`, and not both"
            )
        gate = RateLimiter(**limits) if limiter is None else as_gate(limiter)
        return cls("with_rate_limit", gate)

    @classmethod
    def budgeted(cls, limit: Any, limits: Mapping[str, Any]) -> Admit:
        if limit is None:
            return cls("with_usage_limit", UsageLimit(**limits))
        if limits or not isinstance(limit, UsageLimit):
            raise InputError(
                "`with_usage_limit` takes a `usage_limit(…)` or the limits of a new one, such as "
                "`tokens=10_000`, and not both"
            )
        return cls("with_usage_limit", limit)

    def asking(self, call: Call) -> Call:
        return replace(call, gates=(*call.gates, self.gate))

    def __repr__(self) -> str:
        return f"{self.name}({self.gate!r})"


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


class Fallbacks(Layer):
    """`with_fallbacks`: the next model where one fails, before its first chunk."""

    __slots__ = ("others", "policy")

    def __init__(self, fallbacks: Sequence[Any], **options: Any) -> None:
        self.others = tuple(as_model(other, "with_fallbacks") for other in fallbacks)
        self.policy = FallbackPolicy(**options)

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        models = (inner, *self.others)

        def ask(number: int, error: Exception | None) -> Coroutine[Any, Any, Any]:
            return models[number]._ask(input, call, run)

        return await self.policy.value(models, ask, run)

    async def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        models = (inner, *self.others)

        def open(number: int, error: Exception | None) -> AsyncIterator[Any]:
            return models[number]._ask_stream(input, call, run)

        items = self.policy.stream(models, open, run, whole=_whole)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def __repr__(self) -> str:
        return f"with_fallbacks({list(self.others)!r})"


def _whole(total: Any) -> Any:
    """An answer as predicates know it, of the sum of its chunks."""
    return message_chunk_to_message(total) if isinstance(total, AIMessageChunk) else total


provide("config_layer", Config)
provide("listen_layer", Listen)
provide("preflight_layer", Look)
provide("retry_layer", Retry)
provide("timeout_layer", TimeLimit)
provide("fallback_layer", Fallbacks)
provide("cache_layer", Cached)
provide("limit_layer", Admit.limited)
provide("budget_layer", Admit.budgeted)
