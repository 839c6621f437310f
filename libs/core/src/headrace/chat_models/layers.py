"""The layers that `with_*` put around a model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headrace.caches.store import check_store
from headrace.chat_models.caching import CacheUse
from headrace.chat_models.model import Layer
from headrace.chat_models.settings import Call
from headrace.engine.hooks import provide
from headrace.engine.run import check_config
from headrace.errors import InputError
from headrace.rate_limiters import Gate, RateLimiter, UsageLimit, as_gate
from headrace.runnables.binding import own_listeners

if TYPE_CHECKING:
    from collections.abc import Mapping

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


provide("config_layer", Config)
provide("listen_layer", Listen)
provide("preflight_layer", Look)
provide("cache_layer", Cached)
provide("limit_layer", Admit.limited)
provide("budget_layer", Admit.budgeted)
