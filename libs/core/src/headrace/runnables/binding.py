"""A step under a config, with listeners or with types of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.drive import close
from headrace.engine.events import FunctionListener
from headrace.engine.hooks import provide
from headrace.engine.run import check_config
from headrace.engine.user import is_coroutine_function
from headrace.errors import InputError
from headrace.runnables.base import Runnable
from headrace.runnables.wrapping import rewrapped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from headrace.engine.events import Event
    from headrace.engine.run import Run, RunnableConfig

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)


class RunnableBinding(Runnable[Input, Output]):
    """`bound` under a config; other attributes and methods are those of `bound`."""

    __slots__ = ("bound", "callbacks", "config", "input_type", "output_type")
    transparent = True

    def __init__(
        self,
        bound: Runnable[Input, Output],
        config: RunnableConfig | None = None,
        *,
        callbacks: tuple[Any, ...] = (),
        input_type: Any = None,
        output_type: Any = None,
    ) -> None:
        check_config(config or {})
        self.bound, self.config, self.callbacks = bound, config or {}, callbacks
        self.input_type, self.output_type = input_type, output_type

    def _under(self, run: Run) -> Run:
        if self.config:
            run = run.configured(self.config, bound=True)
        return run.pending(callbacks=self.callbacks) if self.callbacks else run

    async def _invoke(self, input: Any, run: Run) -> Any:
        return await self._under(run).invoke(self.bound, input)

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        items = self._under(run).transform(self.bound, chunks)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        return self._around(self.bound._with_kwargs(kwargs))

    def _around(self, bound: Runnable[Any, Any]) -> Runnable[Any, Any]:
        return RunnableBinding(
            bound,
            self.config,
            callbacks=self.callbacks,
            input_type=self.input_type,
            output_type=self.output_type,
        )

    def _limit(self) -> int | None:
        return self.config.get("max_concurrency") or self.bound._limit()

    def get_name(self, suffix: str | None = None) -> str:
        name = self.config.get("run_name")
        if not name:
            return self.bound.get_name(suffix)
        return f"{name}{suffix[0].upper()}{suffix[1:]}" if suffix else name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "bound":
            raise AttributeError(name)
        return rewrapped(getattr(self.bound, name), self._rewrapped)

    def _rewrapped(
        self, method: str, made: Runnable[Any, Any], args: Any, kwargs: Any
    ) -> Runnable[Any, Any]:
        return self._around(made)

    def __repr__(self) -> str:
        return repr(self.bound)


def bind(step: Runnable[Any, Any], kwargs: dict[str, Any]) -> Runnable[Any, Any]:
    return step._with_kwargs(kwargs) if kwargs else step


def with_config(step: Runnable[Any, Any], config: RunnableConfig) -> Runnable[Any, Any]:
    return RunnableBinding(step, config)


def with_listeners(step: Runnable[Any, Any], *functions: Any) -> Runnable[Any, Any]:
    return RunnableBinding(step, callbacks=own_listeners(*functions))


def own_listeners(on_start: Any, on_end: Any, on_error: Any) -> tuple[FunctionListener, ...]:
    """Listeners that call each function with the event of its kind."""
    given = {"started": on_start, "ended": on_end, "failed": on_error}
    for name, function in given.items():
        if function is not None and not callable(function):
            raise InputError(f"the listener for `{name}` is a function, not {function!r}")
    return tuple(
        FunctionListener(_teller(function), [kind])  # type: ignore[list-item]  # an EventKind
        for kind, function in given.items()
        if function is not None
    )


def _teller(function: Callable[[Event], Any]) -> Callable[[Event], Awaitable[None] | None]:
    awaits = is_coroutine_function(function)

    def tell(event: Event) -> Awaitable[None] | None:
        answer: Awaitable[None] = function(event)
        return answer if awaits else None

    return tell


def with_types(step: Runnable[Any, Any], input_type: Any, output_type: Any) -> Runnable[Any, Any]:
    return RunnableBinding(step, input_type=input_type, output_type=output_type)


provide("bind", bind)
provide("with_config", with_config)
provide("with_listeners", with_listeners)
provide("with_types", with_types)
