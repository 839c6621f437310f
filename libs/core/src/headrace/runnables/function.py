"""A function as a step."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar, overload

from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.engine.run import config_of
from headrace.engine.sums import NOTHING, Accumulator
from headrace.engine.user import (
    Seam,
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

    __slots__ = ("_asks", "_kwargs", "afunc", "func", "inline", "name")

    def __init__(
        self,
        func: Callable[..., Any] | None = None,
        afunc: Callable[..., Any] | None = None,
        *,
        name: str | None = None,
        inline: bool = False,
    ) -> None:
        if func is not None and (is_coroutine_function(func) or is_async_generator_function(func)):
            func, afunc = None, afunc or func
        if func is None and afunc is None:
            raise InputError("a RunnableLambda takes a function, a coroutine function, or both")
        given: Any = func or afunc
        if not callable(given):
            raise InputError(f"a RunnableLambda takes a function, not {given!r}")
        self.func, self.afunc, self.inline = func, afunc, inline
        self.name = name or _name_of(given)
        self._kwargs: dict[str, Any] = {}
        self._asks = {f: _parameters(f) for f in (func, afunc) if f is not None}

    async def _invoke(self, input: Any, run: Run) -> Any:
        seam = Seam(run, self.name)
        func, afunc = self.func, self.afunc
        if func is None or (afunc is not None and run.io.is_async):
            output = await self._call_async(afunc, seam, input)
        elif self._plain(func):
            output = seam.call(func, input) if self._here(run) else await seam.call_plain(
                func, input
            )
        else:
            output = await self._call(func, seam, input)
        return await self._follow(output, input, run) if isinstance(output, Runnable) else output

    def _plain(self, func: Any) -> bool:
        return not (self._asks[func] or self._kwargs or is_generator_function(func))

    def _here(self, run: Run) -> bool:
        return self.inline or not run.io.is_async

    async def _call(self, func: Any, seam: Seam, input: Any) -> Any:
        extra = {**self._kwargs, **_injected(self._asks[func], seam.run)}
        if not is_generator_function(func):
            return await seam.call_plain(func, input, inline=self.inline, **extra)

        def generate(_: Any) -> Any:
            return func(input, **extra)

        return await _summed(seam.run.io.generate(generate, _nothing(), seam))

    async def _call_async(self, afunc: Any, seam: Seam, input: Any) -> Any:
        extra = {**self._kwargs, **_injected(self._asks[afunc], seam.run)}
        if not is_async_generator_function(afunc):
            return await seam.call_async(afunc, input, **extra)
        return await _summed(seam.items(seam.call(afunc, input, **extra)))

    async def _follow(self, output: Runnable[Any, Any], input: Any, run: Run) -> Any:
        return await self._deeper(run).invoke(output, input)

    def _deeper(self, run: Run) -> Run:
        if run.depth <= 0:
            raise RecursionLimitError(
                f"step `{self.name}` returned a runnable once more than `recursion_limit` "
                "allows; end the recursion, or raise the limit in the config"
            )
        return run.deeper()

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        input = await collect(chunks)
        if input is NOTHING:
            return
        seam = Seam(run, self.name)
        items = self._items(seam, input)
        if items is not None:
            try:
                async for item in items:
                    yield item
            finally:
                await close(items)
            return
        output = await self._once(seam, input)
        if not isinstance(output, Runnable):
            yield output
            return
        inner = self._deeper(run).transform(output, _one(input))
        try:
            async for chunk in inner:
                yield chunk
        finally:
            await close(inner)

    async def _once(self, seam: Seam, input: Any) -> Any:
        if self.func is None or (self.afunc is not None and seam.run.io.is_async):
            return await self._call_async(self.afunc, seam, input)
        return await self._call(self.func, seam, input)

    def _items(self, seam: Seam, input: Any) -> AsyncIterator[Any] | None:
        """The items of a generator function over one input; None for other functions."""
        if self.func is None or (self.afunc is not None and seam.run.io.is_async):
            if not is_async_generator_function(self.afunc):
                return None
            extra = {**self._kwargs, **_injected(self._asks[self.afunc], seam.run)}
            return seam.items(seam.call(self.afunc, input, **extra))
        func = self.func
        if not is_generator_function(func):
            return None
        extra = {**self._kwargs, **_injected(self._asks[func], seam.run)}
        return seam.run.io.generate(lambda _: func(input, **extra), _nothing(), seam)

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        new = RunnableLambda(self.func, self.afunc, name=self.name, inline=self.inline)
        new._kwargs = {**self._kwargs, **kwargs}
        return new

    def __repr__(self) -> str:
        return f"RunnableLambda({self.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunnableLambda) and (
            (self.func, self.afunc, self._kwargs) == (other.func, other.afunc, other._kwargs)
        )

    def __hash__(self) -> int:
        return hash((self.func, self.afunc))


async def _nothing() -> AsyncGenerator[Any, None]:
    return
    yield


async def _one(value: Any) -> AsyncGenerator[Any, None]:
    yield value


async def _summed(items: AsyncIterator[Any]) -> Any:
    total = Accumulator()
    try:
        async for item in items:
            total.feed(item)
    finally:
        await close(items)
    return None if total.empty else total.total()


def _name_of(function: Any) -> str:
    name = getattr(function, "__name__", None) or type(function).__name__
    return "RunnableLambda" if name == "<lambda>" else str(name)


def _parameters(function: Any) -> tuple[str, ...]:
    """Which of `config` and `run` a function asks for; looked up once, at construction."""
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return ()  # a builtin without a signature
    return tuple(name for name in ("config", "run") if name in known)


def _injected(asks: tuple[str, ...], run: Run) -> dict[str, Any]:
    return {name: config_of(run) if name == "config" else run for name in asks}


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
