"""The parameters of a function, a TypedDict or a dataclass, as a tool sees them."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import (
    Annotated,
    Any,
    Final,
    NotRequired,
    Required,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import ReadOnly, is_typeddict

from headrace.errors import InputError
from headrace.tools.injection import InjectedToolArg, mark_in

REQUIRED: Final = inspect.Parameter.empty
OMITTED: Final = object()  # the value of a key that may be absent, and is
BY_NAME = ("config", "run")  # what a function asks for by the name of a parameter


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `default` is REQUIRED if it has none, `factory` makes it if given."""

    name: str
    annotation: Any
    default: Any = REQUIRED
    factory: Any = None
    positional: bool = False
    mark: type[InjectedToolArg] | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters by name; `open` if there is a `**kwargs` that takes any other."""

    parameters: Mapping[str, Parameter]
    open: bool = False

    @property
    def asks(self) -> tuple[str, ...]:
        """Which of `config` and `run` it asks for."""
        return tuple(name for name in BY_NAME if name in self.parameters)


def read_function(function: Any) -> Signature:
    """The signature of a function; what a `partial` has bound is not part of it."""
    bare, bound = _unbound(function)
    try:
        known = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the parameters of {function!r} are not known; give `args_schema`"
        ) from error
    hints = hints_of(bare if _is_plain(bare) else type(bare).__call__)
    found: dict[str, Parameter] = {}
    for item in known:
        if item.kind in (item.VAR_POSITIONAL, item.VAR_KEYWORD) or item.name in bound:
            continue
        annotation = hints.get(item.name, Any)
        positional = item.kind is item.POSITIONAL_ONLY
        found[item.name] = Parameter(
            item.name, annotation, item.default, None, positional, mark_in(annotation)
        )
    return Signature(found, any(item.kind is item.VAR_KEYWORD for item in known))


def read_fields(kind: type) -> Signature:
    """The fields of a TypedDict or a dataclass, as parameters."""
    hints = hints_of(kind)
    if is_typeddict(kind):
        keys = {
            name: _key(name, hint, is_required(kind, name, hint)) for name, hint in hints.items()
        }
        return Signature(keys)
    found = {}
    for item in dataclasses.fields(kind):
        if not item.init:
            continue
        default = REQUIRED if item.default is dataclasses.MISSING else item.default
        factory = None if item.default_factory is dataclasses.MISSING else item.default_factory
        hint = hints[item.name]
        found[item.name] = Parameter(item.name, hint, default, factory, mark=mark_in(hint))
    return Signature(found)


def hints_of(thing: Any) -> dict[str, Any]:
    """The annotations of a function or class, with names looked up where it was defined.

    Raises InputError for a name that cannot be found.
    """
    try:
        return get_type_hints(thing, localns=_names_around(thing), include_extras=True)
    except TypeError:
        return {}  # a builtin
    except NameError as error:
        raise InputError(
            f"an annotation of `{getattr(thing, '__name__', thing)}` cannot be read: {error}; "
            "import the name for good, not only under TYPE_CHECKING"
        ) from error


def is_required(kind: Any, name: str, hint: Any) -> bool:
    """Whether a TypedDict must have a key; its class does not see marks in annotations as text."""
    mark = get_origin(hint)
    return mark is Required or (mark is not NotRequired and name in kind.__required_keys__)


def default_in(hint: Any) -> Any:
    """The default in Annotated[T, default, "description"], if JSON holds it; else `...`."""
    while get_origin(hint) in (Required, NotRequired, ReadOnly):
        hint = get_args(hint)[0]
    match get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        case (None | str() | int() | float() | bool() | list() | dict() as default, str()):
            return default
    return ...


def said_in(hint: Any) -> str | None:
    """The description in Annotated[T, "description"] or Annotated[T, default, "description"]."""
    while get_origin(hint) in (Required, NotRequired, ReadOnly):
        hint = get_args(hint)[0]
    if get_origin(hint) is not Annotated:
        return None
    first, *rest = get_args(hint)[1:]
    if rest and isinstance(rest[0], str):
        return rest[0]
    return next((item for item in (first, *rest) if isinstance(item, str)), None)


def name_of(function: Any) -> str | None:
    """The name of a function or class; None for a lambda."""
    bare, _ = _unbound(function)
    name = getattr(bare, "__name__", None) or type(bare).__name__
    return None if name == "<lambda>" else str(name)


def doc_of(function: Any) -> str | None:
    """The docstring of a function, also inside a `partial` or behind `__call__`."""
    bare, _ = _unbound(function)
    doc: str | None = bare.__doc__ if _is_plain(bare) else type(bare).__call__.__doc__
    return doc or bare.__doc__


def _unbound(function: Any) -> tuple[Any, set[str]]:
    bound: set[str] = set()
    while isinstance(function, partial):
        bound |= function.keywords.keys()
        function = function.func
    return function, bound


def _is_plain(function: Any) -> bool:
    return inspect.isroutine(function) or inspect.isclass(function)


def _names_around(thing: Any) -> dict[str, Any] | None:
    """The local names of the functions inside which `thing` is being defined."""
    inside = getattr(thing, "__qualname__", "").split(".<locals>")[:-1]
    if not inside:
        return None
    around = {".<locals>".join(inside[: count + 1]) for count in range(len(inside))}
    names: dict[str, Any] = {}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        mine = frame.f_globals.get("__name__") == thing.__module__
        if mine and frame.f_code.co_qualname in around:
            names = {**frame.f_locals, **names}
        frame = frame.f_back
    return names


def _key(name: str, hint: Any, required: bool) -> Parameter:
    """A key of a TypedDict; Annotated[T, default | ..., "description"] gives it a default."""
    while get_origin(hint) in (Required, NotRequired, ReadOnly):
        hint = get_args(hint)[0]
    default, factory = REQUIRED, None if required else _omitted
    if get_origin(hint) is Annotated:
        base, first, *rest = get_args(hint)
        if rest and isinstance(rest[0], str):
            if first is not ...:
                default, factory = first, None
            hint = Annotated[base, *rest]
    return Parameter(name, hint, default, factory, mark=mark_in(hint))


def _omitted() -> Any:
    return OMITTED
