"""JSON Schemas as services take them where they enforce one: data says how, one walk does it.

A partner names the row of its service, `Wire(schemas=SCHEMA_DIALECTS["…"])`, and has nothing
more to do: the schema of `json_schema` and of tools with `strict` come to its encoder as the
service takes them, what was lost is in the notes, and the answer is held against the whole
schema. Where an encoder needs more, such as tools without `strict`, it calls `compile_schema`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import to_json

from headrace.errors import InputError
from headrace.tools.modern import (
    kind_of,
    listed,
    merged,
    modern_schema,
    nullable,
    references,
    resolved,
)

Patterns = Literal["any", "plain", "anchored"]
Recursion = Literal["yes", "optional", "no"]

# They constrain nothing, so to leave them out loses nothing.
_NOTES = frozenset(
    {
        "$anchor", "$comment", "$id", "$schema", "contentEncoding", "contentMediaType", "default",
        "deprecated", "discriminator", "example", "examples", "readOnly", "title", "writeOnly",
    }
)  # fmt: skip
_STRUCTURE = frozenset(
    {"$defs", "$ref", "additionalProperties", "anyOf", "description", "items", "properties", "type"}
)
_SAYS_TYPE = frozenset({"type", "anyOf", "enum", "const", "$ref", "properties"})
_BEYOND_PLAIN = re.compile(r"\(\?(?!:)|\\[1-9bBkAzZ]")
_HINTED = 60  # characters of a value that a description repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDialect:
    """Which JSON Schema a service takes where it enforces one.

    `keeps`: the keywords it takes, None: all but those it `drops`. `formats`, `min_items`: the
    values it takes of these, None: any. `patterns`: "plain" without lookaround and back
    references, "anchored" also from `^` to `$`. `enums`: the JSON types their values may have.
    `closed`: objects say `additionalProperties: false`; `maps`: objects with any keys pass.
    `untyped`: values of any type pass. `all_required`: so is each key, and null stands for one
    left out. `references`: it reads `$ref`; `recursion`: "optional" where only a key that may be
    left out leads back. `hints`: the description says what the schema cannot.
    """

    keeps: frozenset[str] | None = None
    drops: frozenset[str] = frozenset()
    formats: frozenset[str] | None = None
    min_items: frozenset[int] | None = None
    patterns: Patterns = "any"
    enums: frozenset[str] | None = None
    closed: bool = False
    maps: bool = True
    untyped: bool = True
    all_required: bool = False
    references: bool = True
    recursion: Recursion = "yes"
    hints: bool = True

    def takes(self, key: str, value: Any) -> bool:
        """Whether a keyword may be sent with this value."""
        if key in self.drops or not (self.keeps is None or key in self.keeps | _STRUCTURE):
            return False
        if key == "format":
            return self.formats is None or value in self.formats
        if key == "minItems":
            return self.min_items is None or value in self.min_items
        if key == "pattern" and self.patterns != "any":
            whole = str(value).startswith("^") and str(value).endswith("$")
            anchored = whole or self.patterns == "plain"
            return anchored and _BEYOND_PLAIN.search(str(value)) is None
        return True


@dataclass(frozen=True, slots=True)
class Loss:
    """What a service is not told: a `keyword` and its `value` at a place such as `pets[].age`."""

    at: str
    keyword: str
    value: Any


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    """A schema as a dialect takes it. It accepts all that the first did; `losses`: what else."""

    schema: dict[str, Any]
    losses: tuple[Loss, ...] = ()


def compile_schema(schema: Mapping[str, Any], dialect: SchemaDialect) -> CompiledSchema:
    """A copy that the service takes and that accepts what `schema` accepts.

    Raises InputError where there is none: objects with any keys, values of any type, and
    schemas that contain themselves, each where the dialect says so.
    """
    compiler = _Compiler(dialect, modern_schema(schema))
    return CompiledSchema(compiler.compiled(), tuple(compiler.losses))


class _Compiler:
    """One walk through one schema."""

    def __init__(self, dialect: SchemaDialect, root: dict[str, Any]) -> None:
        self.dialect, self.root = dialect, root
        self.losses: list[Loss] = []
        self._reach = _reached(root)
        self._inside: str | None = None  # the definition that is being walked through
        self._open: tuple[str, ...] = ()  # the references that are being put in place
        circular = [name for name, found in self._reach.items() if name in found]
        if circular and (dialect.recursion == "no" or not dialect.references):
            raise InputError(
                f"a schema that contains itself (`{circular[0] or 'the whole'}`) cannot be "
                "enforced by the service; use `method='function_calling'`, or `strict=False` "
                "for a tool"
            )

    def compiled(self) -> dict[str, Any]:
        definitions = self.root.get("$defs")
        self._inside = ""
        new: dict[str, Any] = self._made({k: v for k, v in self.root.items() if k != "$defs"}, "")
        if definitions and self.dialect.references:
            new["$defs"] = {}
            for self._inside, part in definitions.items():
                new["$defs"][self._inside] = self._made(part, self._inside)
        return new

    def _made(self, schema: Any, at: str) -> Any:
        where = f"`{at}`" if at else "the schema"
        if not isinstance(schema, dict):
            if self.dialect.untyped:
                return {} if schema is True else schema
            raise InputError(f"strict mode takes no value of any type: {where} says {schema!r}")
        if "$ref" in schema and not self.dialect.references:
            schema = self._placed(schema)
        if set(schema) == {"$ref"}:
            return dict(schema)
        schema = {k: v for k, v in merged(schema, self.root).items() if k != "$defs"}
        if not (self.dialect.untyped or schema.keys() & (_SAYS_TYPE | {"oneOf"})):
            raise InputError(
                f"strict mode needs a type for {where}; name it, or say `strict=False`"
            )
        schema = self._spelled(schema, at)
        new = self._kept(schema, at)
        for key, value in new.items():
            if key in ("anyOf", "prefixItems"):
                new[key] = [self._made(item, at) for item in value]
            elif key == "items":
                new[key] = self._made(value, f"{at}[]")
        kinds = listed(new.get("type"))
        if (
            "array" in kinds
            and not new.keys() & {"items", "prefixItems"}
            and not self.dialect.untyped
        ):
            raise InputError(f"strict mode needs a type for the items of {where}")
        if "properties" in new or "object" in kinds:
            self._close(new, at, where)
        return new

    def _placed(self, schema: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = resolved(schema, self.root)
        return self._placed(found) if "$ref" in found else found

    def _spelled(self, schema: dict[str, Any], at: str) -> dict[str, Any]:
        """The schema in other keywords that say the same, where the dialect lacks its own."""
        new, takes = dict(schema), self.dialect.takes
        if "oneOf" in new:
            new["anyOf"] = [*new.get("anyOf", ()), *new.pop("oneOf")]
        if "const" in new and not takes("const", new["const"]):
            new["enum"] = [new.pop("const")]
        if "prefixItems" in new and not takes("prefixItems", new["prefixItems"]):
            first, rest = new.pop("prefixItems"), new.get("items")
            self.losses.append(Loss(at, "prefixItems", first))
            choices = [*first, *([rest] if isinstance(rest, dict) else [])]
            new["items"] = choices[0] if len(choices) == 1 else {"anyOf": choices}
        for key, bound, step in (
            ("exclusiveMinimum", "minimum", 1),
            ("exclusiveMaximum", "maximum", -1),
        ):
            whole = new.get("type") == "integer" and isinstance(new.get(key), int)
            if whole and not takes(key, 0) and takes(bound, 0):
                new[bound] = new.pop(key) + step
        if isinstance(new.get("enum"), list) and self.dialect.enums is not None:
            return self._enumerated(new, at)
        return new

    def _enumerated(self, schema: dict[str, Any], at: str) -> dict[str, Any]:
        """An enum without the values whose type it may not have; these become choices of a type."""
        known = self.dialect.enums or frozenset()
        kept = [value for value in schema["enum"] if kind_of(value) in known]
        others = list(dict.fromkeys(kind_of(v) for v in schema["enum"] if kind_of(v) not in known))
        if not others:
            return {**schema, "type": schema.get("type") or _one(map(kind_of, kept))}
        if others != ["null"]:
            self.losses.append(Loss(at, "enum", schema["enum"]))
        around = {k: v for k, v in schema.items() if k not in ("enum", "type")}
        named: dict[str, Any] = {"type": _one(map(kind_of, kept)), "enum": kept}
        apart: list[dict[str, Any]] = [{"type": kind} for kind in others]
        choices = [named, *apart] if kept else apart
        return {**around, **(choices[0] if len(choices) == 1 else {"anyOf": choices})}

    def _kept(self, schema: dict[str, Any], at: str) -> dict[str, Any]:
        """The keywords that the dialect takes; the description says the others."""
        new, said = {}, []
        for key, value in schema.items():
            if self.dialect.takes(key, value) or key == "required":
                new[key] = value
                continue
            if key not in _NOTES:
                self.losses.append(Loss(at, key, value))
            if key == "default" or key not in _NOTES:
                said.append(f"{key}: {to_json(value).decode()[:_HINTED]}")
        if said and self.dialect.hints:
            told = f"({'; '.join(said)})"
            new["description"] = f"{new['description']} {told}" if "description" in new else told
        return new

    def _close(self, schema: dict[str, Any], at: str, where: str) -> None:
        dialect, others = self.dialect, schema.get("additionalProperties")
        is_map = others not in (None, False) or "properties" not in schema
        if is_map and not dialect.maps:
            raise InputError(
                f"strict mode takes no object with any keys: {where}; name its properties, make "
                "it a list of pairs, or say `strict=False`"
            )
        if isinstance(others, dict):
            schema["additionalProperties"] = self._made(others, f"{at}{{}}")
        elif dialect.closed and not is_map:
            schema["additionalProperties"] = False
        if "properties" not in schema:
            return
        required = [
            name for name in schema.get("required", ()) if not self._leads_back(name, schema)
        ]
        if len(required) < len(schema.get("required", ())):
            self.losses.append(Loss(at, "required", schema["required"]))
        properties = {}
        for name, value in schema["properties"].items():
            inner = self._made(value, f"{at}.{name}" if at else name)
            must_be_null = dialect.all_required and name not in required
            properties[name] = nullable(inner) if must_be_null else inner
        schema["properties"] = properties
        if dialect.all_required:
            required = list(properties)
        schema.pop("required", None)
        if required or dialect.all_required:
            schema["required"] = required

    def _leads_back(self, name: str, schema: Mapping[str, Any]) -> bool:
        """Whether a property contains the definition it stands in, where it must be optional."""
        if self.dialect.recursion != "optional" or self._inside is None:
            return False
        named = {_named(ref) for ref in references(schema["properties"].get(name))}
        return any(
            self._inside == other or self._inside in self._reach.get(other, ()) for other in named
        )


def _reached(root: Mapping[str, Any]) -> dict[str, set[str]]:
    """Which definitions each leads to, over any number of steps; the whole is named ""."""
    own = {key: value for key, value in root.items() if key != "$defs"}
    parts = {"": own, **root.get("$defs", {})}
    direct = {name: {_named(ref) for ref in references(part)} for name, part in parts.items()}

    def beyond(name: str) -> Iterator[str]:
        seen: set[str] = set()
        todo = list(direct.get(name, ()))
        while todo:
            found = todo.pop()
            if found not in seen:
                seen.add(found)
                todo += direct.get(found, ())
                yield found

    return {name: set(beyond(name)) for name in parts}


def _named(reference: str) -> str:
    """The definition that a reference leads to or into."""
    parts = reference.removeprefix("#").strip("/").split("/")
    return parts[1].replace("~1", "/").replace("~0", "~") if len(parts) > 1 else parts[0]


def _one(kinds: Iterable[str]) -> str | list[str]:
    """The types of some values, as `type` names them."""
    found = list(dict.fromkeys(kinds))
    return found[0] if len(found) == 1 else found
