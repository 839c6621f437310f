"""`headrace models --live` through the real SDK, against a server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from headrace.cli import main

SERVED = {"object": "list", "data": [{"id": "gpt-5"}, {"id": "brand-new"}, {"id": "tts-1"}]}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        good = self.headers["authorization"] == "Bearer sk-live" and self.path == "/v1/models"
        data = json.dumps(SERVED if good else {"error": {"message": "no"}}).encode()
        self.send_response(200 if good else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_address[1]}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-live")
    yield
    server.shutdown()
    server.server_close()


def test_the_models_served_now_are_listed_with_what_is_known_of_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["models", "openai", "--live", "--json"]) == 0
    cards = {card["name"]: card for card in json.loads(capsys.readouterr().out)}
    assert cards.keys() >= {"gpt-5", "brand-new"}
    assert cards["gpt-5"]["context_size"] == 400_000
    assert cards["brand-new"]["context_size"] is None


def test_a_filter_goes_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "openai", "--live", "--filter", "tool_calling=true"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["openai:gpt-5"]


def test_a_key_that_is_refused_ends_with_a_message_and_without_the_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-this-one")
    assert main(["models", "openai", "--live"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "no" in told.err
    assert "sk-not-this-one" not in told.err
