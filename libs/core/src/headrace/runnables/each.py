"""A step for each item of a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.hooks import provide
from headrace.engine.strands import Scope
from headrace.engine.user import place
from headrace.errors import InputError
from headrace.runnables.base import Runnable

if TYPE_CHECKING:
    from headrace.engine.run import Run

Item = TypeVar("Item")
Output = TypeVar("Output")


class RunnableEach(Runnable[list[Item], list[Output]]):
    """`bound` for every item, over the strands of the run; outputs in the order of the items."""

    __slots__ = ("bound",)

    def __init__(self, bound: Runnable[Item, Output]) -> None:
        self.bound = bound

    async def _invoke(self, input: Any, run: Run) -> list[Output]:
        items = _items(input)
        scope = Scope(run.scope)
        inner, results = run.within(scope), dict[int, Any]()

        async def do(item: tuple[int, Any]) -> None:
            index, value = item
            try:
                results[index] = await inner.invoke(self.bound, value)
            except Exception as error:
                place(error, f"{index}:{self.bound.get_name()}")
                raise

        if items:
            await run.io.spread(enumerate(items), do, run.budget, scope, len(items))
        return [results[index] for index in range(len(items))]

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        return RunnableEach(self.bound._with_kwargs(kwargs))

    def _limit(self) -> int | None:
        return self.bound._limit()

    def __repr__(self) -> str:
        return f"{self.bound!r}.map()"


def _items(input: Any) -> list[Any]:
    if isinstance(input, str | bytes | Mapping) or not isinstance(input, Iterable):
        raise InputError(
            f"`map` works on a list of inputs, not {type(input).__name__} {input!r}; "
            "put it into a list"
        )
    return list(input)


provide("each", RunnableEach)
