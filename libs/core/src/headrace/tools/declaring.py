"""What a tool is made from: its functions, its name, its description, and what its class says."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from headrace.engine.user import (
    is_async_generator_function,
    is_coroutine_function,
)
from headrace.errors import InputError
from headrace.tools.injection import InjectedToolCallId
from headrace.tools.signature import Signature, name_of, read_function


def sorted_functions(func: Any, coroutine: Any) -> tuple[Any, Any]:
    """(plain function, coroutine function), each where it belongs; one may be None."""
    for given in (func, coroutine):
        if given is not None and (not callable(given) or isinstance(given, type)):
            raise InputError(f"a tool is made from a function, not {given!r}")
    if func is not None and (is_coroutine_function(func) or is_async_generator_function(func)):
        func, coroutine = None, coroutine or func
    if func is None and coroutine is None:
        raise InputError(
            "a Tool takes a function, a coroutine function, or both; a subclass may write "
            "`def _run(self, ...)` and `async def _arun(self, ...)` instead"
        )
    return func, coroutine


def said_by_class(kind: type, base: type, name: str) -> Any:
    """What a subclass of `base` says of `name` by a class attribute, or None."""
    for one in kind.__mro__[: kind.__mro__.index(base)]:
        if name in one.__dict__:
            return inspect.getattr_static(kind, name)
    return None


def named(name: Any, function: Any) -> str:
    found = name_of(function) if name is None else name
    if not isinstance(found, str) or not found:
        raise InputError(f"a tool needs a name; give `name` for {function!r}")
    return found


def described(name: str, description: str | None) -> str:
    if not description:
        raise InputError(
            f"tool `{name}` has no description, and a model chooses by it; write a docstring, "
            "or give `description`"
        )
    return description


def signature_of(function: Any, args_schema: Any) -> Signature:
    try:
        return read_function(function)
    except InputError:
        if args_schema is None:
            raise
        return Signature({}, open=True)  # a builtin that says nothing of its parameters


def not_given(tool_name: str, name: str, mark: type[Any]) -> str:
    """The message for a hidden parameter without a value."""
    if issubclass(mark, InjectedToolCallId):
        return f"tool `{tool_name}` needs the id of a call for `{name}`; invoke it with a ToolCall"
    return (
        f"tool `{tool_name}` needs a value for `{name}`, which the model cannot set; give it by "
        f"`tool.bind({name}=...)` or at the call"
    )


def home_of(thing: Any, function: Any) -> tuple[str, str] | None:
    """(module, name) under which `thing` stands in place of the function it was made from."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    try:
        found = find(str(module), name)
    except (KeyError, AttributeError):
        return None
    return (str(module), name) if found is thing else None


def find(module: str, name: str) -> Any:
    """What stands under a dotted name in a module that is imported."""
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part)
    return found
