"""A model wrapped is still a model: one protocol for a specification and for its layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar, overload

from headrace.chat_models.counting import count, remaining
from headrace.chat_models.options import with_neutral_effort
from headrace.chat_models.preflight import Preflight, look_ahead
from headrace.chat_models.schema import Method, OutputSchema
from headrace.chat_models.settings import NO_CALL, Call, call_of
from headrace.engine.drive import close, drive
from headrace.engine.hooks import reach
from headrace.engine.sums import NOTHING
from headrace.engine.worlds import async_world, sync_world
from headrace.errors import InputError
from headrace.runnables.base import Runnable, collect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from pydantic import BaseModel
    from typing_extensions import TypeForm

    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.room import Misfit
    from headrace.chat_models.structured import StructuredAnswer
    from headrace.engine.run import Run, RunnableConfig
    from headrace.messages import BaseMessage


class PromptValue(Protocol):
    """What a prompt template makes: it can say itself as messages."""

    def to_messages(self) -> list[BaseMessage]: ...


ModelInput = str | Sequence[Any] | PromptValue | Mapping[str, Any]

Out = TypeVar("Out", covariant=True)
T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")


class Model(Runnable[ModelInput, Out], abstract=True):
    """All methods of a model over two primitives: `_ask` and its streaming twin.

    Each `bind*` and `with_*` adds one layer and returns a model with all methods; nothing
    bound before is lost. Inner first: `with_retry().with_structured_output(S)` tries the
    request again, the reverse order also an answer that could not be read.
    """

    __slots__ = ()
    transparent = True  # the specification tells listeners of each request itself

    async def _ask(self, input: Any, call: Call, run: Run) -> Any:
        raise NotImplementedError

    def _ask_stream(self, input: Any, call: Call, run: Run) -> AsyncGenerator[Any, None]:
        raise NotImplementedError

    async def _invoke(self, input: ModelInput, run: Run) -> Out:
        answer: Out = await self._ask(input, NO_CALL, run)
        return answer

    async def _transform(
        self, chunks: AsyncIterator[ModelInput], run: Run
    ) -> AsyncGenerator[Out, None]:
        input = await collect(chunks, run)
        if input is NOTHING:
            return
        items = self._ask_stream(input, NO_CALL, run)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    @property
    def spec(self) -> BaseChatModel | None:
        """The specification inside all layers; None while `configurable` still decides it."""
        raise NotImplementedError

    def _respec(self, change: Callable[[BaseChatModel], Model[Any]]) -> Model[Any]:
        """This model with its specification changed, inside the same layers."""
        raise NotImplementedError

    def _layered(self, layer: Layer) -> Model[Any]:
        return Layered(self, layer)

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Model[Out]:
        return self.bind(**kwargs)

    # What every model offers.

    def bind(self, **options: Any) -> Model[Out]:
        """This model with parameters, tools or stop words set for each call."""
        return self._layered(Ask(self._checked(call_of(options))))

    def bind_tools(
        self,
        tools: Sequence[Any],
        *,
        tool_choice: Any = None,
        parallel_tool_calls: bool | None = None,
        strict: bool | None = None,
        **options: Any,
    ) -> Model[Out]:
        """This model with tools more; of two with one name the later stands.

        `tool_choice`: "auto", "none", "any", a name, a list of names to call one of, or
        ["auto", *names] to call only these, if any.
        """
        if parallel_tool_calls is not None:
            options["parallel_tool_calls"] = parallel_tool_calls
        given = {"tools": tools, "tool_choice": tool_choice, "strict": strict, **options}
        return self._layered(Ask(self._checked(call_of(given))))

    @overload
    def with_structured_output(
        self,
        schema: TypeForm[T],
        *,
        include_raw: Literal[False] = ...,
        method: Method = ...,
        strict: bool | None = ...,
        repair: bool = ...,
        retries: int = ...,
    ) -> Model[T]: ...
    @overload
    def with_structured_output(
        self,
        schema: Mapping[str, Any],
        *,
        include_raw: Literal[False] = ...,
        method: Method = ...,
        strict: bool | None = ...,
        repair: bool = ...,
        retries: int = ...,
    ) -> Model[dict[str, Any]]: ...
    @overload
    def with_structured_output(
        self,
        schema: TypeForm[T],
        *,
        include_raw: Literal[True],
        method: Method = ...,
        strict: bool | None = ...,
        repair: bool = ...,
        retries: int = ...,
    ) -> Model[StructuredAnswer[T]]: ...
    @overload
    def with_structured_output(
        self,
        schema: Mapping[str, Any],
        *,
        include_raw: Literal[True],
        method: Method = ...,
        strict: bool | None = ...,
        repair: bool = ...,
        retries: int = ...,
    ) -> Model[StructuredAnswer[dict[str, Any]]]: ...
    @overload
    def with_structured_output(
        self,
        schema: Any,
        *,
        include_raw: bool = ...,
        method: Method = ...,
        strict: bool | None = ...,
        repair: bool = ...,
        retries: int = ...,
    ) -> Model[Any]: ...
    def with_structured_output(
        self,
        schema: Any,
        *,
        include_raw: bool = False,
        method: Method = "auto",
        strict: bool | None = None,
        repair: bool = True,
        retries: int = 0,
    ) -> Model[Any]:
        """This model, answering with objects of `schema`.

        `method="auto"` takes what the model does best. An answer that is none is mended with
        `repair`, else asked for `retries` times more, else a StructuredOutputError. With
        `include_raw` the answer is {"raw", "parsed", "parsing_error"}.
        """
        output = OutputSchema(schema, method, strict, repair)
        return self._layered(reach("parse_layer")(output, include_raw, retries))

    def with_reasoning_tags(self, *tags: str, inside: bool = False) -> Model[Out]:
        """This model with text in `<think>`-style tags as reasoning blocks; see ReasoningSplitter.

        Without `tags` those of the profile's `thinking_tags`, else "think".
        """
        known = () if self.spec is None else self.spec.profile.get("thinking_tags") or ()
        return self._layered(reach("reasoning_layer")(tags or tuple(known), inside))

    def with_config(self, config: RunnableConfig | None = None, **values: Any) -> Model[Out]:
        """This model under a config, which the config of a call adds to."""
        return self._layered(reach("config_layer")({**(config or {}), **values}))

    def with_listeners(
        self, *, on_start: Any = None, on_end: Any = None, on_error: Any = None
    ) -> Model[Out]:
        """This model with functions told of its own requests."""
        return self._layered(reach("listen_layer")(on_start, on_end, on_error))

    def with_retry(self, **options: Any) -> Model[Out]:
        """This model tried again when it fails, in place of its own `max_retries`."""
        return self._layered(reach("retry_layer")(**options))

    def with_timeout(
        self,
        *,
        total: float | None = None,
        first_chunk: float | None = None,
        idle: float | None = None,
        connect: float | None = None,
    ) -> Model[Out]:
        """This model under bounds in seconds; what is not given stays as it is.

        `total` holds for all that is inside, retries and fallbacks too; the others for each
        attempt: see `Timeout`.
        """
        parts = {"first_chunk": first_chunk, "idle": idle, "connect": connect}
        return self._layered(reach("timeout_layer")(total, parts))

    def with_fallbacks(self, fallbacks: Sequence[Runnable[Any, Any]], **options: Any) -> Model[Out]:
        """This model, and the others in turn while it fails; a stream only before its start.

        What is bound outside reaches all of them; what was bound inside stays with the first.
        """
        return self._layered(reach("fallback_layer")(fallbacks, **options))

    def with_preflight(self, on_misfit: Misfit = "raise") -> Model[Out]:
        """This model, which looks at the size of each request before it is sent.

        One without room is a ContextOverflowError, or with "warn" a warning. Fallbacks inside
        each look for themselves; put inside of fallbacks, the next model is asked.
        """
        return self._layered(reach("preflight_layer")(on_misfit))

    def with_cache(
        self, store: Any = True, *, ttl: float | None = None, namespace: str = ""
    ) -> Model[Out]:
        """This model, answering from `store` what it was asked before; True: the process's own.

        `ttl` in seconds. Answers of one namespace are not found in another, and are cleared
        together by `store.clear(namespace)`. False: without a cache.
        """
        return self._layered(reach("cache_layer")(store, ttl, namespace))

    def with_usage_limit(self, limit: Any = None, **limits: Any) -> Model[Out]:
        """This model under a budget: `limit`, or a new one of `tokens`, `cost` and `requests`.

        See `usage_limit`; a budget given to several models is shared by them.
        """
        return self._layered(reach("budget_layer")(limit, limits))

    def with_rate_limit(self, limiter: Any = None, **limits: Any) -> Model[Out]:
        """This model, each of its attempts let in by `limiter`, or by a RateLimiter of `limits`.

        With `concurrency=8` no more than eight requests are under way at once.
        """
        return self._layered(reach("limit_layer")(limiter, limits))

    def configurable_fields(self, **fields: Any) -> Model[Out]:
        """This model with parameters that `configurable` in a config may set."""
        return self._layered(reach("configure_layer")(self, fields))

    def _checked(self, call: Call) -> Call:
        if self.spec is None:
            return call
        self.spec.check_options(call.options)
        return replace(call, options=with_neutral_effort(type(self.spec), call.options))

    # Questions that cost nothing.

    def supports(self, name: str) -> bool | None:
        """Whether the model takes a parameter, or sees a kind of content; None: nobody knows."""
        return None if self.spec is None else self.spec.supports(name)

    def preflight(self, input: ModelInput, **options: Any) -> Preflight:
        """What this request would be and cost, with all that is bound; nothing is sent.

        Of a model with fallbacks the first is looked at, of a configurable one the defaults.
        """
        return look_ahead(*self._reached(options), input)

    def get_num_tokens(
        self, input: ModelInput, *, tools: Sequence[Any] = (), exact: bool = False
    ) -> int:
        """Tokens of a text, or of messages with `tools` and all that is bound: an estimate.

        `exact` asks the provider, without an answer being paid for; UnsupportedParameterError
        where it has no such endpoint. Of the model that `preflight` looks at.
        """
        return drive(count(*self._reached({"tools": tools}), input, exact, sync_world()))

    async def aget_num_tokens(
        self, input: ModelInput, *, tools: Sequence[Any] = (), exact: bool = False
    ) -> int:
        """As `get_num_tokens`, for async callers."""
        return await count(*self._reached({"tools": tools}), input, exact, async_world())

    def get_num_tokens_from_messages(
        self, messages: Sequence[Any], tools: Sequence[Any] = ()
    ) -> int:
        """As `get_num_tokens`, under the name that `trim_messages` knows."""
        return self.get_num_tokens(messages, tools=tools)

    def remaining_tokens(
        self, input: ModelInput, *, tools: Sequence[Any] = (), exact: bool = False
    ) -> int | None:
        """Tokens of input for which there is room beside this; below 0: so many too many.

        What `max_tokens` reserves for the answer is left out. None: no limit is known.
        """
        return drive(remaining(*self._reached({"tools": tools}), input, exact, sync_world()))

    async def aremaining_tokens(
        self, input: ModelInput, *, tools: Sequence[Any] = (), exact: bool = False
    ) -> int | None:
        """As `remaining_tokens`, for async callers."""
        return await remaining(*self._reached({"tools": tools}), input, exact, async_world())

    def _reached(self, options: Mapping[str, Any]) -> tuple[BaseChatModel, Call]:
        return self._inmost(self._checked(call_of(options)))

    def _inmost(self, call: Call) -> tuple[BaseChatModel, Call]:
        """The specification inside all layers, and the call as it gets there."""
        raise NotImplementedError

    # Clients.

    def warm(self) -> None:
        """Loads the SDK and makes the client in the background; returns at once.

        Inside a running event loop it makes that loop's client, else the one of sync calls. As
        often as you like; what fails here comes up at the first request.
        """
        if self.spec is not None:
            self.spec.warm()

    def close(self) -> None:
        """Gives back the client that sync calls used; closing twice does nothing."""
        if self.spec is not None:
            self.spec.close()

    async def aclose(self) -> None:
        """Gives back the client that async calls on this loop used."""
        if self.spec is not None:
            await self.spec.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class Layer:
    """One decorator of a model; by default it only changes the call and the run."""

    __slots__ = ()

    def asking(self, call: Call) -> Call:
        """The call with what this layer asks for."""
        return call

    def enter(self, call: Call, run: Run) -> tuple[Call, Run]:
        return self.asking(call), run

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        call, run = self.enter(call, run)
        return await inner._ask(input, call, run)

    def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        call, run = self.enter(call, run)
        return inner._ask_stream(input, call, run)

    def limit(self) -> int | None:
        return None


class Ask(Layer):
    """`bind`, `bind_tools`: asks for more, of this provider or of any other."""

    __slots__ = ("call",)

    def __init__(self, call: Call) -> None:
        self.call = call

    def asking(self, call: Call) -> Call:
        return call.over(self.call)

    def __repr__(self) -> str:
        parts = [f"tools={[t.get('name') for t in self.call.tools]}"] if self.call.tools else []
        parts += [f"{name}={value!r}" for name, value in self.call.options.items()]
        return f"bind({', '.join(parts)})"


class Layered(Model[Out]):
    """A model under one more layer; attributes are those of the model inside."""

    __slots__ = ("inner", "layer")

    def __init__(self, inner: Model[Any], layer: Layer) -> None:
        self.inner, self.layer = inner, layer

    async def _ask(self, input: Any, call: Call, run: Run) -> Any:
        return await self.layer.ask(self.inner, input, call, run)

    def _ask_stream(self, input: Any, call: Call, run: Run) -> AsyncGenerator[Any, None]:
        return self.layer.stream(self.inner, input, call, run)

    def _inmost(self, call: Call) -> tuple[BaseChatModel, Call]:
        return self.inner._inmost(self.layer.asking(call))

    @property
    def spec(self) -> BaseChatModel | None:
        return self.inner.spec

    def _respec(self, change: Callable[[BaseChatModel], Model[Any]]) -> Model[Any]:
        return Layered(self.inner._respec(change), self.layer)

    def _limit(self) -> int | None:
        return self.layer.limit() or self.inner._limit()

    def get_name(self, suffix: str | None = None) -> str:
        return self.inner.get_name(suffix)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("inner", "layer"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.inner, name)

    def __repr__(self) -> str:
        return f"{self.inner!r}.{self.layer!r}"


def as_model(thing: Any, asked_by: str) -> Model[Any]:
    """`thing` if it is a model; InputError saying who needs one otherwise."""
    if isinstance(thing, Model):
        return thing
    raise InputError(f"`{asked_by}` takes chat models, not {type(thing).__name__} {thing!r}")
