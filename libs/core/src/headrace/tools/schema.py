"""JSON Schemas as tools show them: one object, no titles, nothing that nobody refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from headrace.errors import InputError
from headrace.tools.docstring import read_docstring
from headrace.tools.modern import references
from headrace.tools.signature import default_in, hints_of, said_in

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic import BaseModel

_SCHEMAS_BY_NAME = frozenset({"properties", "$defs", "definitions", "patternProperties"})
_PLAIN_VALUES = frozenset({"default", "const", "enum", "examples", "example"})


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a pydantic model's input, without titles."""
    schema = model.model_json_schema(schema_generator=Described)
    if "$ref" in schema:  # a model that contains itself
        schema = {**schema["$defs"][schema["$ref"].rpartition("/")[2]], "$defs": schema["$defs"]}
    found: dict[str, Any] = without_titles(schema)
    return found


def without_titles(schema: Any) -> Any:
    """A copy of a schema without its titles; a property named `title` stays."""
    if isinstance(schema, list):
        return [without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    bare: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _SCHEMAS_BY_NAME and isinstance(value, dict):
            bare[key] = {name: without_titles(item) for name, item in value.items()}
        elif key in _PLAIN_VALUES:
            bare[key] = value
        elif key != "title" or not isinstance(value, str):
            bare[key] = without_titles(value)
    return bare


def hide(schema: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The schema of an object without these properties and what only they refer to."""
    shown = {"type": "object", "properties": {}, **schema}
    shown["properties"] = {n: s for n, s in shown["properties"].items() if n not in names}
    required = [name for name in shown.pop("required", ()) if name not in names]
    if required:
        shown["required"] = required
    for key in ("$defs", "definitions"):
        if key in shown:
            shown[key] = shown.pop(key)
            _prune(shown, key)
    return shown


def _prune(schema: dict[str, Any], key: str) -> None:
    """Drops the definitions that nothing refers to, not even by way of another."""
    definitions, used = schema[key], set()
    todo = [{name: value for name, value in schema.items() if name != key}]
    while todo:
        for reference in references(todo.pop()):
            name = reference.rpartition("/")[2]
            if name in definitions and name not in used:
                used.add(name)
                todo.append(definitions[name])
    schema[key] = {name: value for name, value in definitions.items() if name in used}
    if not schema[key]:
        del schema[key]


class Described(GenerateJsonSchema):
    """Also says what annotations and docstrings say of fields, in the types inside too."""

    # A default that JSON cannot hold is left out of the schema; the function still has it.
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    def typed_dict_schema(self, schema: Any) -> dict[str, Any]:
        return _described(super().typed_dict_schema(schema), schema.get("cls"))

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        return _described(super().dataclass_schema(schema), schema.get("cls"))

    def model_schema(self, schema: Any) -> dict[str, Any]:
        return _described(super().model_schema(schema), schema.get("cls"))


def _described(schema: dict[str, Any], kind: Any) -> dict[str, Any]:
    """The schema of a class with what its annotations and docstring say of its fields."""
    properties = schema.get("properties")
    if kind is None or not properties:
        return schema
    try:
        hints = hints_of(kind)
    except InputError:  # a name that only pydantic could find
        return schema
    documented = read_docstring(kind.__doc__).arguments
    for name, part in properties.items():
        said = said_in(hints.get(name)) or documented.get(name)
        if said and isinstance(part, dict):
            part.setdefault("description", said)
        default = default_in(hints.get(name))
        if default is not ... and isinstance(part, dict) and "default" not in part:
            part["default"] = default
            schema["required"] = [key for key in schema.get("required", ()) if key != name]
    return schema
