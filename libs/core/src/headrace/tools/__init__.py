"""Tools: functions that a model may call, and how they are described to it."""

from headrace.tools.arguments import ToolArgumentError
from headrace.tools.convert import convert_to_tool
from headrace.tools.injection import InjectedToolArg, InjectedToolCallId
from headrace.tools.tool import Tool, ToolOptions, tool

__all__ = [
    "InjectedToolArg",
    "InjectedToolCallId",
    "Tool",
    "ToolArgumentError",
    "ToolOptions",
    "convert_to_tool",
    "tool",
]
