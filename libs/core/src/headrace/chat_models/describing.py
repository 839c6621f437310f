"""The JSON Schema of a type, or of a dict in one of the forms in which schemas come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from headrace.errors import InputError
from headrace.tools.modern import resolved
from headrace.tools.schema import Described


def schema_of_type(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The JSON Schema of what a type takes; one that contains itself keeps its `$defs`."""
    found = adapter.json_schema(schema_generator=Described)
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
