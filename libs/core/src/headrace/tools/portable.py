"""Types as pydantic takes them: before Python 3.12 not the TypedDicts of `typing`."""

from __future__ import annotations

from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, cast, get_args, get_origin

from typing_extensions import TypedDict, get_type_hints, is_typeddict

from headrace.tools.signature import is_required

_ANNOTATED: Any = Annotated


def portable(kind: Any, seen: tuple[Any, ...] = ()) -> Any:
    """A type whose TypedDicts pydantic takes: before Python 3.12 not those of `typing`."""
    if is_typeddict(kind):
        if type(kind).__module__ != "typing" or kind in seen:
            return kind
        return _rebuilt(kind, (*seen, kind))
    origin, args = get_origin(kind), get_args(kind)
    if not args or origin is Literal or not any(map(_holds_fields, args)):
        return kind
    if origin is Annotated:
        return _ANNOTATED[(portable(args[0], seen), *kind.__metadata__)]
    changed = tuple(portable(arg, seen) for arg in args)
    if origin is UnionType:
        return reduce(or_, changed)
    generic: Any = origin if isinstance(origin, type) else Union
    return generic[changed]


def _holds_fields(kind: Any) -> bool:
    return is_typeddict(kind) or any(map(_holds_fields, get_args(kind)))


def _rebuilt(kind: Any, seen: tuple[Any, ...]) -> Any:
    fields: dict[str, Any] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        needed, hint = is_required(kind, name, hint), portable(_bare(hint), seen)
        fields[name] = hint if needed else NotRequired[hint]
    made = cast("Any", TypedDict)(kind.__name__, fields)
    made.__doc__ = kind.__doc__
    return made


def _bare(hint: Any) -> Any:
    """A field's type without Required or NotRequired around it."""
    marks: tuple[Any, ...] = (Required, NotRequired)
    return _bare(get_args(hint)[0]) if get_origin(hint) in marks else hint
