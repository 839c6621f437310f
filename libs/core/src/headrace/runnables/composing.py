"""How steps are put together: `|` and the `bind*`, `with_*` methods every Runnable has.

Each makes one of the combinators of this package, reached through the hook table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from headrace.engine.hooks import reach

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from headrace.engine.run import RunnableConfig
    from headrace.runnables.base import Runnable
    from headrace.tools import Tool  # upward: as_tool makes one

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)
Other = TypeVar("Other")


class Composing(Generic[Input, Output]):
    """The methods that make a new Runnable of this one; none changes it."""

    __slots__ = ()

    @overload
    def __or__(self, other: Runnable[Output, Other]) -> Runnable[Input, Other]: ...
    @overload
    def __or__(self, other: Callable[[Output], Awaitable[Other]]) -> Runnable[Input, Other]: ...
    @overload
    def __or__(
        self, other: Callable[[Iterator[Output]], Iterator[Other]]
    ) -> Runnable[Input, Other]: ...
    @overload
    def __or__(
        self, other: Callable[[AsyncIterator[Output]], AsyncIterator[Other]]
    ) -> Runnable[Input, Other]: ...
    @overload
    def __or__(self, other: Callable[[Output], Other]) -> Runnable[Input, Other]: ...
    @overload
    def __or__(self, other: Mapping[str, Any]) -> Runnable[Input, dict[str, Any]]: ...
    def __or__(self, other: Any) -> Any:
        return reach("sequence")(self, other)

    @overload
    def __ror__(self, other: Mapping[str, Any]) -> Runnable[Any, Output]: ...
    @overload
    def __ror__(self, other: Callable[[Other], Any]) -> Runnable[Other, Output]: ...
    def __ror__(self, other: Any) -> Any:
        return reach("sequence")(other, self)

    def pipe(self, *others: Any, name: str | None = None) -> Runnable[Input, Any]:
        """This step, then the others: what `|` does, with a name."""
        return reach("sequence")(self, *others, name=name)  # type: ignore[no-any-return]

    def assign(self, **steps: Any) -> Runnable[Input, dict[str, Any]]:
        """This step's dict with one more key for each given step, made from that dict."""
        return self.pipe(reach("assign")(steps))

    def pick(self, keys: str | Sequence[str]) -> Runnable[Input, Any]:
        """The value of one key of this step's dict, or a dict of several keys."""
        return self.pipe(reach("pick")(keys))

    def map(self) -> Runnable[list[Any], list[Output]]:
        """This step for each item of a list."""
        return reach("each")(self)  # type: ignore[no-any-return]  # from the hook table

    def bind(self, **kwargs: Any) -> Runnable[Input, Output]:
        """This step with arguments of the call; arguments at the call win."""
        return reach("bind")(self, kwargs)  # type: ignore[no-any-return]  # from the hook table

    def with_config(
        self, config: RunnableConfig | None = None, **values: Any
    ) -> Runnable[Input, Output]:
        """This step under a config, which the config of a call adds to."""
        merged = {**(config or {}), **values}
        return reach("with_config")(self, merged)  # type: ignore[no-any-return]

    def with_listeners(
        self,
        *,
        on_start: Callable[..., Any] | None = None,
        on_end: Callable[..., Any] | None = None,
        on_error: Callable[..., Any] | None = None,
    ) -> Runnable[Input, Output]:
        """This step with functions told of its own runs, not of those inside."""
        return reach("with_listeners")(  # type: ignore[no-any-return]  # from the hook table
            self, on_start, on_end, on_error
        )

    def with_alisteners(
        self,
        *,
        on_start: Callable[..., Any] | None = None,
        on_end: Callable[..., Any] | None = None,
        on_error: Callable[..., Any] | None = None,
    ) -> Runnable[Input, Output]:
        """As `with_listeners`, with coroutine functions."""
        return self.with_listeners(on_start=on_start, on_end=on_end, on_error=on_error)

    def with_retry(self, **options: Any) -> Runnable[Input, Output]:
        """This step tried again when it fails; see `RetryPolicy` for the options."""
        return reach("with_retry")(self, **options)  # type: ignore[no-any-return]

    def with_fallbacks(
        self, fallbacks: Sequence[Runnable[Any, Any]], **options: Any
    ) -> Runnable[Input, Output]:
        """This step, and the others in turn while it fails; see `FallbackPolicy`."""
        return reach("with_fallbacks")(self, fallbacks, **options)  # type: ignore[no-any-return]

    def with_timeout(
        self,
        *,
        total: float | None = None,
        first_chunk: float | None = None,
        idle: float | None = None,
        connect: float | None = None,
    ) -> Runnable[Input, Output]:
        """This step, to be done in `total` seconds, or StepTimeoutError; others are for models."""
        others = {"first_chunk": first_chunk, "idle": idle, "connect": connect}
        return reach("with_timeout")(self, total, others)  # type: ignore[no-any-return]

    def with_types(
        self, *, input_type: Any = None, output_type: Any = None
    ) -> Runnable[Input, Output]:
        """This step with types said for its schemas."""
        return reach("with_types")(self, input_type, output_type)  # type: ignore[no-any-return]

    def configurable_fields(self, **fields: Any) -> Runnable[Input, Output]:
        """This step with fields that `configurable` in a config may set, call by call."""
        return reach("configurable_fields")(self, fields)  # type: ignore[no-any-return]

    def configurable_alternatives(
        self, which: Any, *, default_key: str = "default", prefix_keys: bool = False, **others: Any
    ) -> Runnable[Input, Output]:
        """This step, or another one that `configurable` in a config names."""
        return reach("configurable_alternatives")(  # type: ignore[no-any-return]
            self, which, others, default_key=default_key, prefix_keys=prefix_keys
        )

    def as_tool(
        self,
        args_schema: Any = None,
        *,
        name: str | None = None,
        description: str | None = None,
        arg_types: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Tool:
        """This step as a tool that a model may call; its arguments are the step's input.

        `arg_types`: {argument: type}, where annotations do not say what the step takes.
        """
        return reach("as_tool")(  # type: ignore[no-any-return]  # from the hook table
            self,
            args_schema=args_schema,
            name=name,
            description=description,
            arg_types=arg_types,
            **options,
        )

    def get_graph(self) -> Any:
        """The steps as a graph; `.draw_mermaid()` gives its text."""
        return reach("graph_of")(self)

    def get_prompts(self) -> list[Any]:
        """The prompt templates in this step, in order."""
        return reach("prompts_in")(self)  # type: ignore[no-any-return]  # from the hook table

    @property
    def InputType(self) -> Any:  # noqa: N802 - the name the field knows
        """The type of the input, as far as annotations say."""
        return reach("input_type")(self)

    @property
    def OutputType(self) -> Any:  # noqa: N802 - the name the field knows
        """The type of the output, as far as annotations say."""
        return reach("output_type")(self)

    def get_input_schema(self) -> type[Any]:
        """A pydantic model of the input; of a root value where it is not a dict."""
        return reach("input_schema")(self)  # type: ignore[no-any-return]

    def get_output_schema(self) -> type[Any]:
        """A pydantic model of the output."""
        return reach("output_schema")(self)  # type: ignore[no-any-return]

    def get_input_jsonschema(self) -> dict[str, Any]:
        """The JSON Schema of the input."""
        return reach("input_jsonschema")(self)  # type: ignore[no-any-return]

    def get_output_jsonschema(self) -> dict[str, Any]:
        """The JSON Schema of the output."""
        return reach("output_jsonschema")(self)  # type: ignore[no-any-return]

    def config_schema(self) -> type[Any]:
        """A pydantic model of the `configurable` values that this step takes."""
        return reach("config_schema")(self)  # type: ignore[no-any-return]

    def get_config_jsonschema(self) -> dict[str, Any]:
        """The JSON Schema of `config_schema`."""
        return reach("config_jsonschema")(self)  # type: ignore[no-any-return]
