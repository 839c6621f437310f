"""Any known content block in its canonical form; what is unknown becomes `non_standard`."""

from __future__ import annotations

from typing import Any, cast

from headrace.messages.blocks import STANDARD_FIELDS, ContentBlock
from headrace.messages.foreign import FOREIGN_BY_KEY, FOREIGN_BY_TYPE

_FIELD_TYPES: dict[str, Any] = {
    **dict.fromkeys(
        (
            "text", "reasoning", "refusal", "url", "base64", "file_id", "mime_type", "transcript",
            "filename", "title", "context", "id", "name", "tool_call_id", "status", "error",
        ),
        str,
    ),
    "value": dict, "extras": dict, "annotations": list, "index": (int, str),
}  # fmt: skip
_NEEDED = {
    "tool_call": ("name", "args"),
    "server_tool_call": ("name", "args"),
    "server_tool_result": ("tool_call_id",),
    "non_standard": ("value",),
}
_ALWAYS = {
    "tool_call": ("id",),
    "tool_call_chunk": ("name", "args", "id", "index"),
    "invalid_tool_call": ("name", "args", "id", "error"),
}
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
    if result is not None:
        for key in ("id", "index"):
            if block.get(key) is not None and key not in result:
                result[key] = block[key]
        for key in _ALWAYS.get(result["type"], ()):
            result.setdefault(key, None)
    if result is None or not _is_sound(result):
        return {"type": "non_standard", "value": dict(block)}
    return cast("ContentBlock", result)


def _is_sound(block: dict[str, Any]) -> bool:
    """Whether the fields have the types that readers of canonical blocks rely on."""
    kind = block["type"]
    if any(block.get(field) is None for field in _NEEDED.get(kind, ())):
        return False
    for field, value in block.items():
        wanted = _FIELD_TYPES.get(field)
        if field == "args":
            wanted = dict if kind in ("tool_call", "server_tool_call") else str
        if wanted is not None and value is not None and not isinstance(value, wanted):
            return False
    return True


def _standard(kind: str, block: dict[str, Any]) -> dict[str, Any] | None:
    known = STANDARD_FIELDS[kind]
    if known.issuperset(block):
        result = dict(block)
        if isinstance(result.get("extras"), dict):
            result["extras"] = dict(result["extras"])
        return result
    result = {}
    extras = dict(block["extras"]) if isinstance(block.get("extras"), dict) else {}
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
