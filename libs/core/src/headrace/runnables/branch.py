"""One of several steps, chosen by conditions on the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.drive import Once, close
from headrace.engine.sums import NOTHING
from headrace.engine.user import place
from headrace.errors import InputError
from headrace.runnables.base import Runnable, collect
from headrace.runnables.coercion import coerce_to_runnable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)


class RunnableBranch(Runnable[Input, Output]):
    """`RunnableBranch((condition, step), …, default)`: the step of the first true condition.

    Conditions get the whole input, so a stream begins when its input is complete. Arguments
    of a call go to the step that is chosen.
    """

    __slots__ = ("_kwargs", "branches", "default")

    def __init__(self, *branches: Any) -> None:
        if len(branches) < 2:
            raise InputError(
                "a RunnableBranch takes one or more pairs (condition, step) and a default, "
                f"not {len(branches)} arguments"
            )
        *pairs, default = branches
        self.branches = tuple(_pair(pair) for pair in pairs)
        self.default: Runnable[Any, Any] = coerce_to_runnable(default)
        self._kwargs: dict[str, Any] = {}

    async def _invoke(self, input: Any, run: Run) -> Any:
        name, step = await self._chosen(input, run)
        try:
            return await run.invoke(step, input, f"branch:{name}")
        except Exception as error:
            place(error, f"{name}:{step.get_name()}")
            raise

    async def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncGenerator[Any, None]:
        input = await collect(chunks, run)
        if input is NOTHING:
            return
        name, step = await self._chosen(input, run)
        items = run.transform(step, Once(input), f"branch:{name}")
        try:
            async for item in items:
                yield item
        except Exception as error:
            place(error, f"{name}:{step.get_name()}")
            raise
        finally:
            await close(items)

    async def _chosen(self, input: Any, run: Run) -> tuple[str, Runnable[Any, Any]]:
        """The number of the branch, or `default`, and its step."""
        for number, (condition, step) in enumerate(self.branches, 1):
            try:
                holds = await run.invoke(condition, input, f"condition:{number}")
            except Exception as error:
                place(error, f"condition {number}:{condition.get_name()}")
                raise
            if holds:
                return str(number), step._with_kwargs(self._kwargs) if self._kwargs else step
        default = self.default
        return "default", default._with_kwargs(self._kwargs) if self._kwargs else default

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Any, Any]:
        new: RunnableBranch[Any, Any] = RunnableBranch(*self.branches, self.default)
        new._kwargs = {**self._kwargs, **kwargs}
        return new

    def __repr__(self) -> str:
        pairs = "".join(f"({condition!r}, {step!r}), " for condition, step in self.branches)
        return f"RunnableBranch({pairs}{self.default!r})"


def _pair(pair: Any) -> tuple[Runnable[Any, Any], Runnable[Any, Any]]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InputError(
            f"a branch is a pair (condition, step), not {pair!r}; the default comes last, alone"
        )
    condition, step = pair
    return coerce_to_runnable(condition), coerce_to_runnable(step)
