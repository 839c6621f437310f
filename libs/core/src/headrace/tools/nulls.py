"""Nulls that stand for an argument left out, as strict modes make a model write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.tools.modern import resolved


def without_nulls(value: Any, schema: Any, root: Mapping[str, Any] | None = None) -> Any:
    """A copy without keys whose null their schema does not take and that need not be there."""
    root = schema if root is None else root
    found = resolved(schema, root)
    if not isinstance(found, Mapping):
        return value
    if isinstance(value, list):
        return [without_nulls(item, found.get("items"), root) for item in value]
    if not isinstance(value, Mapping):
        return value
    properties, required = found.get("properties") or {}, found.get("required", ())
    kept = {}
    for key, item in value.items():
        part = properties.get(key)
        if item is None and part is not None and key not in required and not _nullable(part, root):
            continue
        kept[key] = item if part is None else without_nulls(item, _branch(part, root), root)
    return kept


def _branch(schema: Any, root: Mapping[str, Any]) -> Any:
    """Of `T | None` the schema of T."""
    found = resolved(schema, root)
    options = found.get("anyOf") if isinstance(found, Mapping) else None
    real = [item for item in options or () if item != {"type": "null"}]
    return real[0] if len(real) == 1 else found


def _nullable(schema: Any, root: Mapping[str, Any]) -> bool:
    found = resolved(schema, root)
    if not isinstance(found, Mapping):
        return True
    kinds = found.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if None in found.get("enum", ()) or found.get("const", 0) is None:
        return True
    options = [*found.get("anyOf", ()), *found.get("oneOf", ())]
    if options:
        return any(_nullable(option, root) for option in options)
    return kinds is None or "null" in kinds if "enum" not in found else False
