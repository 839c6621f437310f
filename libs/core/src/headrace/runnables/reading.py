"""Which keys of its dict a function reads, seen in its source."""

from __future__ import annotations

import ast
import inspect
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from headrace.runnables.annotations import first_parameter

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType


def keys_read(function: Callable[..., Any]) -> dict[str, bool]:
    """The keys that `x["k"]` (True: required) and `x.get("k")` read of the first parameter.

    Empty where the source is not at hand, or something else is done with the parameter.
    """
    if isinstance(function, itemgetter):
        names = function.__reduce__()[1]
        return dict.fromkeys(names, True) if all(isinstance(n, str) for n in names) else {}
    node, name = _node_of(function), first_parameter(function)
    if node is None or name is None:
        return {}
    keys: dict[str, bool] = {}
    uses = sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))
    for inner in ast.walk(node):
        match inner:
            case ast.Subscript(value=ast.Name(id=found), slice=ast.Constant(value=str(key))):
                required = True
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=found), attr="get"),
                args=[ast.Constant(value=str(key)), *_],
            ):
                required = False
            case _:
                continue
        if found == name:
            uses -= 1
            keys[key] = keys.get(key, False) or required
    return {} if uses else keys


def _node_of(function: Any) -> ast.AST | None:
    """The part of its file's syntax tree that is this function, if it can be told."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    try:
        lines, _ = inspect.findsource(function)
        tree = _parsed("".join(lines))
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    found = [node for node in ast.walk(tree) if _is(node, code)]
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=4)
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def _is(node: ast.AST, code: CodeType) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
        return node.name == code.co_name and first == code.co_firstlineno
    if not isinstance(node, ast.Lambda) or node.lineno != code.co_firstlineno:
        return False
    # Several lambdas may stand in one line: the code knows where its own body begins and ends.
    body = (node.body.lineno, node.body.end_lineno, node.body.col_offset, node.body.end_col_offset)
    return any(position == body for position in code.co_positions())
