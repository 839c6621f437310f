"""Any known content block in its canonical form; what is unknown becomes `non_standard`."""

from __future__ import annotations

from typing import Any, cast

from headrace.messages.blocks import STANDARD_FIELDS, ContentBlock
from headrace.messages.foreign import FOREIGN_BY_KEY, FOREIGN_BY_TYPE

_RENAMED = frozenset({"image", "audio", "video", "file"})


def canonical_block(block: Any) -> ContentBlock:
    """A new canonical block for a str or a block of any known shape; `block` is not changed."""
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = block.get("type")
    result: dict[str, Any] | None = None
    reader = FOREIGN_BY_TYPE.get(kind)
    if reader is not None:
        result = reader(block)
    elif kind is None:
        found = next((key for key in FOREIGN_BY_KEY if key in block), None)
        result = FOREIGN_BY_KEY[found](block) if found else None
    if result is None and kind in STANDARD_FIELDS:
        result = _standard(kind, block)
    if result is None:
        return {"type": "non_standard", "value": dict(block)}
    for key in ("id", "index"):
        if block.get(key) is not None and key not in result:
            result[key] = block[key]
    return cast("ContentBlock", result)


def _standard(kind: str, block: dict[str, Any]) -> dict[str, Any] | None:
    known = STANDARD_FIELDS[kind]
    if known.issuperset(block):
        result = dict(block)
        if "extras" in result:
            result["extras"] = dict(result["extras"] or {})
        return result
    result, extras = {}, dict(block.get("extras") or {})
    for key, value in block.items():
        if key == "extras":
            continue
        if key in known:
            result[key] = value
        elif value is not None:
            extras[key] = value
    if kind in _RENAMED and not result.keys() & {"url", "base64", "file_id"}:
        return None
    if extras:
        result["extras"] = extras
    return result
