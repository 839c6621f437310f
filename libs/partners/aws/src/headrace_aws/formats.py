"""The formats that Converse names, from media types; and the names that it takes for documents.

Source: the service model of botocore 1.44, `bedrock-runtime` 2023-09-30 (read 2026-11)
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
VIDEOS = {
    "video/x-matroska": "mkv",
    "video/matroska": "mkv",
    "video/quicktime": "mov",
    "video/mov": "mov",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
    "video/three_gp": "three_gp",
}
AUDIO = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/mp4": "mp4",
    "audio/x-m4a": "m4a",
    "audio/m4a": "m4a",
    "audio/ogg": "ogg",
    "audio/webm": "webm",
    "audio/pcm": "pcm",
}
_TABLES: Mapping[str, Mapping[str, str]] = {
    "image": IMAGES, "video": VIDEOS, "audio": AUDIO, "file": DOCUMENTS,
}  # fmt: skip
_SUFFIXES = {"htm": "html", "jpg": "jpeg", "text": "txt", "markdown": "md", "3gp": "three_gp"}
_MAGIC = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "webp"))
_LEFT_OUT = re.compile(r"[^A-Za-z0-9\s()\[\]-]+")
_LONGEST = 200  # characters of a document's name


def format_of(kind: str, block: Mapping[str, Any]) -> str | None:
    """The format of a media block by its type, else by its name, else by its first bytes."""
    table = _TABLES[kind]
    mime = str(block.get("mime_type") or "").partition(";")[0].strip().lower()
    if mime:
        found = table.get(mime)
        if found is None and kind == "file" and mime.startswith("text/"):
            return "txt"
        return found
    name = str(block.get("filename") or block.get("url") or "")
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    suffix = _SUFFIXES.get(suffix, suffix)
    if suffix in table.values():
        return suffix
    if kind == "image" and block.get("base64"):
        data = str(block["base64"])[:16]
        head = b64decode(data + "=" * (-len(data) % 4))
        return next((form for magic, form in _MAGIC if head.startswith(magic)), "png")
    return "pdf" if kind == "file" and not name else None


def formats(kind: str) -> str:
    """What there is of a kind, in words."""
    return ", ".join(dict.fromkeys(_TABLES[kind].values()))


class DocumentNames:
    """Names of one request's documents: of the characters that Converse takes, each once."""

    __slots__ = ("_count", "_given")

    def __init__(self) -> None:
        self._count = 0
        self._given: set[str] = set()

    def give(self, asked: str | None, form: str | None) -> str:
        """The name for a document, without the suffix that says its format."""
        self._count += 1
        stem = str(asked or "")
        if form and stem.lower().endswith(f".{form}"):
            stem = stem[: -len(form) - 1]
        plain = " ".join(_LEFT_OUT.sub(" ", stem).split())[:_LONGEST].strip()
        name, number = plain or f"Document {self._count}", 1
        while name in self._given:
            number += 1
            mark = f" ({number})"
            name = f"{(plain or 'Document')[: _LONGEST - len(mark)]}{mark}"
        self._given.add(name)
        return name
