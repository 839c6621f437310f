"""Media blocks from what people have at hand: a path, a URL, bytes, an open file, a PIL image.

What is wrong with it is said here, before any request.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from io import BytesIO
from mimetypes import MimeTypes
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias, cast

from headrace.errors import InputError
from headrace.messages.blocks import (
    AudioContentBlock,
    FileContentBlock,
    ImageContentBlock,
    VideoContentBlock,
)

Source: TypeAlias = str | PathLike[str] | bytes | Any

_URL_SCHEMES = ("http://", "https://", "gs://", "s3://")
_WANTED = "a path, a URL, a data URL, bytes, an open binary file"
# Without the machine's own tables, so that the answer is the same everywhere.
_TYPES = MimeTypes(filenames=())
_MORE_TYPES = {
    ".webp": "image/webp", ".heic": "image/heic", ".avif": "image/avif", ".flac": "audio/flac",
    ".ogg": "audio/ogg", ".m4a": "audio/mp4", ".opus": "audio/ogg", ".mkv": "video/x-matroska",
    ".md": "text/markdown", ".odt": "application/vnd.oasis.opendocument.text",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}  # fmt: skip
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"%PDF-", "application/pdf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif", b"avif": "image/avif",
    b"M4A ": "audio/mp4", b"qt  ": "video/quicktime",
}  # fmt: skip
# Containers of sound as well as of moving pictures: whoever says which is believed.
_EITHER = {"video/webm": "audio/webm", "video/mp4": "audio/mp4", "audio/ogg": "video/ogg"}


def image(
    source: Source, *, mime_type: str | None = None, detail: str | None = None
) -> ImageContentBlock:
    """An image block from a path, URL, data URL, bytes, open file or PIL image.

    `detail` ("low", "high", "auto") is a hint that some providers take.
    """
    block = _media("image", source, mime_type)
    if detail is not None:
        block["extras"] = {"detail": detail}
    return cast("ImageContentBlock", block)


def audio(source: Source, *, mime_type: str | None = None) -> AudioContentBlock:
    """An audio block from a path, URL, data URL, bytes or open file."""
    return cast("AudioContentBlock", _media("audio", source, mime_type))


def video(source: Source, *, mime_type: str | None = None) -> VideoContentBlock:
    """A video block from a path, URL, data URL, bytes or open file."""
    return cast("VideoContentBlock", _media("video", source, mime_type))


def file(
    source: Source, *, mime_type: str | None = None, filename: str | None = None
) -> FileContentBlock:
    """A document block (PDF and the like) from a path, URL, data URL, bytes or open file."""
    block = _media("file", source, mime_type)
    name = filename or block.pop("_name", None)
    block.pop("_name", None)
    if name:
        block["filename"] = name
    return cast("FileContentBlock", block)


def _media(kind: str, source: Any, mime_type: str | None) -> dict[str, Any]:
    if isinstance(source, str):
        if source.lower().startswith(_URL_SCHEMES):
            block = {"type": kind, "url": source}
            return {**block, "mime_type": mime_type} if mime_type else block
        if source.startswith("data:"):
            data, mime = _from_data_url(kind, source)
            return _of_bytes(kind, data, mime_type or mime, "the data URL", "")
    if isinstance(source, bytes | bytearray | memoryview):
        return _of_bytes(kind, bytes(source), mime_type, "the bytes", "")
    if isinstance(source, str | PathLike):
        return _of_path(kind, Path(source), mime_type)
    if callable(getattr(source, "save", None)) and hasattr(source, "mode"):
        return _of_picture(kind, source, mime_type)
    read = getattr(source, "read", None)
    content = read() if callable(read) else None
    if not isinstance(content, bytes):
        extra = " or a PIL image" if kind == "image" else ""
        raise InputError(f"{kind}() takes {_WANTED}{extra}, not {type(source).__name__}")
    name = getattr(source, "name", "")
    name = name if isinstance(name, str) else ""
    return _of_bytes(kind, content, mime_type, "the open file", name)


def _of_path(kind: str, path: Path, mime_type: str | None) -> dict[str, Any]:
    shown = str(path)
    if len(shown) > 120:
        shown = f"{shown[:100]}… ({len(shown)} characters)"
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        raise InputError(f"{kind}() got the directory `{shown}`; give one file") from None
    except (FileNotFoundError, OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise InputError(
            f"{kind}() cannot read the file `{shown}`: {reason}. It takes {_WANTED}; "
            f"for base64 text use create_{kind}_block(base64=…, mime_type=…)"
        ) from exc
    block = _of_bytes(kind, data, mime_type, f"the file `{shown}`", path.name)
    if kind == "file":
        block["_name"] = path.name
    return block


def _of_bytes(
    kind: str, data: bytes, mime_type: str | None, what: str, name: str
) -> dict[str, Any]:
    if not data:
        raise InputError(f"{kind}(): {what} is empty")
    mime = mime_type or _sniffed(data) or _by_name(name)
    if mime is None and kind == "file":
        mime = "text/plain" if _is_text(data) else "application/octet-stream"
    if mime is None:
        raise InputError(f"{kind}() cannot tell the format of {what}; pass `mime_type=`")
    if kind != "file" and not mime.startswith(f"{kind}/"):
        other = _EITHER.get(mime, "")
        if not other.startswith(f"{kind}/"):
            major = mime.partition("/")[0]
            use = major if major in ("image", "audio", "video") else "file"
            raise InputError(f"{kind}(): {what} is {mime}; use {use}()")
        mime = other
    return {"type": kind, "base64": b64encode(data).decode(), "mime_type": mime}


def _of_picture(kind: str, picture: Any, mime_type: str | None) -> dict[str, Any]:
    if kind != "image":
        raise InputError(f"{kind}() got a PIL image; use image()")
    form = (mime_type or "").removeprefix("image/").upper() or picture.format or "PNG"
    out = BytesIO()
    try:
        picture.save(out, format=form)
    except (OSError, ValueError, KeyError) as exc:
        raise InputError(f"image(): PIL cannot write this image as {form}: {exc}") from exc
    return _of_bytes(kind, out.getvalue(), mime_type, "the PIL image", f"x.{form.lower()}")


def _from_data_url(kind: str, url: str) -> tuple[bytes, str | None]:
    head, comma, body = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise InputError(f"{kind}() takes data URLs of the form data:<type>;base64,<data>")
    try:
        data = b64decode(body, validate=True)
    except ValueError as exc:
        raise InputError(f"{kind}(): the data URL does not hold valid base64: {exc}") from exc
    return data, head[5:-7].partition(";")[0] or None


def _sniffed(data: bytes) -> str | None:
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "video/mp4")
    return next((mime for magic, mime in _MAGIC if data.startswith(magic)), None)


def _by_name(name: str) -> str | None:
    suffix = Path(name).suffix.lower()
    return _MORE_TYPES.get(suffix) or _TYPES.guess_type(f"x{suffix}")[0]


def _is_text(data: bytes) -> bool:
    try:
        return "\x00" not in data.decode()
    except UnicodeDecodeError:
        return False
