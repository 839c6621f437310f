"""Content blocks as the parts of a `generateContent` request.

Source: https://ai.google.dev/api/caching#Part (read 2026-11)
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from mimetypes import MimeTypes
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from headrace.chat_models.carrying import FORMS
from headrace.errors import UnsupportedContentError
from headrace_google.incoming import CODE, SIGNATURE

if TYPE_CHECKING:
    from headrace.chat_models import Notes

Part = dict[str, Any]

FILES = "https://generativelanguage.googleapis.com/v1beta/"
_TYPES = MimeTypes(filenames=())  # without the machine's own tables
_MORE_TYPES = {
    ".webp": "image/webp", ".heic": "image/heic", ".heif": "image/heif", ".flac": "audio/flac",
    ".ogg": "audio/ogg", ".m4a": "audio/mp4", ".mkv": "video/x-matroska", ".md": "text/markdown",
}  # fmt: skip
_DEFAULTS = {
    "image": "image/jpeg", "audio": "audio/mpeg", "video": "video/mp4", "file": "application/pdf",
}  # fmt: skip
_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)
_AUDIO = {"audio/mpga": "audio/mpeg", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav"}
_DETAIL = {
    "low": "MEDIA_RESOLUTION_LOW", "high": "MEDIA_RESOLUTION_HIGH", "auto": None,
}  # fmt: skip
# How a part is fine-tuned: our extras, in either spelling, and their place in it.
_TUNING = {
    "media_resolution": "mediaResolution", "mediaResolution": "mediaResolution",
    "video_metadata": "videoMetadata", "videoMetadata": "videoMetadata",
    "part_metadata": "partMetadata", "partMetadata": "partMetadata",
}  # fmt: skip
_CAMEL = {"start_offset": "startOffset", "end_offset": "endOffset"}


class Parts:
    """Writes parts; what cannot be carried is an UnsupportedContentError.

    `notes` gets a record of every cache marker or other extra that is left out.
    """

    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    def content(self, blocks: Sequence[Mapping[str, Any]]) -> list[Part]:
        """The parts of what a user, a system or a tool says."""
        return [self.part(block) for block in blocks]

    def part(self, block: Mapping[str, Any]) -> Part:
        """The part that carries one block of content."""
        match block["type"]:
            case "text":
                part: Part = {"text": block["text"]}
            case "image" | "audio" | "video" | "file":
                part = self.media(block)
            case "text-plain":
                part = self._plain(block)
            case "non_standard":
                return dict(block["value"])  # the caller's own part, in the service's form
            case kind:
                raise _unsupported(f"a `{kind}` block in this place")
        return self._tuned(part, block)

    def media(self, block: Mapping[str, Any]) -> Part:
        """The `inlineData` or `fileData` of a block."""
        kind, data, url = block["type"], block.get("base64"), block.get("url")
        mime = block.get("mime_type")
        if data and data.startswith(("http://", "https://")):
            data, url = None, data  # some keep a URL in the place of data
        if data:
            mime = mime or (_image_type(data) if kind == "image" else _DEFAULTS[kind])
            return {"inlineData": {"mimeType": _AUDIO.get(mime, mime), "data": data}}
        if not url and block.get("file_id"):
            url = _file_url(str(block["file_id"]))
        if not url:
            raise _unsupported(FORMS.get(f"{kind}_id", ("a file without data, URL or id",))[0])
        found: Part = {"fileUri": url}
        if mime := mime or _type_of(url, kind):
            found["mimeType"] = mime
        return {"fileData": found}

    def _plain(self, block: Mapping[str, Any]) -> Part:
        text = block.get("text")
        if text is None and block.get("base64"):
            text = b64decode(block["base64"]).decode("utf-8", "replace")
        if text is None:
            return self.media({"mime_type": "text/plain", **block, "type": "file"})
        head = [block[key] for key in ("title", "context") if block.get(key)]
        return {"text": "\n".join([*head, text])}

    def _tuned(self, part: Part, block: Mapping[str, Any]) -> Part:
        for key, value in (block.get("extras") or {}).items():
            if key in _TUNING:
                part[_TUNING[key]] = _spelled(key, value)
            elif key == SIGNATURE:
                part["thoughtSignature"] = value
            elif key == "detail" and value in _DETAIL:
                if _DETAIL[value]:
                    part["mediaResolution"] = {"level": _DETAIL[value]}
            else:
                reason = "a part of `generateContent` has no place for it"
                self.notes.record(key, value, None, "left out", reason)
        return part


def server_part(block: Mapping[str, Any]) -> Part | None:
    """The part that a call or result of the service's own tool was; None for other services'.

    A search that only `groundingMetadata` told of is none: it was never a part.
    """
    extras = block.get("extras") or {}
    is_call = block["type"] == "server_tool_call"
    id = block.get("id") if is_call else block.get("tool_call_id")
    own = {"id": id} if id and not str(id).startswith(f"{CODE}_") else {}
    if extras.get("tool_type"):
        kind = {"toolType": extras["tool_type"], **own}
        if is_call:
            part: Part = {"toolCall": {**kind, "args": block.get("args") or {}}}
        else:
            part = {"toolResponse": {**kind, "response": block.get("output")}}
    elif is_call and block["name"] == CODE:
        part = {"executableCode": {**(block.get("args") or {}), **own}}
    elif extras.get("outcome"):
        result = {"outcome": extras["outcome"], **own}
        if block.get("output"):
            result["output"] = block["output"]
        part = {"codeExecutionResult": result}
    else:
        return None
    if extras.get(SIGNATURE):
        part["thoughtSignature"] = extras[SIGNATURE]
    return part


def _spelled(key: str, value: Any) -> Any:
    if key in ("media_resolution", "mediaResolution") and isinstance(value, str):
        return {"level": value if value.isupper() else f"MEDIA_RESOLUTION_{value.upper()}"}
    if isinstance(value, Mapping) and key == "video_metadata":
        return {_CAMEL.get(name, name): item for name, item in value.items()}
    return value


def _file_url(id: str) -> str:
    """The address of an uploaded file; `file_id` may be it, or `files/…`, or what follows that."""
    if "://" in id:
        return id
    return FILES + (id if id.startswith("files/") else f"files/{id}")


def _type_of(url: str, kind: str) -> str | None:
    """The type of what is at a URL; None where the service knows it better."""
    parts = urlsplit(url)
    if (parts.hostname or "").endswith(("youtube.com", "youtu.be")):
        return "video/mp4"
    if url.startswith(FILES):
        return None
    name = parts.path.rpartition("/")[2]
    found = _MORE_TYPES.get(PurePosixPath(name).suffix.lower()) or _TYPES.guess_type(name)[0]
    return _AUDIO.get(found, found) if found else _DEFAULTS[kind]


def _image_type(data: str) -> str:
    head = b64decode(data[:16] + "=" * (-len(data[:16]) % 4))
    return next((mime for magic, mime in _MAGIC if head.startswith(magic)), "image/png")


def _unsupported(what: str) -> UnsupportedContentError:
    return UnsupportedContentError(f"`generateContent` cannot carry {what}")
