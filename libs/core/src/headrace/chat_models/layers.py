"""The layers that `with_*` put around a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.chat_models.model import Layer, Model, as_model
from headrace.engine import observe
from headrace.engine.drive import Once, close
from headrace.engine.hooks import provide
from headrace.engine.run import check_config
from headrace.errors import StructuredOutputError, SuspendedError
from headrace.messages import message_chunk_to_message
from headrace.runnables.binding import own_listeners
from headrace.runnables.fallbacks import first_error
from headrace.runnables.retrying import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from headrace.chat_models.schema import OutputSchema
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


class Parse(Layer):
    """`with_structured_output`: asks for an object and reads it from the answer."""

    __slots__ = ("include_raw", "schema")

    def __init__(self, schema: OutputSchema, include_raw: bool) -> None:
        self.schema, self.include_raw = schema, include_raw

    def asking(self, call: Call) -> Call:
        from_here = type(call)(schema=self.schema)
        return call.over(from_here)

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        async def work(input: Any, run: Run) -> Any:
            message = await inner._ask(input, self.asking(call), run)
            return await self._read(message, run)

        if not run.observed:
            return await work(input, run)
        return await observe.value(run, self._name(inner), "chain", input, work)

    async def _read(self, message: Any, run: Run) -> Any:
        async def parse(message: Any, run: Run) -> Any:
            return self._result(message)

        if not run.observed:
            return self._result(message)
        return await observe.value(run, self.schema.name, "parser", message, parse)

    def _result(self, message: Any) -> Any:
        if not self.include_raw:
            return self.schema.read(message)
        try:
            return {"raw": message, "parsed": self.schema.read(message), "parsing_error": None}
        except StructuredOutputError as error:
            return {"raw": message, "parsed": None, "parsing_error": error}

    async def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        def work(chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
            return self._growing(inner, input, call, run)

        if run.observed:
            items = observe.stream(run, self._name(inner), "chain", Once(input), work)
        else:
            items = self._growing(inner, input, call, run)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    async def _growing(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        items = inner._ask_stream(input, self.asking(call), run)
        total: Any = None
        shown: Any = None
        try:
            async for chunk in items:
                total = chunk if total is None else total + chunk
                if self.include_raw or chunk.chunk_position == "last":
                    continue
                partial = self.schema.partial(total)
                if partial is not None and partial != shown:
                    shown = partial
                    yield partial
        finally:
            await close(items)
        if total is not None:
            result = await self._read(message_chunk_to_message(total), run)
            if result != shown or type(result) is not type(shown):
                yield result

    def _name(self, inner: Model[Any]) -> str:
        return f"{inner.get_name()}.with_structured_output"

    def __repr__(self) -> str:
        return f"with_structured_output({self.schema.name})"


provide("config_layer", Config)
provide("listen_layer", Listen)
provide("retry_layer", Retry)
provide("fallback_layer", Fallbacks)
provide("parse_layer", Parse)
