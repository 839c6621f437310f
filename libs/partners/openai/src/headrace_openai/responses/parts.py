"""Content blocks as the parts of an input message, or of the output of a tool."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.chat_models.carrying import FORMS
from headrace.chat_models.prompt_caching import MARK
from headrace.errors import UnsupportedContentError
from headrace_openai.caching import BREAKPOINT, as_breakpoint
from headrace_openai.outgoing import data_url, default_name, image_type

if TYPE_CHECKING:
    from headrace.chat_models import Notes
    from headrace_openai.dialects import Dialect

Part = dict[str, Any]
_INSIDE = frozenset({"detail", "filename"})  # extras with a place inside their part


class InputParts:
    """Writes parts; what they cannot carry is an UnsupportedContentError."""

    def __init__(self, dialect: Dialect, notes: Notes) -> None:
        self.dialect, self.notes = dialect, notes

    def content(self, blocks: Sequence[Mapping[str, Any]]) -> str | list[Part]:
        """A str for a lone plain text, else the list of parts."""
        parts = [self.part(block) for block in blocks]
        if not parts:
            return ""
        lone = len(parts) == 1 and parts[0].keys() == {"type", "text"}
        return parts[0]["text"] if lone else parts

    def json(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def part(self, block: Mapping[str, Any]) -> Part:
        """The part that carries one block."""
        match block["type"]:
            case "text":
                part = {"type": "input_text", "text": block["text"]}
            case "image":
                part = self._image(block)
            case "file":
                part = self._file(block)
            case "text-plain":
                part = self._plain(block)
            case "non_standard":
                return dict(block["value"])  # the caller's own part, in the service's form
            case kind:
                raise self._unsupported(f"a `{kind}` block in this place")
        return self._with_extras(part, block)

    def _image(self, block: Mapping[str, Any]) -> Part:
        part: Part = {"type": "input_image"}
        if block.get("file_id"):
            part["file_id"] = block["file_id"]
        elif block.get("url"):
            part["image_url"] = block["url"]
        elif block.get("base64"):
            part["image_url"] = data_url(block, image_type(block["base64"]))
        else:
            raise self._unsupported("an image without data, URL or id")
        part["detail"] = (block.get("extras") or {}).get("detail") or "auto"
        return part

    def _file(self, block: Mapping[str, Any]) -> Part:
        data, url = block.get("base64"), block.get("url")
        if data and data.startswith(("http://", "https://")):
            data, url = None, data
        name = block.get("filename") or (block.get("extras") or {}).get("filename")
        if block.get("file_id"):
            return {"type": "input_file", "file_id": block["file_id"]}
        if url:
            return {"type": "input_file", "file_url": url}
        if data:
            text = data if data.startswith("data:") else data_url(block)
            named = name or default_name(block)
            return {"type": "input_file", "file_data": text, "filename": named}
        raise self._unsupported("; ".join(FORMS["file_id"]))

    def _plain(self, block: Mapping[str, Any]) -> Part:
        text = block.get("text")
        if text is None and block.get("base64"):
            text = b64decode(block["base64"]).decode("utf-8", "replace")
        if text is None:
            return self._file(block)
        head = [block[key] for key in ("title", "context") if block.get(key)]
        return {"type": "input_text", "text": "\n".join([*head, text])}

    def _unsupported(self, what: str) -> UnsupportedContentError:
        return UnsupportedContentError(
            f"the Responses API of `{self.dialect.id}` cannot carry {what}"
        )

    def _with_extras(self, part: Part, block: Mapping[str, Any]) -> Part:
        for key, value in (block.get("extras") or {}).items():
            if key in _INSIDE:
                continue
            if key == MARK and self.dialect.cache_mark == BREAKPOINT:
                part[BREAKPOINT] = as_breakpoint(value, self.notes)
            elif self.dialect.extras is None or key in self.dialect.extras:
                part[key] = value
            else:
                reason = f"`{self.dialect.id}` has no such mark"
                self.notes.record(key, value, None, "left out", reason)
        return part
