"""What annotations say of the input and output of functions and classes."""

from __future__ import annotations

import collections.abc as abc
import inspect
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from typing_extensions import get_original_bases, get_type_hints

from headrace.runnables.base import Runnable

if TYPE_CHECKING:
    from collections.abc import Callable

_INJECTED = ("config", "run")
_ITERATORS = (
    abc.Iterator, abc.Iterable, abc.Generator,
    abc.AsyncIterator, abc.AsyncIterable, abc.AsyncGenerator,
)  # fmt: skip


def first_parameter(function: Callable[..., Any]) -> str | None:
    """The name of the parameter that takes a step's input."""
    for name, parameter in _parameters(function).items():
        by_name = parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD)
        if name not in _INJECTED and not by_name:
            return name
    return None


def parameter_type(function: Callable[..., Any], name: str | None = None) -> Any:
    """The annotation of the first parameter, or of that one; Any where there is none."""
    known = _parameters(function)
    wanted = name or first_parameter(function)
    return Any if wanted not in known else _resolved(known[wanted].annotation, function)


def result_type(function: Callable[..., Any]) -> Any:
    """The annotation of the result; of a class itself; of a Runnable's, its output."""
    if isinstance(function, type):
        return function
    try:
        found = inspect.signature(function).return_annotation
    except (TypeError, ValueError, NameError):
        return Any
    kind = _resolved(found, function)
    origin = get_origin(kind)
    if isinstance(origin, type) and issubclass(origin, Runnable):
        return class_types(kind)[1]
    return kind


def item_type(kind: Any) -> Any:
    """The type of the items of an annotated iterator; Any of anything else."""
    args = get_args(kind)
    return _closed(args[0]) if args and get_origin(kind) in _ITERATORS else Any


def class_types(kind: Any) -> tuple[Any, Any]:
    """The input and output that a Runnable class, or an alias of one, is written for."""
    bound = _arguments(kind)
    if bound is None:
        return Any, Any
    return _closed(bound[0]), _closed(bound[1])


def _arguments(kind: Any) -> tuple[Any, ...] | None:
    """The arguments for Runnable itself, as the bases of a class pass them on."""
    cls = get_origin(kind) or kind
    if not (isinstance(cls, type) and issubclass(cls, Runnable)):
        return None
    given = get_args(kind)
    if cls is Runnable:
        return given or None
    names = dict(zip(getattr(cls, "__parameters__", ()), given, strict=False))
    for base in get_original_bases(cls):
        if (found := _arguments(base)) is not None:
            return tuple(names.get(item, item) for item in found)
    return None


def _closed(kind: Any) -> Any:
    """A type as schemas can show it: what is left open, or not to be found, is Any."""
    return Any if isinstance(kind, TypeVar | str) or hasattr(kind, "__forward_arg__") else kind


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError, NameError):
        return {}  # a builtin without a signature


def _resolved(annotation: Any, function: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        return Any
    while isinstance(function, partial):
        function = function.func
    code = function if hasattr(function, "__globals__") else type(function).__call__
    names = getattr(inspect.unwrap(code), "__globals__", {})
    holder = SimpleNamespace(__annotations__={"it": annotation})
    try:
        return _closed(get_type_hints(holder, names, include_extras=True)["it"])
    except (NameError, TypeError, AttributeError, SyntaxError):
        return Any
