"""`@tool`: a function or a step as a Tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack, overload

from headrace.errors import InputError
from headrace.runnables.base import Runnable
from headrace.tools.stepping import as_tool
from headrace.tools.tool import Tool, ToolOptions


@overload
def tool(function: Callable[..., Any], /, **options: Unpack[ToolOptions]) -> Tool: ...
@overload
def tool(step: Runnable[Any, Any], /, **options: Unpack[ToolOptions]) -> Tool: ...
@overload
def tool(
    name: str, step: Runnable[Any, Any] | Callable[..., Any], /, **options: Unpack[ToolOptions]
) -> Tool: ...
@overload
def tool(
    name: str | None = None, /, **options: Unpack[ToolOptions]
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(given: Any = None, made_from: Any = None, /, **options: Unpack[ToolOptions]) -> Any:
    """A function or a step as a Tool: `@tool`, `@tool("name")`, `tool("name", step)`."""
    if given is not None and not isinstance(given, str):
        if made_from is not None or not (callable(given) or isinstance(given, Runnable)):
            raise InputError(f"`tool` takes a step, a function or a name, not {given!r}")
        return _made(given, options)
    if given is not None:
        options["name"] = given

    def make(function: Callable[..., Any]) -> Tool:
        return _made(function, options)

    return make if made_from is None else make(made_from)


def _made(given: Any, options: ToolOptions) -> Tool:
    if isinstance(given, Tool):
        raise InputError(f"{given!r} is a tool already")
    return as_tool(given, **options) if isinstance(given, Runnable) else Tool(given, **options)
