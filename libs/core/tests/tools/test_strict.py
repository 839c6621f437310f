"""Schemas as strict modes take them."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from headrace.errors import InputError
from headrace.testing import ScriptedChatModel
from headrace.tools.modern import modern_schema
from headrace.tools.strict import strict_schema

# A sample of the kind that rivals document: draft 4, a type of string beside null in its enum.
W14 = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "id": "http://example.com/person",
    "title": "Person",
    "type": "object",
    "definitions": {"pet": {"type": "object", "properties": {"name": {"type": "string"}}}},
    "properties": {
        "name": {"type": "string"},
        "mood": {"type": "string", "enum": ["good", "bad", None]},
        "age": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        "pets": {"type": "array", "items": {"$ref": "#/definitions/pet"}},
    },
    "required": ["name", "mood"],
}


def objects(schema: Any) -> list[Any]:
    found = [schema] if isinstance(schema, dict) and "properties" in schema else []
    inner = schema.values() if isinstance(schema, dict) else schema
    if isinstance(schema, dict | list):
        for item in inner:
            found += objects(item)
    return found


def is_strict(schema: dict[str, Any]) -> bool:
    return all(
        part["additionalProperties"] is False and part["required"] == list(part["properties"])
        for part in objects(schema)
    )


def test_a_draft_4_schema_is_made_strict() -> None:
    strict = strict_schema(W14)
    jsonschema.Draft202012Validator.check_schema(strict)
    assert is_strict(strict)
    assert not strict.keys() & {"$schema", "id", "definitions"}
    assert strict["properties"]["mood"]["type"] == ["string", "null"]
    assert strict["properties"]["age"] == {"type": ["integer", "null"], "exclusiveMinimum": 0}
    assert strict["properties"]["pets"]["items"] == {"$ref": "#/$defs/pet"}
    assert strict_schema(strict) == strict
    assert "definitions" in W14


def test_a_draft_4_schema_gives_its_object_under_strict(world: Any) -> None:
    said = '{"name": "Ann", "mood": null, "age": null, "pets": [{"name": null}]}'
    for method in ("json_schema", "function_calling"):
        model = ScriptedChatModel([said])
        found = model.with_structured_output(W14, method=method, strict=True)
        expected = {"name": "Ann", "mood": None, "pets": [{}]}
        assert world.invoke(found, "hi") == expected


@pytest.mark.parametrize(
    ("schema", "match"),
    [
        ({"type": "object", "additionalProperties": {"type": "string"}}, "any keys"),
        ({"type": "object", "properties": {"a": {}}}, "a type for `a`"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}, "c": True}}, "any type"),
    ],
)
def test_what_strict_modes_cannot_take_is_an_error(schema: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        strict_schema(schema)


def test_all_of_and_references_with_more_are_merged() -> None:
    schema = {
        "$defs": {"a": {"type": "object", "properties": {"x": {"type": "integer"}}}},
        "allOf": [{"$ref": "#/$defs/a"}, {"properties": {"y": {"type": "string"}}}],
        "type": "object",
    }
    assert list(strict_schema(schema)["properties"]) == ["x", "y"]
    assert modern_schema({"properties": {"id": {"type": "string"}}})["properties"]["id"]
