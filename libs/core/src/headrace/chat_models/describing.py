"""The JSON Schema of a type, or of a dict in one of the forms in which schemas come."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, cast, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict, get_type_hints, is_typeddict

from headrace.errors import InputError
from headrace.tools.modern import resolved

_ANNOTATED: Any = Annotated


class _Described(GenerateJsonSchema):
    """Also says what `Annotated[T, ..., "text"]` says of the fields of TypedDicts."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    def typed_dict_schema(self, schema: Any) -> dict[str, Any]:
        return _with_texts(super().typed_dict_schema(schema), schema.get("cls"))

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        return _with_texts(super().dataclass_schema(schema), schema.get("cls"))


def schema_of_type(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The JSON Schema of what a type takes; one that contains itself keeps its `$defs`."""
    found = adapter.json_schema(schema_generator=_Described)
    if "$ref" in found:
        found = {**resolved(found, found), "$defs": found["$defs"]}
    return found


def schema_of_mapping(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON Schema in a dict, and what stands around it: `name`, `description`, `strict`.

    Reads a plain schema, a function's {"name", "parameters"} and a named {"name", "schema"},
    each also under `function` or `json_schema`.
    """
    for key in ("function", "json_schema"):
        if isinstance(given.get(key), Mapping) and "properties" not in given:
            given = given[key]
    around = {k: given[k] for k in ("name", "description", "strict") if given.get(k) is not None}
    for key in ("parameters", "schema", "input_schema"):
        if isinstance(given.get(key), Mapping) and "name" in given and "properties" not in given:
            return dict(given[key]), around
    if not given:
        raise InputError("an empty dict is no schema: it would take any answer")
    names = {"name": given["title"]} if isinstance(given.get("title"), str) else {}
    name = around.pop("name", None)
    if isinstance(name, str):
        names.setdefault("name", name)
    return dict(given), {**around, **names}


def _with_texts(found: dict[str, Any], kind: Any) -> dict[str, Any]:
    """Adds descriptions and defaults that stand bare in the annotations of `kind`."""
    if kind is None:
        return found
    try:
        hints = get_type_hints(kind, include_extras=True)
    except NameError:  # of a class in a function; pydantic has its own ways to find the names
        return found
    for name, hint in hints.items():
        part = found.get("properties", {}).get(name)
        if part is None:
            continue
        default, text = bare_metadata(hint)
        if text is not None and "description" not in part:
            part["description"] = text
        if default is not ... and "default" not in part:
            part["default"] = default
            required = [key for key in found.get("required", ()) if key != name]
            found["required"] = required
    return found


def bare_metadata(hint: Any) -> tuple[Any, str | None]:
    """The default (`...` for none) and the text of `Annotated[T, default, "text"]`."""
    hint = _bare(hint)
    if get_origin(hint) is not Annotated:
        return ..., None
    metadata = get_args(hint)[1:]
    if any(isinstance(item, FieldInfo) for item in metadata):
        return ..., None
    match metadata:
        case (default, str() as text):
            simple = default is None or isinstance(default, str | int | float | bool | list | dict)
            return (default if simple else ...), text
        case (*_, str() as text):
            return ..., text
    return ..., None


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
        hint = portable(_bare(hint), seen)
        fields[name] = hint if name in kind.__required_keys__ else NotRequired[hint]
    made = cast("Any", TypedDict)(kind.__name__, fields)
    made.__doc__ = kind.__doc__
    return made


def _bare(hint: Any) -> Any:
    """A field's type without Required or NotRequired around it."""
    marks: tuple[Any, ...] = (Required, NotRequired)
    return _bare(get_args(hint)[0]) if get_origin(hint) in marks else hint
