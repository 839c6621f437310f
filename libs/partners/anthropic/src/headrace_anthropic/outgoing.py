"""Content blocks as the blocks of a request.

Sources: https://platform.claude.com/docs/en/build-with-claude/vision, …/pdf-support, …/citations,
…/prompt-caching (read 2026-11)
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.chat_models.carrying import FORMS
from headrace_anthropic.incoming import Block, write_citation

if TYPE_CHECKING:
    from headrace.chat_models import Notes

_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)
# What a block of each kind may carry beside its content.
_EXTRAS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"cache_control"}),
    "image": frozenset({"cache_control", "transformations"}),
    "document": frozenset({"cache_control", "citations", "title", "context"}),
    "tool_use": frozenset({"cache_control", "caller", "toolset_name"}),
    "server_tool_use": frozenset({"cache_control", "caller"}),
    "mcp_tool_use": frozenset({"cache_control", "server_name"}),
}
# Set by others, and said elsewhere here or of no use.
_QUIET = frozenset({"filename", "detail", "block_type", "signature", "redacted_data"})


class Parts:
    """Writes what users and tools say; what cannot be carried is lost as the policy has it."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    def content(self, blocks: Iterable[Mapping[str, Any]]) -> list[Block]:
        """The blocks of a user's message or of a tool's result; none for empty text."""
        return [part for block in blocks if (part := self.part(block)) is not None]

    def part(self, block: Mapping[str, Any]) -> Block | None:
        """The part that carries one block."""
        match block["type"]:
            case "text":
                return self.text(block)
            case "image":
                return self._image(block)
            case "file":
                return self._file(block)
            case "text-plain":
                return self._plain(block)
            case "server_tool_result" if _block_type(block) == "tool_result":
                return self._result(block)
            case "non_standard":
                return dict(block["value"])  # the caller's own part, in the service's form
            case "audio" | "video" as kind:
                form = "audio_data" if kind == "audio" else "video"
                return self.lost(block, "; ".join(FORMS[form]))
            case kind:
                return self.lost(block, f"a `{kind}` block in this place")

    def text(self, block: Mapping[str, Any]) -> Block | None:
        """A text; an empty one is refused, and dropped."""
        if not block["text"]:
            return None
        return self.marked({"type": "text", "text": block["text"]}, block)

    def marked(self, part: Block, block: Mapping[str, Any]) -> Block:
        """The part with those extras of the block that have a place on it."""
        extras = block.get("extras")
        if not extras:
            return part
        known = _EXTRAS.get(part["type"], frozenset())
        for key, value in extras.items():
            if key in known:
                part[key] = value
            elif key not in _QUIET and key != "type":
                reason = f"a `{part['type']}` block has no such mark"
                self.notes.record(key, value, None, "left out", reason)
        return part

    def _image(self, block: Mapping[str, Any]) -> Block | None:
        if (source := _source(block)) is None:
            return self.lost(block, "an image without data, URL or id")
        if source["type"] == "base64" and not source.get("media_type"):
            source["media_type"] = _image_type(source["data"])
        return self.marked({"type": "image", "source": source}, block)

    def _file(self, block: Mapping[str, Any]) -> Block | None:
        source = _source(block)
        if source is None:
            return self.lost(block, "a file without data, URL or id")
        if source["type"] == "base64":
            mime = str(source.get("media_type") or "application/pdf").partition(";")[0]
            if mime.startswith("text/"):
                text = b64decode(source["data"]).decode("utf-8", "replace")
                source = {"type": "text", "media_type": "text/plain", "data": text}
            elif mime != "application/pdf":
                return self.lost(block, f"a file of type `{mime}`; send PDF or text")
            else:
                source["media_type"] = mime
        return self._document(source, block, block.get("filename"))

    def _plain(self, block: Mapping[str, Any]) -> Block | None:
        text = block.get("text")
        if text is None and block.get("base64"):
            text = b64decode(block["base64"]).decode("utf-8", "replace")
        if text is None:
            return self._file(block)
        source = {"type": "text", "media_type": "text/plain", "data": text}
        return self._document(source, block, None)

    def _document(self, source: Block, block: Mapping[str, Any], name: Any) -> Block:
        part: Block = {"type": "document", "source": source}
        if title := block.get("title") or name:
            part["title"] = title
        if block.get("context"):
            part["context"] = block["context"]
        return self.marked(part, block)

    def _result(self, block: Mapping[str, Any]) -> Block:
        part: Block = {"type": "tool_result", "tool_use_id": block["tool_call_id"]}
        if block.get("output") is not None:
            part["content"] = block["output"]
        if block.get("status") == "error":
            part["is_error"] = True
        extras = block.get("extras") or {}
        return {**part, **{k: v for k, v in extras.items() if k == "cache_control"}}

    def lost(self, block: Mapping[str, Any], what: str) -> Block | None:
        kind, name = str(block["type"]), block.get("filename")
        shown = str(block.get("mime_type") or kind)
        told = f"[{kind}{f' `{name}`' if name else ''}: it was left out and cannot be seen here]"
        text = self.notes.lose(kind, shown, told, f"the Messages API cannot carry {what}")
        return None if text is None else {"type": "text", "text": text}


def said(block: Mapping[str, Any], marked: Block) -> Block:
    """A text that Claude wrote, with the sources that it named."""
    notes = block.get("annotations") or ()
    citations = [wire for note in notes if (wire := write_citation(note)) is not None]
    return {**marked, "citations": citations} if citations else marked


def server_call(block: Mapping[str, Any]) -> Block:
    """A call that Claude's own server ran."""
    kind = _block_type(block) or "server_tool_use"
    extras = block.get("extras") or {}
    kept = {k: v for k, v in extras.items() if k in _EXTRAS.get(kind, frozenset())}
    call = {"type": kind, "id": block.get("id"), "name": block["name"], "input": block["args"]}
    return {**call, **kept}


def server_result(block: Mapping[str, Any]) -> Block:
    """What such a call gave back."""
    extras = block.get("extras") or {}
    kind = extras.get("block_type")
    part = {"type": kind, "tool_use_id": block["tool_call_id"], "content": block.get("output")}
    if kind == "mcp_tool_result":
        part["is_error"] = block.get("status") == "error"
    return {**part, **{k: v for k, v in extras.items() if k != "block_type"}}


def plain(parts: Sequence[Block]) -> str | list[Block]:
    """A str for one bare text, else the parts."""
    if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
        text: str = parts[0]["text"]
        return text
    return list(parts)


def _block_type(block: Mapping[str, Any]) -> Any:
    return (block.get("extras") or {}).get("block_type")


def _source(block: Mapping[str, Any]) -> Block | None:
    data, url = block.get("base64"), block.get("url")
    if block.get("file_id"):
        return {"type": "file", "file_id": block["file_id"]}
    if data and str(data).startswith(("http://", "https://")):
        data, url = None, data
    if data:
        source = {"type": "base64", "media_type": block.get("mime_type"), "data": data}
        return {key: value for key, value in source.items() if value is not None}
    return {"type": "url", "url": url} if url else None


def _image_type(data: str) -> str:
    head = b64decode(data[:16] + "=" * (-len(data[:16]) % 4))
    return next((mime for magic, mime in _MAGIC if head.startswith(magic)), "image/png")
