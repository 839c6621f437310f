"""The layers that `with_*` put around a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.chat_models.model import Layer, Model, as_model
from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.engine.run import check_config
from headrace.errors import SuspendedError
from headrace.runnables.binding import own_listeners
from headrace.runnables.fallbacks import first_error
from headrace.runnables.retrying import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from headrace.chat_models.settings import Call
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


class Retry(Layer):
    """`with_retry`: tries again; what is inside does not try again by itself."""

    __slots__ = ("policy",)

    def __init__(self, **options: Any) -> None:
        self.policy = RetryPolicy(**options)

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        async def attempt(run: Run) -> Any:
            return await inner._ask(input, call.without_retries(), run)

        return await self.policy.value(attempt, run)

    async def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        def attempt(run: Run) -> AsyncIterator[Any]:
            return inner._ask_stream(input, call.without_retries(), run)

        items = self.policy.stream(attempt, run)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def __repr__(self) -> str:
        return f"with_retry({self.policy!r})"


class Fallbacks(Layer):
    """`with_fallbacks`: the next model where one fails, before its first chunk."""

    __slots__ = ("exceptions", "others")

    def __init__(
        self,
        fallbacks: Sequence[Any],
        exceptions_to_handle: tuple[type[Exception], ...] = (Exception,),
    ) -> None:
        self.others = tuple(as_model(other, "with_fallbacks") for other in fallbacks)
        self.exceptions = exceptions_to_handle

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        first: Exception | None = None
        error: Exception | None = None
        for model in (inner, *self.others):
            if error is not None:
                await run.note("fallback", {"error": error, "step": model.get_name()})
            try:
                return await model._ask(input, call, run)
            except SuspendedError:
                raise
            except self.exceptions as failure:
                error, first = failure, first_error(first, failure, model)
        assert first is not None
        raise first

    async def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        first: Exception | None = None
        error: Exception | None = None
        for model in (inner, *self.others):
            if error is not None:
                await run.note("fallback", {"error": error, "step": model.get_name()})
            items = model._ask_stream(input, call, run)
            begun = False
            try:
                async for item in items:
                    begun = True
                    yield item
                return
            except SuspendedError:
                raise
            except self.exceptions as failure:
                if begun:
                    raise
                error, first = failure, first_error(first, failure, model)
            finally:
                await close(items)
        assert first is not None
        raise first

    def __repr__(self) -> str:
        return f"with_fallbacks({list(self.others)!r})"


provide("config_layer", Config)
provide("listen_layer", Listen)
provide("retry_layer", Retry)
provide("fallback_layer", Fallbacks)
