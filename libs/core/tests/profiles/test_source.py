from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from headrace.profiles import ProfileError
from headrace.profiles.source import read_source, record

GOOD = b'{"acme": {"id": "acme", "models": {}}}'


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Starts a server on loopback that gives one answer; returns its URL."""
    servers: list[HTTPServer] = []

    def start(body: bytes, status: int = 200, length: int | None = None, **headers: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/api.json"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_data_comes_from_a_url_with_its_date_and_hash(serve: Callable[..., str]) -> None:
    found = read_source(serve(GOOD, Last_Modified="Thu, 02 Jul 2026 09:00:00 GMT"))
    assert (found.date, found.sha256) == ("2026-07-02", sha256(GOOD).hexdigest())
    assert found.label == "models.dev 2026-07-02"


def test_the_recorded_date_of_the_same_bytes_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    path.write_bytes(GOOD)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "upstream.toml").write_text(
        record(read_source(str(path), on="2025-01-01"))
    )
    near = tmp_path / "libs" / "x" / "profiles"
    assert read_source(str(path), near=near).date == "2025-01-01"
    path.write_bytes(GOOD + b"\n")
    assert read_source(str(path), near=near).date != "2025-01-01"


@pytest.mark.parametrize(
    ("body", "more", "told"),
    [
        (GOOD, {"status": 500}, "500"),
        (GOOD, {"status": 404}, "404"),
        (GOOD, {"length": 5000}, "broke off|could not be read"),
        (GOOD[:20], {}, "is not JSON, or only a part"),
        (b"<html>", {}, "is not JSON"),
        (b"", {}, "is not JSON"),
    ],
)
def test_a_broken_download_is_a_clear_error(
    serve: Callable[..., str], body: bytes, more: Any, told: str
) -> None:
    with pytest.raises(ProfileError, match=told):
        read_source(serve(body, **more), timeout=5)


def test_nobody_there_is_a_clear_error() -> None:
    with pytest.raises(ProfileError, match="could not be read"):
        read_source("http://127.0.0.1:1/api.json", timeout=2)


@pytest.mark.parametrize(
    "content",
    [b"[]", b"{}", b'{"a": 5}', b'{"a": {}}', b'{"a": {"models": []}}', b'{"a": NaN}', b"\xff"],
)
def test_other_json_is_not_taken_for_the_data(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "api.json"
    path.write_bytes(content)
    with pytest.raises(ProfileError, match=r"api\.json is not"):
        read_source(str(path))


@pytest.mark.parametrize("source", ["ftp://x/api.json", "file:///etc/passwd", "missing.json", "."])
def test_what_is_neither_url_nor_file_is_an_error(source: str) -> None:
    with pytest.raises(ProfileError):
        read_source(source)


def test_a_date_is_a_date(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    path.write_bytes(GOOD)
    with pytest.raises(ProfileError, match="a date is written like"):
        read_source(str(path), on="yesterday")
