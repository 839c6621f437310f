"""Content blocks as the parts of an input message, or of the output of a tool."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.chat_models.carrying import FORMS
from headrace_openai.outgoing import Part, Parts, data_url, image_type, name_of, source_of


class InputParts(Parts):
    """Writes parts as the Responses API spells them; it has none for audio and video."""

    service: ClassVar[str] = "the Responses API"
    text: ClassVar[str] = "input_text"

    def json(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

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
        data, url = source_of(block)
        if block.get("file_id"):
            return {"type": "input_file", "file_id": block["file_id"]}
        if url:
            return {"type": "input_file", "file_url": url}
        if data:
            return {"type": "input_file", "file_data": data, "filename": name_of(block)}
        raise self._unsupported("; ".join(FORMS["file_id"]))

    def _audio(self, block: Mapping[str, Any]) -> Part:
        raise self._unsupported(f"a `{block['type']}` block in this place")

    _video = _audio
