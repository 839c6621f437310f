"""Content blocks as the parts of a Chat Completions message."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from headrace.chat_models.carrying import FORMS
from headrace.chat_models.prompt_caching import MARK
from headrace.errors import UnsupportedContentError
from headrace_openai.caching import BREAKPOINT, as_breakpoint

if TYPE_CHECKING:
    from headrace.chat_models import Notes
    from headrace_openai.dialects import Dialect, Media

Part = dict[str, Any]

_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "pcm": "pcm16"}
_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


class Parts:
    """Writes parts for one dialect; what it cannot carry is an UnsupportedContentError.

    `notes` gets a record of every cache marker or other extra that is left out.
    """

    service: ClassVar[str] = "Chat Completions"
    text: ClassVar[str] = "text"  # the type of a part that is a text

    def __init__(self, dialect: Dialect, notes: Notes) -> None:
        self.dialect, self.notes = dialect, notes

    def content(self, blocks: Sequence[Mapping[str, Any]]) -> str | list[Part]:
        """A str for a lone plain text, else the list of parts."""
        parts = [self.part(block) for block in blocks]
        if not parts:
            return ""
        lone = len(parts) == 1 and parts[0].keys() == {"type", "text"}
        return parts[0]["text"] if lone else parts

    def part(self, block: Mapping[str, Any]) -> Part:
        """The part that carries one block."""
        match block["type"]:
            case "text":
                part = {"type": self.text, "text": block["text"]}
            case "image":
                part = self._image(block)
            case "audio":
                part = self._audio(block)
            case "file":
                part = self._file(block)
            case "video":
                part = self._video(block)
            case "text-plain":
                part = self._plain(block)
            case "non_standard":
                return dict(block["value"])  # the caller's own part, in the service's form
            case kind:
                raise self._unsupported(f"a `{kind}` block in this place")
        return self._with_extras(part, block)

    def _image(self, block: Mapping[str, Any]) -> Part:
        if block.get("url"):
            self._check("image_url")
            url = block["url"]
        elif block.get("base64"):
            self._check("image_data")
            url = data_url(block, image_type(block["base64"]))
        else:
            raise self._unsupported("; ".join(FORMS["image_id"]))
        value = {"url": url}
        if detail := (block.get("extras") or {}).get("detail"):
            value["detail"] = detail
        return {"type": "image_url", "image_url": value}

    def _audio(self, block: Mapping[str, Any]) -> Part:
        if block.get("base64"):
            self._check("audio_data")
            kind = str(block.get("mime_type") or "audio/wav").rpartition("/")[2]
            form = _AUDIO_FORMATS.get(kind, kind)
            value = {"data": block["base64"], "format": form}
        elif block.get("url"):
            self._check("audio_url")
            value = {"data": block["url"]}
        else:
            raise self._unsupported("; ".join(FORMS["audio_id"]))
        return {"type": "input_audio", "input_audio": value}

    def _file(self, block: Mapping[str, Any]) -> Part:
        data, url = source_of(block)
        if block.get("file_id"):
            self._check("file_id")
            return {"type": "file", "file": {"file_id": block["file_id"]}}
        source = url or data
        if not source:
            raise self._unsupported("a file without data, URL or id")
        if self.dialect.reasoning_out == "thinking":  # Mistral's own kind of part
            self._check("file_url")
            named = {"document_name": name} if (name := given_name(block)) else {}
            return {"type": "document_url", "document_url": source, **named}
        self._check("file_url" if url else "file_data")
        value = {"file_data": source}
        # The API asks for a name with data (https://developers.openai.com/api/docs/guides/
        # pdf-files, read 2026-11).
        value["filename"] = name_of(block)
        return {"type": "file", "file": value}

    def _video(self, block: Mapping[str, Any]) -> Part:
        self._check("video")
        url = block.get("url") or (block.get("base64") and data_url(block, "video/mp4"))
        if not url:
            raise self._unsupported("; ".join(FORMS["video_id"]))
        return {"type": "video_url", "video_url": {"url": url}}

    def _plain(self, block: Mapping[str, Any]) -> Part:
        text = block.get("text")
        if text is None and block.get("base64"):
            text = b64decode(block["base64"]).decode("utf-8", "replace")
        if text is None:
            return self._file(block)
        head = [block[key] for key in ("title", "context") if block.get(key)]
        return {"type": self.text, "text": "\n".join([*head, text])}

    def _check(self, media: Media) -> None:
        known = self.dialect.media
        if known is not None and media not in known:
            raise self._unsupported("; ".join(FORMS[media]))

    def _unsupported(self, what: str) -> UnsupportedContentError:
        return UnsupportedContentError(f"{self.service} of `{self.dialect.id}` cannot carry {what}")

    def _with_extras(self, part: Part, block: Mapping[str, Any]) -> Part:
        extras = block.get("extras")
        if not extras:
            return part
        allowed = self.dialect.extras
        for key, value in extras.items():
            if key in ("detail", "filename"):
                continue  # they have their place inside the part
            if key == MARK and self.dialect.cache_mark == BREAKPOINT:
                part[BREAKPOINT] = as_breakpoint(value, self.notes)
            elif allowed is None or key in allowed:
                part[key] = value
            else:
                reason = f"`{self.dialect.id}` has no such mark"
                self.notes.record(key, value, None, "left out", reason)
        return part


def data_url(block: Mapping[str, Any], default: str = "application/pdf") -> str:
    return f"data:{block.get('mime_type') or default};base64,{block['base64']}"


def image_type(data: str) -> str:
    head = b64decode(data[:16] + "=" * (-len(data[:16]) % 4))
    return next((mime for magic, mime in _MAGIC if head.startswith(magic)), "image/png")


def source_of(block: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(data as a URL of its own, address) of a file; OpenRouter's `file_data` may be either."""
    data, url = block.get("base64"), block.get("url")
    if data and data.startswith(("http://", "https://")):
        return None, data
    if data and not data.startswith("data:"):
        data = data_url(block)
    return data, url


def given_name(block: Mapping[str, Any]) -> str | None:
    """The name that a file was given."""
    return block.get("filename") or (block.get("extras") or {}).get("filename")


def name_of(block: Mapping[str, Any]) -> str:
    """The name of a file, else one that says what it is."""
    kind = str(block.get("mime_type") or "application/pdf").rpartition("/")[2]
    return given_name(block) or f"file.{'txt' if kind == 'plain' else kind}"
