"""Runnables: steps that compose, written once for sync and async callers."""

from headrace.engine.hooks import provide_lazily
from headrace.engine.run import RunnableConfig
from headrace.engine.sums import AddableDict
from headrace.runnables.base import Runnable
from headrace.runnables.binding import RunnableBinding
from headrace.runnables.branch import RunnableBranch
from headrace.runnables.configurable import (
    RunnableConfigurableAlternatives,
    RunnableConfigurableFields,
)
from headrace.runnables.configuring import (
    ConfigurableField,
    ConfigurableFieldMultiOption,
    ConfigurableFieldSingleOption,
)
from headrace.runnables.each import RunnableEach
from headrace.runnables.fallbacks import RunnableWithFallbacks
from headrace.runnables.function import RunnableLambda, chain
from headrace.runnables.generator import RunnableGenerator
from headrace.runnables.parallel import RunnableMap, RunnableParallel
from headrace.runnables.passthrough import RunnableAssign, RunnablePassthrough, RunnablePick
from headrace.runnables.retry import RunnableRetry
from headrace.runnables.retrying import RetryPolicy
from headrace.runnables.sequence import RunnableSequence
from headrace.runnables.timing import RunnableTimeout

provide_lazily("stream_events", "headrace.runnables.event_stream")
provide_lazily("as_tool", "headrace.tools.stepping")
for _name in ("graph_of", "prompts_in"):
    provide_lazily(_name, "headrace.runnables.graph")
for _name in ("input_type", "output_type"):
    provide_lazily(_name, "headrace.runnables.inference")
for _name in (
    "input_schema", "output_schema", "input_jsonschema", "output_jsonschema",
    "config_schema", "config_jsonschema",
):  # fmt: skip
    provide_lazily(_name, "headrace.runnables.schemas")

__all__ = [
    "AddableDict",
    "ConfigurableField",
    "ConfigurableFieldMultiOption",
    "ConfigurableFieldSingleOption",
    "RetryPolicy",
    "Runnable",
    "RunnableAssign",
    "RunnableBinding",
    "RunnableBranch",
    "RunnableConfig",
    "RunnableConfigurableAlternatives",
    "RunnableConfigurableFields",
    "RunnableEach",
    "RunnableGenerator",
    "RunnableLambda",
    "RunnableMap",
    "RunnableParallel",
    "RunnablePassthrough",
    "RunnablePick",
    "RunnableRetry",
    "RunnableSequence",
    "RunnableTimeout",
    "RunnableWithFallbacks",
    "chain",
]
