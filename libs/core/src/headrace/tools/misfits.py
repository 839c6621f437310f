"""What in the arguments of a call does not fit their JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headrace.tools.modern import kind_of, resolved


def misfits(
    value: Any, schema: Any, root: Mapping[str, Any] | None = None, at: str = ""
) -> Iterator[str]:
    """What is wrong, place by place: keys that are missing, types, enums. No bounds, no formats."""
    root = schema if root is None else root
    found = resolved(schema, root)
    if not isinstance(found, Mapping):
        return
    where = f"`{at}`" if at else "the arguments"
    options = [*found.get("anyOf", ()), *found.get("oneOf", ())]
    if options and all(list(misfits(value, option, root, at)) for option in options):
        yield f"{where} fits none of the types it may have, found {_short(value)}"
        return
    choices = found.get("enum", [found["const"]] if "const" in found else None)
    if choices is not None and not any(_same(value, choice) for choice in choices):
        yield f"{where} must be one of {choices!r}, found {_short(value)}"
        return
    kinds = found.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and choices is None and not _is_one_of(value, kinds):
        yield f"{where} must be of type {' or '.join(map(str, kinds))}, found {_short(value)}"
        return
    yield from _inside(value, found, root, at)


def _inside(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str
) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name in schema.get("required", ()):
            if name not in value:
                yield f"`{_joined(at, name)}` is missing"
        properties = schema.get("properties") or {}
        for name, item in value.items():
            if name in properties:
                yield from misfits(item, properties[name], root, _joined(at, name))
            elif at and schema.get("additionalProperties") is False:
                yield f"there is no `{_joined(at, name)}`"
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, item in enumerate(value):
            yield from misfits(item, schema["items"], root, _joined(at, index))


def _is_one_of(value: Any, kinds: list[Any]) -> bool:
    kind = kind_of(value)
    whole = kind == "integer" or (isinstance(value, float) and value.is_integer())
    return (
        kind in kinds or (kind == "integer" and "number" in kinds) or (whole and "integer" in kinds)
    )


def _same(value: Any, choice: Any) -> bool:
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


def _joined(at: str, name: Any) -> str:
    return f"{at}.{name}" if at else str(name)


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
