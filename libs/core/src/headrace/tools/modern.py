"""JSON Schemas of any draft as one that is current, and the references within them."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from headrace.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"),
    (type(None), "null"), (list, "array"), (dict, "object"),
)  # fmt: skip


_NAMED = frozenset({"properties", "definitions", "$defs", "patternProperties"})


def kind_of(value: Any) -> str:
    """The JSON type of a value; a whole number is an integer."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "object")


def modern_schema(schema: Any) -> Any:
    """A copy without what older drafts say otherwise; an enum's values widen its `type`."""
    if isinstance(schema, list):
        return [modern_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return deepcopy(schema)
    new: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("enum", "const", "default", "examples", "example"):
            new[key] = deepcopy(value)
        elif key in _NAMED and isinstance(value, dict):
            home = "$defs" if key == "definitions" else key
            found = {name: modern_schema(item) for name, item in value.items()}
            new[home] = {**new.get(home, {}), **found}
        elif key == "$ref" and isinstance(value, str):
            new[key] = value.replace("#/definitions/", "#/$defs/")
        elif key not in ("$schema", "id") or not isinstance(value, str):
            new[key] = modern_schema(value)
    _rebound(new)
    _widen(new)
    if isinstance(new.get("items"), list):  # before draft 2020-12
        new["prefixItems"] = new.pop("items")
        if "additionalItems" in new:
            new["items"] = new.pop("additionalItems")
    return nullable(new) if new.pop("nullable", None) is True else new


def _rebound(schema: dict[str, Any]) -> None:
    """Draft 4 says `exclusiveMinimum: true` beside `minimum`."""
    for key, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(key), bool) and schema.pop(key) and bound in schema:
            schema[key] = schema.pop(bound)


def _widen(schema: dict[str, Any]) -> None:
    """An enum that holds null beside `type: string` is meant to allow it."""
    kinds = schema.get("type")
    if kinds is None or not isinstance(schema.get("enum"), list):
        return
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    for value in schema["enum"]:
        kind = kind_of(value)
        if kind not in kinds and not (kind == "integer" and "number" in kinds):
            kinds.append(kind)
    schema["type"] = kinds[0] if len(kinds) == 1 else kinds


def resolved(schema: Any, root: Mapping[str, Any]) -> Any:
    """The schema that a `$ref` within `root` stands for; its other keys go before."""
    for _ in range(32):
        if not isinstance(schema, dict) or "$ref" not in schema:
            return schema
        found: Any = root
        for part in str(schema["$ref"]).removeprefix("#").strip("/").split("/"):
            if part and isinstance(found, dict):
                found = found.get(part.replace("~1", "/").replace("~0", "~"))
        if not isinstance(found, dict):
            raise InputError(f"the schema refers to {schema['$ref']!r}, which it does not hold")
        schema = {**found, **{k: v for k, v in schema.items() if k != "$ref"}}
    raise InputError(f"a `$ref` of the schema leads in a circle: {schema.get('$ref')!r}")


def references(schema: Any) -> Iterator[str]:
    """The `$ref`s anywhere in a schema."""
    if isinstance(schema, list):
        for item in schema:
            yield from references(item)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)


def merged(schema: dict[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """Without `allOf`, and without a `$ref` that has keys beside it: strict modes take neither."""
    if "$ref" in schema and len(schema) > 1:
        schema = {k: v for k, v in resolved(schema, root).items() if k != "$defs"}
    if "allOf" not in schema:
        return schema
    found: dict[str, Any] = {}
    for part in (*schema["allOf"], {k: v for k, v in schema.items() if k != "allOf"}):
        whole = {k: v for k, v in merged(resolved(part, root), root).items() if k != "$defs"}
        properties = {**found.get("properties", {}), **whole.get("properties", {})}
        required = [*found.get("required", ()), *whole.get("required", ())]
        found = {**found, **whole}
        if properties:
            found["properties"] = properties
        if required:
            found["required"] = list(dict.fromkeys(required))
    return found


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that takes null too."""
    kinds = listed(schema.get("type"))
    if "null" in kinds or schema.get("const", 0) is None:
        return schema
    if "anyOf" in schema:
        if any("null" in listed(item.get("type")) for item in schema["anyOf"]):
            return schema
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    if not kinds or "const" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    wider = {**schema, "type": [*kinds, "null"]}
    if "enum" in schema:
        wider["enum"] = [*schema["enum"], *([] if None in schema["enum"] else [None])]
    return wider


def listed(kinds: Any) -> list[str]:
    return [kinds] if isinstance(kinds, str) else list(kinds or ())
