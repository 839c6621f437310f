"""What a step is made of, for all that walks a pipeline: graphs, prompts, configurable fields."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from headrace.runnables.binding import RunnableBinding
from headrace.runnables.branch import RunnableBranch
from headrace.runnables.each import RunnableEach
from headrace.runnables.fallbacks import RunnableWithFallbacks
from headrace.runnables.parallel import RunnableParallel
from headrace.runnables.passthrough import RunnableAssign
from headrace.runnables.retry import RunnableRetry
from headrace.runnables.sequence import RunnableSequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from headrace.runnables.base import Runnable


@singledispatch
def parts_of(step: Any) -> Iterable[Runnable[Any, Any]]:
    """The steps directly inside a step; a new kind of step registers what it holds."""
    return ()


def walk(step: Any) -> Iterator[Any]:
    """A step and all steps inside it, outer before inner, in the order of the pipeline."""
    yield step
    for part in parts_of(step):
        yield from walk(part)


@parts_of.register(RunnableSequence)
def _(step: RunnableSequence[Any, Any]) -> Iterable[Runnable[Any, Any]]:
    return step.steps


@parts_of.register(RunnableParallel)
def _(step: RunnableParallel[Any]) -> Iterable[Runnable[Any, Any]]:
    return step.steps.values()


@parts_of.register(RunnableAssign)
def _(step: RunnableAssign) -> Iterable[Runnable[Any, Any]]:
    return (step.mapper,)


@parts_of.register(RunnableBinding)
@parts_of.register(RunnableRetry)
@parts_of.register(RunnableEach)
def _(step: Any) -> Iterable[Runnable[Any, Any]]:
    return (step.bound,)


@parts_of.register(RunnableWithFallbacks)
def _(step: RunnableWithFallbacks[Any, Any]) -> Iterable[Runnable[Any, Any]]:
    return (step.runnable, *step.fallbacks)


@parts_of.register(RunnableBranch)
def _(step: RunnableBranch[Any, Any]) -> Iterable[Runnable[Any, Any]]:
    for condition, chosen in step.branches:
        yield condition
        yield chosen
    yield step.default
