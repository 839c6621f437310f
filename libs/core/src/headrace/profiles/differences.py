"""What changed between two data files, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def differences(before: str | None, after: str) -> list[str]:
    """One sentence a change, by model; one for the whole where there was no readable file."""
    new = json.loads(after)
    if before is None:
        return [f"new file with {len(new['models'])} models"]
    try:
        old = json.loads(before)
        was: Mapping[str, Any] = old["models"]
        return [
            *_head(old, new),
            *(line for model in sorted({*was, *new["models"]}) for line in _model(model, was, new)),
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return [f"the file there could not be read; it becomes one of {len(new['models'])} models"]


def _head(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for part in ("source", "provider", "aliases"):
        if old.get(part) != new[part]:
            yield f"{part}: {_told(old.get(part))} becomes {_told(new[part])}"


def _model(model: str, was: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if model not in was:
        yield f"`{model}`: added"
    elif model not in new["models"]:
        yield f"`{model}`: removed"
    else:
        yield from _facts(f"`{model}`: ", was[model], new["models"][model])


def _facts(lead: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for field in sorted({*was, *now}):
        if was.get(field) == now.get(field):
            continue
        if field == "augmented":
            mine = set(now.get(field, ())) ^ set(was.get(field, ()))
            yield f"{lead}another source for {', '.join(sorted(mine))}"
        elif field not in was:
            yield f"{lead}`{field}` is now known: {_told(now[field])}"
        elif field not in now:
            yield f"{lead}`{field}` is no longer known; it was {_told(was[field])}"
        elif isinstance(was[field], dict) and isinstance(now[field], dict):
            yield from _facts(f"{lead}{field}, ", was[field], now[field])
        else:
            yield f"{lead}`{field}` goes from {_told(was[field])} to {_told(now[field])}"


def _told(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
