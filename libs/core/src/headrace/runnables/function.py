"""A function as a step."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from headrace.engine.drive import Once, close
from headrace.engine.hooks import provide
from headrace.engine.run import config_of
from headrace.engine.sums import NOTHING
from headrace.engine.user import (
    Seam,
    call,
    is_async_generator_function,
    is_coroutine_function,
    is_generator_function,
)
from headrace.errors import InputError, RecursionLimitError
from headrace.runnables.base import Runnable, collect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from headrace.engine.run import Run

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)
In = TypeVar("In")
Out = TypeVar("Out")


class RunnableLambda(Runnable[Input, Output]):
    """A plain function, a coroutine function, or both, as a step that takes its whole input.

    A function may ask for `config` by a parameter of that name, may return a Runnable, which
    is then called with the same input, and may be a generator, whose items add up. In an
    async run a plain function works in a thread; `inline=True` says it is cheap enough not to.
    """

    __slots__ = ("_in_async", "_in_sync", "_kwargs", "afunc", "func", "inline", "name")

    @overload
    def __init__(
        self: RunnableLambda[In, Out],
        func: Callable[[In], Awaitable[Out]],
        *,
        name: str | None = None,
        inline: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self: RunnableLambda[In, Out],
        func: Callable[[In], Out],
        afunc: Callable[[In], Awaitable[Out]] | None = None,
        *,
        name: str | None = None,
        inline: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self,
        func: Callable[..., Any] | None = None,
        afunc: Callable[..., Any] | None = None,
        *,
        name: str | None = None,
        inline: bool = False,
        kwargs: dict[str, Any] | None = None,
    ) -> None: ...
    def __init__(
        self,
        func: Callable[..., Any] | None = None,
        afunc: Callable[..., Any] | None = None,
        *,
        name: str | None = None,
        inline: bool = False,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        if func is not None and (is_coroutine_function(func) or is_async_generator_function(func)):
            func, afunc = None, afunc or func
        given: Any = func or afunc
        if given is None:
            raise InputError("a RunnableLambda takes a function, a coroutine function, or both")
        if not callable(given):
            raise InputError(f"a RunnableLambda takes a function, not {given!r}")
        self.func, self.afunc, self.inline = func, afunc, inline
        self.name, self._kwargs = name or _name_of(given), kwargs or {}
        self._in_sync = self._in_async = _Way(given, self.name, afunc, inline, self._kwargs)
        if afunc is not None:
            self._in_async = _Way(afunc, self.name, afunc, inline, self._kwargs)

    async def _invoke(self, input: Any, run: Run) -> Any:
        way = self._in_async if run.io.is_async else self._in_sync
        if way.plain and (self.inline or not run.io.is_async):
            output = call(run, self.name, way.function, input)
        else:
            output = await way.value(input, run)
        if isinstance(output, Runnable):
            return await self._deeper(run).invoke(output, input)
        return output

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        input = await collect(chunks, run)
        if input is NOTHING:
            return
        way = self._in_async if run.io.is_async else self._in_sync
        if way.yields:
            items = way.items(input, run)
        else:
            output = await way.value(input, run)
            if not isinstance(output, Runnable):
                yield output
                return
            items = self._deeper(run).transform(output, Once(input))
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def _deeper(self, run: Run) -> Run:
        if run.depth <= 0:
            raise RecursionLimitError(
                f"step `{self.name}` returned a runnable once more than `recursion_limit` "
                "allows; end the recursion, or raise the limit in the config"
            )
        return run.deeper()

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        return RunnableLambda(
            self.func,
            self.afunc,
            name=self.name,
            inline=self.inline,
            kwargs={**self._kwargs, **kwargs},
        )

    def __repr__(self) -> str:
        return f"RunnableLambda({self.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunnableLambda) and (
            (self.func, self.afunc, self._kwargs) == (other.func, other.afunc, other._kwargs)
        )

    def __hash__(self) -> int:
        return hash((self.func, self.afunc))


class _Way:
    """How a function is called; all that its signature says is read once, here."""

    __slots__ = ("_asks", "_async", "_inline", "_kwargs", "_name", "function", "plain", "yields")

    def __init__(
        self, function: Any, name: str, afunc: Any, inline: bool, kwargs: dict[str, Any]
    ) -> None:
        self.function, self._name, self._inline, self._kwargs = function, name, inline, kwargs
        self._asks, self._async = _parameters(function), function is afunc
        self.yields = is_generator_function(function) or is_async_generator_function(function)
        # Without more arguments than the input, and giving its output when called.
        self.plain = not (self._async or self.yields or self._asks or kwargs)

    async def value(self, input: Any, run: Run) -> Any:
        seam = Seam(run, self._name)
        if self.yields:
            return await _summed(self.items(input, run), run)
        if self._async:
            return await seam.call_async(self._filled(run), input)
        return await seam.call_plain(self._filled(run), input, inline=self._inline)

    def items(self, input: Any, run: Run) -> AsyncIterator[Any]:
        """The items of a generator function over one input."""
        seam, function = Seam(run, self._name), self._filled(run)
        if self._async:
            return seam.items(seam.call(function, input))
        return run.io.generate(lambda _: function(input), Once(input), seam)

    def _filled(self, run: Run) -> Callable[..., Any]:
        """The function with the arguments bound, and with `config` and `run` if it asks."""
        if not (self._asks or self._kwargs):
            return self.function  # type: ignore[no-any-return]  # a user's function
        asked = {name: config_of(run) if name == "config" else run for name in self._asks}
        return partial(self.function, **{**self._kwargs, **asked})


async def _summed(items: AsyncIterator[Any], run: Run) -> Any:
    try:
        total = await collect(items, run)
    finally:
        await close(items)
    return None if total is NOTHING else total


def _name_of(function: Any) -> str:
    name = getattr(function, "__name__", None) or type(function).__name__
    return "RunnableLambda" if name == "<lambda>" else str(name)


def _parameters(function: Any) -> tuple[str, ...]:
    """Which of `config` and `run` a function asks for, its first parameter being the input."""
    try:
        others = list(inspect.signature(function).parameters)[1:]
    except (TypeError, ValueError):
        return ()  # a builtin without a signature
    return tuple(name for name in ("config", "run") if name in others)


@overload
def chain(function: Callable[[In], Awaitable[Out]], /) -> RunnableLambda[In, Out]: ...
@overload
def chain(function: Callable[[In], Out], /) -> RunnableLambda[In, Out]: ...
@overload
def chain(*, inline: bool = ..., name: str | None = ...) -> Callable[..., Any]: ...
def chain(function: Any = None, /, *, inline: bool = False, name: str | None = None) -> Any:
    """A function as a step whose run bears its name; `@chain` or `@chain(inline=True)`."""
    if function is None:
        return lambda given: RunnableLambda(given, inline=inline, name=name)
    return RunnableLambda(function, inline=inline, name=name)


provide("function", RunnableLambda)
