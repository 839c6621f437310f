"""Runnables: steps that compose, written once for sync and async callers."""

from headrace.runnables.base import Runnable
from headrace.runnables.binding import RunnableBinding
from headrace.runnables.function import RunnableLambda, chain
from headrace.runnables.generator import RunnableGenerator
from headrace.runnables.parallel import AddableDict, RunnableMap, RunnableParallel
from headrace.runnables.passthrough import RunnableAssign, RunnablePassthrough, RunnablePick
from headrace.runnables.sequence import RunnableSequence

__all__ = [
    "AddableDict",
    "Runnable",
    "RunnableAssign",
    "RunnableBinding",
    "RunnableGenerator",
    "RunnableLambda",
    "RunnableMap",
    "RunnableParallel",
    "RunnablePassthrough",
    "RunnablePick",
    "RunnableSequence",
    "chain",
]
