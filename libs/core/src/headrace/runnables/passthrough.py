"""The input itself, with more keys or fewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import Once, close, close_all
from headrace.engine.hooks import provide
from headrace.engine.sums import NOTHING, Accumulator, AddableDict
from headrace.engine.user import Seam, is_coroutine_function
from headrace.errors import InputError
from headrace.runnables.base import Runnable
from headrace.runnables.parallel import RunnableParallel

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

    from headrace.engine.run import Run


class RunnablePassthrough(Runnable[Any, Any]):
    """The input unchanged; `func` is told of it: before it goes on, or after the last chunk."""

    __slots__ = ("_awaits", "func")

    def __init__(self, func: Callable[[Any], Any] | None = None) -> None:
        self.func, self._awaits = func, is_coroutine_function(func)

    async def _invoke(self, input: Any, run: Run) -> Any:
        await self._tell(input, run)
        return input

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        total = Accumulator()
        async for chunk in chunks:
            if self.func is not None:
                total.feed(chunk)
            yield chunk
        if not total.empty:
            await self._tell(total.total(), run)

    async def _tell(self, value: Any, run: Run) -> None:
        if self.func is None:
            return
        seam = Seam(run, self.get_name())
        if self._awaits:
            await seam.call_async(self.func, value)
        else:
            await seam.call_plain(self.func, value)

    @staticmethod
    def assign(**steps: Any) -> RunnableAssign:
        """The input dict with one more key for each given step."""
        return RunnableAssign(RunnableParallel(steps))

    def __repr__(self) -> str:
        return "RunnablePassthrough()"


class RunnableAssign(Runnable[dict[str, Any], dict[str, Any]]):
    """The input dict, and over it the outputs of steps that got it.

    Streams the input's keys first, then the steps' chunks as they come.
    """

    __slots__ = ("mapper",)

    def __init__(self, mapper: RunnableParallel[Any]) -> None:
        self.mapper = mapper

    async def _invoke(self, input: Any, run: Run) -> dict[str, Any]:
        return {**_dict(input), **await run.invoke(self.mapper, input)}

    async def _transform(
        self, chunks: AsyncIterator[Any], run: Run
    ) -> AsyncGenerator[dict[str, Any], None]:
        given = set(self.mapper.steps)
        if isinstance(chunks, Once):
            passing: AsyncIterator[Any] = Once(chunks.value)
            source: AsyncIterator[Any] = Once(chunks.value)
        else:
            passing, source = run.io.tee(chunks, 2)
        try:
            async for chunk in passing:
                rest = {key: value for key, value in _dict(chunk).items() if key not in given}
                if rest:
                    yield AddableDict(rest)
        finally:
            await close(passing)
        mapped = run.transform(self.mapper, source)
        try:
            async for item in mapped:
                yield item
        finally:
            await close_all(mapped, source)

    def __repr__(self) -> str:
        return f"RunnablePassthrough.assign({self.mapper!r})"


class RunnablePick(Runnable[dict[str, Any], Any]):
    """The value of one key, or a dict of several keys; a key that is missing is left out."""

    __slots__ = ("keys",)

    def __init__(self, keys: str | Sequence[str]) -> None:
        self.keys = keys if isinstance(keys, str) else list(keys)

    async def _invoke(self, input: Any, run: Run) -> Any:
        picked = self._pick(_dict(input))
        return None if picked is NOTHING else picked

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        async for chunk in chunks:
            picked = self._pick(_dict(chunk))
            if picked is not NOTHING:
                yield picked

    def _pick(self, value: Mapping[str, Any]) -> Any:
        if isinstance(self.keys, str):
            return value.get(self.keys, NOTHING)
        found = {key: value[key] for key in self.keys if key in value}
        return AddableDict(found) if found else NOTHING

    def __repr__(self) -> str:
        return f"RunnablePick({self.keys!r})"


def _dict(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(
            f"`assign` and `pick` work on a dict, not {type(value).__name__} {value!r}; "
            "put a dict step, such as RunnableParallel, before it"
        )
    return value


def assign(steps: dict[str, Any]) -> RunnableAssign:
    return RunnableAssign(RunnableParallel(steps))


provide("assign", assign)
provide("pick", RunnablePick)
