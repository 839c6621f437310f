"""Tools: functions that a model may call, and how they are described to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.engine.hooks import provide_lazily, reach
from headrace.tools.arguments import ToolArgumentError
from headrace.tools.compiling import CompiledSchema, Loss, SchemaDialect, compile_schema
from headrace.tools.convert import convert_to_tool
from headrace.tools.decorator import tool
from headrace.tools.dialects import SCHEMA_DIALECTS
from headrace.tools.injection import InjectedToolArg, InjectedToolCallId, ToolRuntime
from headrace.tools.names import WireNames
from headrace.tools.nulls import without_nulls
from headrace.tools.strict import strict_schema
from headrace.tools.tool import Tool, ToolOptions

if TYPE_CHECKING:
    from headrace.chat_models.looping import tool_loop  # upward: it stands here by name

__all__ = [
    "SCHEMA_DIALECTS",
    "CompiledSchema",
    "InjectedToolArg",
    "InjectedToolCallId",
    "Loss",
    "SchemaDialect",
    "Tool",
    "ToolArgumentError",
    "ToolOptions",
    "ToolRuntime",
    "WireNames",
    "compile_schema",
    "convert_to_tool",
    "strict_schema",
    "tool",
    "tool_loop",
    "without_nulls",
]

provide_lazily("tool_loop", "headrace.chat_models.looping")


def __getattr__(name: str) -> Any:
    """`tool_loop` needs models, which stand above tools: it is imported when first asked for."""
    if name == "tool_loop":
        return reach("tool_loop")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
