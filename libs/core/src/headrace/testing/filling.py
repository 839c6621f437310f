"""How the offline model fills arguments and objects from a text: by rule, never by chance.

Strings are quoted spans, else capitalised spans not at the start of a sentence (an "A and B"
pair makes two calls); numbers are numerals; of an enum the first value named, or the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

_QUOTED = re.compile(r"[\"“”]([^\"“”]+)[\"“”]|(?<!\w)'([^']+)'(?!\w)|«([^»]+)»")
_CAPITALS = re.compile(r"[A-ZÀ-Þ][\w'’-]*(?:\s+[A-ZÀ-Þ0-9][\w'’-]*)*")
_NUMERAL = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
_WORD = re.compile(r"[a-z]{3,}")
_SENTENCE = re.compile(r"(?:^|[.!?:]\s+|\n\s*)$")
_COMMON_WORDS = (
    "the and for with from that this what when where who how are was were you your can could "
    "will would should into about over under not all any has have had its it's get got use used "
    "given return returns value name text please tell "
)
_COMMON = frozenset(_COMMON_WORDS.split())
EXTRACT_WORDS = 24


def extract(text: str) -> str:
    """The first words of a text, up to the end of its first sentences."""
    words = text.split()
    if not words:
        return "I have nothing to answer to."
    if len(words) <= EXTRACT_WORDS:
        return " ".join(words)
    return " ".join(words[:EXTRACT_WORDS]) + " …"


def words_of(text: str) -> set[str]:
    """The telling words of a text, in lower case."""
    return set(_WORD.findall(text.lower().replace("_", " "))) - _COMMON


def calls_for(tools: list[dict[str, Any]], asked: str, *, forced: bool) -> list[dict[str, Any]]:
    """Calls of the tools that share a word with the text; of the first one if forced."""
    asked_words = words_of(asked)
    fitting = [
        tool
        for tool in tools
        if asked_words & words_of(f"{tool['name']} {tool.get('description', '')}")
    ]
    if forced and not fitting:
        fitting = tools[:1]
    return [
        {"type": "tool_call", "name": tool["name"], "args": args, "id": None}
        for tool in fitting
        for args in _arguments(tool.get("parameters") or {}, asked)
    ]


def _arguments(schema: Mapping[str, Any], asked: str) -> Iterator[dict[str, Any]]:
    """One set of arguments, or two where the text names a pair for the one string."""
    pair = _pair(asked)
    properties = schema.get("properties") or {}
    strings = [name for name, part in properties.items() if _type(part) == "string"]
    if pair and len(strings) == 1 and "enum" not in properties[strings[0]]:
        for value in pair:
            yield {**fill(schema, asked), strings[0]: value}
    else:
        yield fill(schema, asked)


def _pair(text: str) -> tuple[str, str] | None:
    spans = list(_spans(text))
    for (first, _, end), (second, start, _) in pairwise(spans):
        if text[end:start].strip().strip("\"'“”") in ("and", ", and", "&"):
            return first, second
    return None


def _spans(text: str) -> list[tuple[str, int, int]]:
    quoted = [
        (next(group for group in found.groups() if group), *found.span())
        for found in _QUOTED.finditer(text)
    ]
    if quoted:
        return quoted
    return [
        (found.group(), *found.span())
        for found in _CAPITALS.finditer(text)
        if not _SENTENCE.search(text[: found.start()]) and found.group() != "I"
    ]


def fill(schema: Mapping[str, Any], text: str) -> Any:
    """A value of a JSON Schema, filled from the text."""
    return _Filler(schema, text).value(schema, "")


class _Filler:
    def __init__(self, root: Mapping[str, Any], text: str) -> None:
        self._defs = {**root.get("definitions", {}), **root.get("$defs", {})}
        self._text, self._depth = text, 0
        self._strings = [span for span, _, _ in _spans(text)]
        self._numbers = _NUMERAL.findall(text)
        self._strings_used = self._numbers_used = 0

    def value(self, schema: Any, name: str) -> Any:
        if not isinstance(schema, Mapping):
            return None
        if "$ref" in schema:
            return self._referred(str(schema["$ref"]), name)
        for key in ("const", "default"):
            if key in schema and (key == "const" or not (self._strings or self._numbers)):
                return schema[key]
        if "enum" in schema:
            return self._choice(list(schema["enum"]))
        for key in ("anyOf", "oneOf", "allOf"):
            if schema.get(key):
                return self.value(schema[key][0], name)
        return self._typed(_type(schema), schema, name)

    def _typed(self, kind: str | None, schema: Mapping[str, Any], name: str) -> Any:
        match kind:
            case "string":
                return self._string(name)
            case "integer" | "number":
                return self._number(schema, kind)
            case "boolean":
                return not re.search(r"\b(no|not|never|false)\b", self._text.lower())
            case "array":
                return self._items(schema, name)
            case "object":
                return self._object(schema)
        return None

    def _referred(self, ref: str, name: str) -> Any:
        self._depth += 1
        if self._depth > 8:
            return None  # a recursive schema: its optional parts end here
        value = self.value(self._defs.get(ref.rsplit("/", 1)[-1], {}), name)
        self._depth -= 1
        return value

    def _object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        required = schema.get("required")
        return {
            name: self.value(part, name)
            for name, part in (schema.get("properties") or {}).items()
            if required is None or name in required or self._fits(part)
        }

    def _fits(self, part: Mapping[str, Any]) -> bool:
        kind, lowered = _type(part), self._text.lower()
        if "enum" in part:
            return any(str(value).lower() in lowered for value in part["enum"])
        if kind in ("integer", "number"):
            return self._numbers_used < len(self._numbers)
        return kind == "string" and self._strings_used < len(self._strings)

    def _items(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        part = schema.get("items") or {}
        if _type(part) == "string" and "enum" not in part:
            rest = self._strings[self._strings_used :] or words_in_order(self._text)[:3]
            self._strings_used = len(self._strings)
            return rest
        return [self.value(part, name)]

    def _string(self, name: str) -> str:
        if self._strings_used < len(self._strings):
            self._strings_used += 1
            return self._strings[self._strings_used - 1]
        return self._strings[-1] if self._strings else extract(self._text)

    def _number(self, schema: Mapping[str, Any], kind: str) -> int | float:
        found: float = 0
        if self._numbers_used < len(self._numbers):
            found = float(self._numbers[self._numbers_used])
            self._numbers_used += 1
        low, high = schema.get("minimum"), schema.get("maximum")
        found = max(found, low) if low is not None else found
        found = min(found, high) if high is not None else found
        return int(found) if kind == "integer" or found == int(found) else found

    def _choice(self, values: list[Any]) -> Any:
        lowered = self._text.lower()
        return next((v for v in values if str(v).lower() in lowered), values[0])


def words_in_order(text: str) -> list[str]:
    """The telling words of a text in the order they come, each once."""
    return [word for word in dict.fromkeys(_WORD.findall(text.lower())) if word not in _COMMON]


def _type(schema: Any) -> str | None:
    if not isinstance(schema, Mapping):
        return None
    kind = schema.get("type")
    if isinstance(kind, list):
        return next((one for one in kind if one != "null"), None)
    return kind or ("object" if "properties" in schema else None)
