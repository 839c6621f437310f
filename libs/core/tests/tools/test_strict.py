"""Strict schemas, and the law that a generated schema accepts what its models dump."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, create_model

from headrace.chat_models.schema import OutputSchema
from headrace.errors import InputError
from headrace.testing import ScriptedChatModel
from headrace.tools.strict import modern_schema, strict_schema

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


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


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


KINDS = st.recursive(
    st.sampled_from([str, int, bool, float, Mood, Literal["a", "b"]]),
    lambda inner: st.one_of(
        inner.map(lambda kind: list[kind]), inner.map(lambda kind: kind | None)
    ),
    max_leaves=3,
)


@st.composite
def models(draw: st.DrawFn, depth: int = 2) -> type[BaseModel]:
    """A pydantic model with random fields: required, with a default, of another model."""
    fields: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True)):
        if depth and draw(st.integers(0, 3)) == 0:
            kind: Any = draw(models(depth=depth - 1))
            kind = draw(st.sampled_from([kind, list[kind], kind | None]))
        else:
            kind = draw(KINDS)
        optional = draw(st.booleans())
        fields[name] = (kind | None, None) if optional else (kind, ...)
    return create_model(f"M{draw(st.integers(0, 999))}", **fields)


@settings(max_examples=200)
@given(st.data())
def test_the_schema_accepts_what_its_models_dump(data: st.DataObject) -> None:
    model = data.draw(models())
    instance = data.draw(instances(model))
    dumped = instance.model_dump(mode="json")
    for strict in (None, True):
        schema = OutputSchema(model, strict=strict)
        jsonschema.validate(dumped, schema.request_schema())
        assert schema.made_of(dumped) == (instance, [])
    assert is_strict(schema.request_schema())


def instances(model: type[BaseModel]) -> Any:
    fields = {name: values(item.annotation) for name, item in model.model_fields.items()}
    return st.fixed_dictionaries(fields).map(lambda found: model(**found))


def values(kind: Any) -> Any:
    args = getattr(kind, "__args__", ())
    if getattr(kind, "__origin__", None) is list:
        return st.lists(values(args[0]), max_size=2)
    if getattr(kind, "__origin__", None) is Literal:
        return st.sampled_from(args)
    if args:
        return st.one_of(*map(values, args))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return instances(kind)
    if kind is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind is int:
        return st.integers(-(2**53), 2**53)
    return st.none() if kind is type(None) else st.from_type(kind)
