"""Content blocks as the parts of a DashScope message.

Source: https://help.aliyun.com/en/model-studio/vision (read 2026-11)
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headrace.errors import UnsupportedContentError

if TYPE_CHECKING:
    from headrace.chat_models import Notes

Part = dict[str, Any]

# What stands beside the data in a part.
_MARKS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"cache_control"}),
    "image": frozenset({"cache_control", "min_pixels", "max_pixels", "enable_rotate"}),
    "audio": frozenset({"cache_control"}),
    "video": frozenset({"cache_control", "fps", "min_pixels", "max_pixels", "total_pixels"}),
}
_TYPES = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4"}
_MAGIC = (("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"),
          ("UklGR", "image/webp"))  # fmt: skip


def write_part(block: Mapping[str, Any], notes: Notes) -> Part:
    """The part that carries one block; UnsupportedContentError for those with no place."""
    match block["type"]:
        case "text":
            part, kind = {"text": block["text"]}, "text"
        case "image" | "audio" | "video" as kind:
            part = {kind: _source(block, kind)}
        case "text-plain":
            part, kind = {"text": _plain(block)}, "text"
        case "non_standard":
            return dict(block["value"])  # the caller's own part, in DashScope's form
        case kind:
            raise UnsupportedContentError(f"DashScope cannot carry a `{kind}` block")
    for key, value in (block.get("extras") or {}).items():
        if key in _MARKS[kind]:
            part[key] = value
        else:
            notes.record(key, value, None, "left out", "DashScope has no such mark")
    return part


def _source(block: Mapping[str, Any], kind: str) -> str:
    data, url = block.get("base64"), block.get("url")
    if isinstance(data, str) and data.startswith(("http://", "https://")):
        data, url = None, data
    if data:
        return f"data:{block.get('mime_type') or _type(kind, data)};base64,{data}"
    if not url:
        raise UnsupportedContentError(
            f"DashScope cannot carry {kind} by an id; pass its URL or bytes"
        )
    if str(url).startswith("file:"):
        raise UnsupportedContentError(
            f"a `file:` URL is not read, because it would be uploaded; pass its bytes with "
            f"`{kind}(...)`"
        )
    return str(url)


def _type(kind: str, data: str) -> str:
    if kind != "image":
        return _TYPES[kind]
    return next((mime for magic, mime in _MAGIC if data.startswith(magic)), _TYPES[kind])


def _plain(block: Mapping[str, Any]) -> str:
    text = block.get("text")
    if text is None and block.get("base64"):
        text = b64decode(block["base64"]).decode("utf-8", "replace")
    if text is None:
        raise UnsupportedContentError("DashScope cannot carry a document by URL; put its text in")
    return "\n".join([*(block[key] for key in ("title", "context") if block.get(key)), text])
