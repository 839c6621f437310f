from __future__ import annotations

import io
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

from headrace.errors import InputError
from headrace.messages import audio, file, image, video

PNG = b"\x89PNG\r\n\x1a\n0000"
WAV = b"RIFF\x00\x00\x00\x00WAVEfmt "
MP4 = b"\x00\x00\x00\x18ftypisom"
PDF = b"%PDF-1.7 x"


def of(data: bytes) -> str:
    return b64encode(data).decode()


class Picture:
    """What a PIL image looks like from outside."""

    mode = "RGB"

    def __init__(self, format: str | None = None, error: Exception | None = None) -> None:
        self.format, self.error = format, error

    def save(self, out: Any, format: str) -> None:
        if self.error:
            raise self.error
        out.write(PNG if format == "PNG" else b"\xff\xd8\xff" + format.encode())


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"GIF89a..", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
    ],
)  # fmt: skip
def test_bytes_of_an_image_are_known_by_their_signature(data: bytes, mime: str) -> None:
    assert image(data) == {"type": "image", "base64": of(data), "mime_type": mime}


def test_paths_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(PNG)
    assert image(path) == image(str(path)) == image(PNG)


def test_a_file_keeps_its_name(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(PDF)
    block = file(path)
    assert (block["filename"], block["mime_type"]) == ("report.pdf", "application/pdf")
    assert file(PDF, filename="x.pdf")["filename"] == "x.pdf"


@pytest.mark.parametrize(
    ("name", "data", "mime"),
    [
        ("a.csv", b"a,b", "text/csv"), ("a.md", b"# a", "text/markdown"),
        ("a.zzz", b"hi", "text/plain"), ("a.zzz", b"\xff\x00", "application/octet-stream"),
        ("a.odt", b"PK\x03\x04", "application/vnd.oasis.opendocument.text"),
    ],
)  # fmt: skip
def test_a_file_without_signature_is_known_by_its_name(
    tmp_path: Path, name: str, data: bytes, mime: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert file(tmp_path / name)["mime_type"] == mime


def test_urls_are_passed_on_unread() -> None:
    assert image("https://x/y.png") == {"type": "image", "url": "https://x/y.png"}
    assert video("gs://b/v", mime_type="video/mp4") == {
        "type": "video", "url": "gs://b/v", "mime_type": "video/mp4",
    }  # fmt: skip


def test_a_data_url_is_taken_apart() -> None:
    assert image(f"data:image/png;base64,{of(PNG)}") == image(PNG)


def test_open_files_and_pictures_are_read() -> None:
    assert image(io.BytesIO(PNG)) == image(Picture()) == image(PNG)
    assert image(Picture("JPEG"))["mime_type"] == "image/jpeg"
    assert b64decode(image(Picture(), mime_type="image/webp")["base64"]).endswith(b"WEBP")


def test_sound_and_video_are_told_apart() -> None:
    assert audio(WAV)["mime_type"] == "audio/wav"
    assert video(MP4)["mime_type"] == "video/mp4"
    assert audio(MP4)["mime_type"] == "audio/mp4"


def test_detail_is_a_hint() -> None:
    assert image(PNG, detail="low")["extras"] == {"detail": "low"}


@pytest.mark.parametrize(
    ("make", "source", "words"),
    [
        (image, "no/such.png", "image.. cannot read the file `no/such.png`: No such file"),
        (image, "A" * 9000, "cannot read the file .* for base64 text use create_image_block"),
        (image, "a\0b", "cannot read the file"),
        (image, ".", "directory"),
        (image, b"", "the bytes is empty"),
        (image, b"????", "cannot tell the format of the bytes; pass `mime_type=`"),
        (image, PDF, "is application/pdf; use file"),
        (image, WAV, "is audio/wav; use audio"),
        (audio, PNG, "is image/png; use image"),
        (video, WAV, "use audio"),
        (image, 5, "not int"),
        (image, None, "not NoneType"),
        (file, io.StringIO("x"), "not StringIO"),
        (image, "data:image/png,xx", "base64"),
        (image, "data:image/png;base64,!!", "not hold valid base64"),
        (audio, Picture(), "use image"),
        (image, Picture(error=OSError("cannot write mode P")), "PIL cannot write .* mode P"),
    ],
)
def test_what_is_wrong_is_said(make: Any, source: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        make(source)
    assert len(str(caught.value)) < 500


def test_pil_is_never_imported() -> None:
    code = f"import sys, headrace.messages as m; m.image({PNG!r}); print('PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
