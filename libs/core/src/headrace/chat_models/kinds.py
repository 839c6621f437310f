"""Values of the kind that a field declares: pydantic alone would take "5" and true for numbers.

So a parameter is what a form of its JSON Schema says it is, whoever fills it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from pydantic import BaseModel

_NUMBERS = frozenset({int, float})
_SCALARS = frozenset({int, float, bool, str})
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


@dataclass(frozen=True, slots=True)
class _Shape:
    """The scalars a value may be, and what is inside a mapping or a list; `open`: anything."""

    scalars: frozenset[type] = frozenset()
    inside: _Shape | None = None
    open: bool = False


_OPEN = _Shape(open=True)


def of_kind(cls: type[BaseModel], field: str, value: Any) -> Any:
    """The value, whole floats as ints where those are meant; PydanticCustomError if misfitting."""
    return _checked(_shape_of(cls, field), value)


@cache  # classes, not instances: there are few and they stay
def _shape_of(cls: type[BaseModel], field: str) -> _Shape:
    shape = _shape(cls.model_fields[field].annotation)
    own = cls.__pydantic_decorators__.field_validators.values()
    if any(one.info.mode == "before" and field in one.info.fields for one in own):
        return replace(shape, open=True)  # it reads other kinds in its own way
    return shape


def _shape(annotation: Any) -> _Shape:
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation is None or annotation is type(None):
        return _Shape()
    if annotation in _SCALARS:
        return _Shape(frozenset({annotation}))
    if origin is Annotated:
        return _shape(parts[0])
    if origin is Literal:
        return _Shape(frozenset(type(part) for part in parts))
    if origin in (Union, UnionType):
        shapes = [_shape(part) for part in parts]
        inner = [shape.inside for shape in shapes if shape.inside is not None]
        if any(shape.open for shape in shapes) or len(inner) > 1:
            return _OPEN
        scalars = frozenset().union(*(shape.scalars for shape in shapes))
        return _Shape(scalars, inner[0] if inner else None)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _Shape(inside=_shape(parts[1]))
    if origin in (list, tuple) and parts and set(parts[1:]) <= {...}:
        return _Shape(inside=_shape(parts[0]))
    return _OPEN


def _checked(shape: _Shape, value: Any) -> Any:
    scalars = shape.scalars
    if type(value) in scalars:
        return value
    if type(value) is float and value.is_integer() and int in scalars and float not in scalars:
        return int(value)
    if shape.open:
        return value
    if isinstance(value, bool | str | bytes | int | float):
        return _scalar(scalars, value)
    if shape.inside is not None and isinstance(value, Mapping):
        return {key: _checked(shape.inside, one) for key, one in value.items()}
    if shape.inside is not None and isinstance(value, list | tuple):
        return [_checked(shape.inside, one) for one in value]
    return value


def _scalar(scalars: frozenset[type], value: Any) -> Any:
    numbers = scalars & _NUMBERS
    misfit = (
        bool(numbers)
        if isinstance(value, bool)
        else bool(numbers or bool in scalars) and str not in scalars
        if isinstance(value, str | bytes)
        else not numbers and bool in scalars
    )
    if misfit:
        wanted = " or ".join(sorted(_NAMES[kind] for kind in scalars if kind in _NAMES))
        raise PydanticCustomError(
            "kind",
            "Input should be {wanted}, not {found}",
            {"wanted": wanted, "found": _NAMES.get(type(value), "bytes")},
        )
    return value
