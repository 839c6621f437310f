"""A value held against a JSON Schema: what is wrong with it, and the slips that can be mended."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from headrace.tools.modern import kind_of, resolved

_WHOLE = re.compile(r"\s*-?\d{1,300}\s*")
_NUMBER = re.compile(r"\s*-?\d{1,300}(\.\d+)?([eE][-+]?\d{1,3})?\s*")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_BOUNDS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("minimum", "at least", operator.lt),
    ("maximum", "at most", operator.gt),
    ("exclusiveMinimum", "above", operator.le),
    ("exclusiveMaximum", "below", operator.ge),
)
_SIZES = (("minLength", "maxLength", str), ("minItems", "maxItems", list))
_UNITS: dict[type, str] = {str: "characters", list: "items"}


def faults(
    value: Any, schema: Any, root: Mapping[str, Any], *, whole: str = "the value"
) -> list[str]:
    """What is wrong with a value, place by place; formats and patterns are not looked at."""
    return list(_Faults(root, whole).of(value, schema, ""))


class _Faults:
    def __init__(self, root: Mapping[str, Any], whole: str) -> None:
        self.root, self.whole = root, whole

    def of(self, value: Any, schema: Any, at: str) -> Iterator[str]:
        schema = resolved(schema, self.root)
        if not isinstance(schema, dict):
            return
        where = f"`{at}`" if at else self.whole
        for part in schema.get("allOf", ()):
            yield from self.of(value, part, at)
        for key in ("anyOf", "oneOf"):
            branches = schema.get(key)
            if branches and not any(self._fits(value, branch) for branch in branches):
                yield f"{where} fits none of the {len(branches)} choices, found {_short(value)}"
                return
        if "const" in schema and not _same(value, schema["const"]):
            yield f"{where} must be {schema['const']!r}, found {_short(value)}"
        if "enum" in schema and not any(_same(value, choice) for choice in schema["enum"]):
            yield f"{where} must be one of {schema['enum']!r}, found {_short(value)}"
        kinds = _kinds(schema)
        if kinds and not _is_of(value, kinds):
            yield f"{where} must be of type {' or '.join(kinds)}, found {_short(value)}"
            return
        yield from _bounds(value, schema, where)
        if isinstance(value, dict):
            yield from self._object(value, schema, at)
        elif isinstance(value, list):
            first, rest = schema.get("prefixItems", ()), schema.get("items")
            for index, item in enumerate(value):
                part = first[index] if index < len(first) else rest
                yield from self.of(item, part, _join(at, index))

    def _fits(self, value: Any, schema: Any) -> bool:
        return next(self.of(value, schema, ""), None) is None

    def _object(self, value: dict[str, Any], schema: Mapping[str, Any], at: str) -> Iterator[str]:
        properties = schema.get("properties") or {}
        for name in schema.get("required", ()):
            if name not in value:
                yield f"`{_join(at, name)}` is missing"
        others = schema.get("additionalProperties")
        for name, item in value.items():
            if name in properties:
                yield from self.of(item, properties[name], _join(at, name))
            elif others is False and not schema.get("patternProperties"):
                yield f"there is no `{_join(at, name)}` in the schema"
            elif isinstance(others, dict):
                yield from self.of(item, others, _join(at, name))


def _bounds(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        for key, text, wrong in _BOUNDS:
            bound = schema.get(key)
            numeric = isinstance(bound, int | float) and not isinstance(bound, bool)
            if numeric and wrong(value, bound):
                yield f"{where} must be {text} {bound}, found {value!r}"
    for least, most, kind in _SIZES:
        if not isinstance(value, kind):
            continue
        if len(value) < schema.get(least, 0):
            yield f"{where} must have at least {schema[least]} {_UNITS[kind]}, found {len(value)}"
        if len(value) > schema.get(most, len(value)):
            yield f"{where} must have at most {schema[most]} {_UNITS[kind]}, found {len(value)}"


class Mender:
    """Coerces values by schema where that loses nothing; `mended` says what was changed."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.mended: list[str] = []

    def value(self, value: Any, schema: Any, at: str = "") -> Any:
        """The value, or what it was meant to be; null for an optional property goes."""
        schema = resolved(schema, self.root)
        if not isinstance(schema, dict):
            return value
        for part in schema.get("allOf", ()):
            value = self.value(value, part, at)
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                value = self._chosen(value, schema[key], at)
        if "enum" in schema or "const" in schema:
            value = self._choice(value, schema.get("enum", [schema.get("const")]), at)
        kinds = _kinds(schema)
        if kinds and not _is_of(value, kinds):
            changed = _converted(value, kinds)
            if changed is not _NONE:
                self._note(at, f"{_short(value)} read as {_short(changed)}")
                value = changed
        if isinstance(value, dict) and "object" in (kinds or ("object",)):
            return self._object(value, schema, at)
        if isinstance(value, list) and isinstance(schema.get("items"), dict):
            return [self.value(v, schema["items"], _join(at, i)) for i, v in enumerate(value)]
        return value

    def _note(self, at: str, what: str) -> None:
        self.mended.append(f"{at or 'the value'}: {what}")

    def _chosen(self, value: Any, branches: list[Any], at: str) -> Any:
        for fits in (True, False):  # one that fits as it is goes before one that can be mended
            for branch in branches:
                if fits and faults(value, branch, self.root):
                    continue
                trial = Mender(self.root)
                changed = trial.value(value, branch, at)
                if not faults(changed, branch, self.root):
                    self.mended.extend(trial.mended)
                    return changed
        return value

    def _choice(self, value: Any, choices: list[Any], at: str) -> Any:
        if any(_same(value, choice) for choice in choices):
            return value
        said = str(value).strip().casefold()
        close = [c for c in choices if c is not None and str(c).strip().casefold() == said]
        if len(close) != 1 or isinstance(value, dict | list):
            return value
        self._note(at, f"{_short(value)} read as {close[0]!r}")
        return close[0]

    def _object(self, value: dict[str, Any], schema: Mapping[str, Any], at: str) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required, others = schema.get("required", ()), schema.get("additionalProperties")
        if properties and not others:
            value = self._spelled(value, properties, at)
        found = {}
        for name, item in value.items():
            part = properties.get(name, others)
            optional = name in properties and name not in required
            if item is None and optional and faults(None, part, self.root):
                continue  # as strict modes say that it is left out
            found[name] = self.value(item, part, _join(at, name))
        return found

    def _spelled(
        self, value: dict[str, Any], properties: Mapping[str, Any], at: str
    ) -> dict[str, Any]:
        """An object with keys as the schema writes them."""
        folded = {_folded(name): name for name in properties if name not in value}
        found = {}
        for name, item in value.items():
            meant = name if name in properties else folded.pop(_folded(name), name)
            if meant != name:
                self._note(at, f"key {name!r} read as {meant!r}")
            found[meant] = item
        return found


def with_defaults(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    """The value with the defaults that only a TypedDict's annotations tell."""
    schema = resolved(schema, root)
    if isinstance(value, list) and isinstance(schema, dict):
        return [with_defaults(item, schema.get("items"), root) for item in value]
    if not isinstance(value, dict) or not isinstance(schema, dict):
        return value
    found = {}
    for name, part in (schema.get("properties") or {}).items():
        if name in value:
            found[name] = with_defaults(value[name], part, root)
        elif isinstance(part, dict) and "default" in part:
            found[name] = part["default"]
    return {**value, **found}


def _folded(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


_NONE: Any = object()


def _converted(value: Any, kinds: list[str]) -> Any:
    """The value as one of these types, or _NONE; a text is read as JSON, never guessed."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _WORDS and kind_of(_WORDS[word]) in kinds:
            return _WORDS[word]
        if "integer" in kinds and _WHOLE.fullmatch(value):
            return int(value)
        if "number" in kinds and _NUMBER.fullmatch(value):
            return float(value)
        return _document(value, kinds)
    if isinstance(value, float) and "integer" in kinds and value.is_integer():
        return int(value)
    if "string" in kinds and isinstance(value, int | float):
        return to_json(value).decode()
    if "array" in kinds and isinstance(value, dict):
        return [value]
    return _NONE


def _document(value: str, kinds: list[str]) -> Any:
    if not {"object", "array"}.intersection(kinds) or value.strip()[:1] not in ("{", "["):
        return _NONE
    try:
        found = from_json(value, allow_inf_nan=False)
    except ValueError:
        return _NONE
    return found if kind_of(found) in kinds else _NONE


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type")
    if kinds is None:
        return ["object"] if "properties" in schema else []
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _is_of(value: Any, kinds: list[str]) -> bool:
    kind = kind_of(value)
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _same(value: Any, choice: Any) -> bool:
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


def _join(at: str, name: object) -> str:
    return f"{at}.{name}" if at else str(name)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
