"""What is no parameter of a request, over every provider: address, proxy, key, headers, extras."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from covering import FOR_ALL, check_place
from crossing import KEY, LINES, Line

from headrace.errors import ModelError
from headrace.registry import find_provider

SERVICE = "http://service.test"


class Proxy(BaseHTTPRequestHandler):
    """Answers nothing, and remembers what it was asked to fetch."""

    heard: list[tuple[str, str, bytes]] = []  # noqa: RUF012 - of the one server of this module
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.heard.append((self.path, str(self.headers), body))
        self.send_response(503)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def proxy() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def address(line: Line) -> str:
    """The name under which a service on Azure takes its address, or any other."""
    return next((name for name in line.asked if name.endswith("endpoint")), "base_url")


def asked(line: Line, proxy: str, **given: Any) -> tuple[str, str, Any]:
    """(URL, headers, body) of a request as a proxy sees it."""
    Proxy.heard.clear()
    where = {address(line): SERVICE, "proxy": proxy, "max_retries": 0}
    if line.id == "ollama":
        where["api_key"] = KEY
    with pytest.raises(ModelError):
        line.model(**{**where, **given}).invoke("hi")
    ((url, headers, body),) = Proxy.heard
    return url, headers, json.loads(body)


@pytest.mark.filterwarnings("ignore:.*served")  # the models of these lines grow old
@pytest.mark.parametrize("line", LINES, ids=str)
def test_what_is_no_parameter_reaches_the_wire(line: Line, proxy: str) -> None:
    given: dict[str, Any] = {
        "default_headers": {"x-team": "7"},
        "extra_body": {"brand_new": 1},
        "model_kwargs": {"more_of_it": 2},
    }
    url, headers, body = asked(line, proxy, **given)
    assert url.startswith(SERVICE)
    assert "x-team: 7" in headers.lower()
    assert body["brand_new"] == 1
    assert '"more_of_it": 2' in json.dumps(body)
    name = line.asked.get("deployment") or line.asked["model"]
    assert str(name).partition(":")[0] in f"{url} {json.dumps(body)}"
    signed = "aws_access_key_id" in line.asked
    assert (line.asked["aws_access_key_id"] if signed else KEY) in headers


@pytest.mark.filterwarnings("ignore:.*served")
@pytest.mark.parametrize("line", [line for line in LINES if "api_key" in line.asked], ids=str)
def test_a_credential_opens_the_model(line: Line, proxy: str) -> None:
    kind: Any = find_provider(line.made_by).find_credential()
    account = kind(api_key="of-the-account-1", base_url=SERVICE)
    url, headers, _ = asked(line, proxy, credential=account, api_key=None, **{address(line): None})
    assert url.startswith(SERVICE)
    assert "of-the-account-1" in headers


def test_what_is_held_for_all_is_held_by_tests_that_are_there() -> None:
    for place in FOR_ALL.values():
        check_place(place)
