"""Schemas as each service takes them where it enforces one, and what it is not told."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field, HttpUrl

from headrace.errors import InputError
from headrace.tools import SCHEMA_DIALECTS, Loss, SchemaDialect, compile_schema

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


class Node(BaseModel):
    name: str
    children: list[Node]
    parent: Node | None = None


def compiled(schema: Any, service: str) -> tuple[dict[str, Any], list[Loss]]:
    if isinstance(schema, type):
        schema = schema.model_json_schema()
    found = compile_schema(schema, SCHEMA_DIALECTS[service])
    return found.schema, list(found.losses)


def of_field(schema: Any, service: str) -> Any:
    """What becomes of the schema of one required property."""
    whole = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return compiled(whole, service)[0]["properties"]["a"]


@pytest.mark.parametrize("service", SCHEMA_DIALECTS)
def test_a_draft_4_schema_with_null_in_an_enum_suits_every_service(service: str) -> None:
    schema, losses = compiled(W14, service)
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    check.validate({"name": "Ann", "mood": None, "age": 3, "pets": [{"name": "Rex"}]})
    assert not check.is_valid({"name": "Ann", "mood": "so-so", "age": 3, "pets": []})
    assert not schema.keys() & {"$schema", "id", "definitions"}
    dropped = {"age": "exclusiveMinimum"} if service in ("anthropic", "bedrock") else {}
    assert {loss.at: loss.keyword for loss in losses} == dropped


@pytest.mark.parametrize("service", ["openai", "anthropic", "bedrock", "mistral"])
def test_objects_are_closed_where_a_service_wants_it(service: str) -> None:
    schema, _ = compiled(W14, service)
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["pet"]["additionalProperties"] is False


def test_only_strict_mode_makes_every_key_required() -> None:
    required = {name: compiled(W14, name)[0]["required"] for name in SCHEMA_DIALECTS}
    assert required.pop("openai") == ["name", "mood", "age", "pets"]
    assert all(found == ["name", "mood"] for found in required.values())


def test_what_is_not_taken_is_told_in_the_description_and_recorded() -> None:
    class Tag(BaseModel):
        word: str = Field(max_length=9, description="One word.")
        size: float = Field(gt=0, default=1.5)

    schema, losses = compiled(Tag, "anthropic")
    assert schema["properties"]["word"]["description"] == "One word. (maxLength: 9)"
    assert schema["properties"]["size"]["default"] == 1.5
    assert losses == [Loss("word", "maxLength", 9), Loss("size", "exclusiveMinimum", 0)]


def test_a_place_names_items_and_properties() -> None:
    class Pet(BaseModel):
        age: Annotated[int, Field(multiple_of=2)]

    class Home(BaseModel):
        pets: list[Pet]
        names: list[Annotated[str, Field(min_length=2)]]

    _, losses = compiled(Home, "google")
    assert [loss.at for loss in losses] == ["names[]", "Pet.age"]


def test_a_bound_is_said_otherwise_where_that_is_exact() -> None:
    bounded = {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10}
    assert of_field(bounded, "google") == {"type": "integer", "minimum": 1, "maximum": 9}
    assert of_field(bounded, "openai") == bounded


def test_a_const_and_mixed_enums_become_what_google_takes() -> None:
    assert of_field({"const": "a"}, "google") == {"enum": ["a"], "type": "string"}
    mixed = of_field({"enum": ["a", 1, None, True]}, "google")
    assert mixed["anyOf"] == [
        {"type": ["string", "integer"], "enum": ["a", 1]},
        {"type": "null"},
        {"type": "boolean"},
    ]


def test_patterns_and_formats_that_are_refused_are_left_out() -> None:
    class Page(BaseModel):
        url: HttpUrl
        price: Decimal

    for service in ("openai", "anthropic", "ollama"):
        schema, _ = compiled(Page, service)
        assert "pattern" not in str(schema["properties"]["price"]["anyOf"][1].keys())
    assert of_field({"type": "string", "format": "uri"}, "openai") == {"type": "string"}
    assert of_field({"type": "string", "format": "uri"}, "anthropic")["format"] == "uri"
    assert "pattern" in of_field({"type": "string", "pattern": "^a+$"}, "ollama")
    assert "pattern" not in of_field({"type": "string", "pattern": "a+"}, "ollama")


@pytest.mark.parametrize("service", ["openai", "anthropic", "ollama"])
def test_a_tuple_becomes_a_list_of_its_types_where_none_is_taken(service: str) -> None:
    class Pair(BaseModel):
        pair: tuple[int, str]

    schema, losses = compiled(Pair, service)
    assert schema["properties"]["pair"]["items"] == {
        "anyOf": [{"type": "integer"}, {"type": "string"}]
    }
    assert losses[0].keyword == "prefixItems"
    assert "prefixItems" in compiled(Pair, "google")[0]["properties"]["pair"]


def test_recursion_is_kept_made_optional_or_refused() -> None:
    for service in ("openai", "mistral", "ollama"):
        assert compiled(Node, service)[0]["$defs"]["Node"]["properties"]["children"]
    schema, losses = compiled(Node, "google")
    assert schema["$defs"]["Node"]["required"] == ["name"]
    assert losses == [Loss("Node", "required", ["name", "children"])]
    with pytest.raises(InputError, match=r"contains itself \(`Node`\)"):
        compiled(Node, "anthropic")


def test_references_are_put_in_place_where_they_are_not_read() -> None:
    dialect = SchemaDialect(references=False)
    schema = compile_schema(W14, dialect).schema
    assert schema["properties"]["pets"]["items"]["properties"] == {"name": {"type": "string"}}
    assert "$defs" not in schema
    with pytest.raises(InputError, match="contains itself"):
        compile_schema(Node.model_json_schema(), dialect)


@pytest.mark.parametrize("service", ["openai", "anthropic"])
@pytest.mark.parametrize("kind", [dict[str, int], Any, list])
def test_what_an_enforcing_service_cannot_say_is_an_error(service: str, kind: Any) -> None:
    class Loose(BaseModel):
        a: kind

    with pytest.raises(InputError, match="strict mode"):
        compiled(Loose, service)


def test_maps_and_any_values_pass_elsewhere() -> None:
    class Loose(BaseModel):
        counts: dict[str, int]
        what: Any
        one: Literal["x"]

    for service in ("google", "mistral", "ollama"):
        found = compiled(Loose, service)[0]["properties"]["counts"]["additionalProperties"]
        assert found == {"type": "integer"}


def test_older_spellings_are_brought_up_to_date() -> None:
    assert of_field({"type": "string", "nullable": True}, "google") == {"type": ["string", "null"]}
    old = {"type": "array", "items": [{"type": "integer"}], "additionalItems": {"type": "string"}}
    new = of_field(old, "google")
    assert (new["prefixItems"], new["items"]) == ([{"type": "integer"}], {"type": "string"})
