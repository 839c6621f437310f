"""A request made after the SDK's: what a server sees of it, and where the SDK makes each."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from opentelemetry import trace

from headrace.chat_models import Timeout
from headrace.errors import ModelAuthenticationError, ModelError, ModelRateLimitError
from headrace.transport.repeating import KINDS_KEPT
from headrace_anthropic import ChatAnthropic
from headrace_openai import ChatOpenAI

CHAT = {
    "id": "r1",
    "model": "m-1",
    "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}],
}
CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
Reply = tuple[int, dict[str, str], Any]


def told(seen: tuple[Any, ...], name: str) -> str | None:
    """A header of a request that was seen."""
    return next((value for own, value in seen[1] if own.lower() == name), None)


class _Service(BaseHTTPRequestHandler):
    """Keeps each request as it came, and answers what is queued, else hi."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None: ...

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        server: Any = self.server
        server.seen.append((self.path, self.headers.items(), body))
        whole = CLAUDE if self.path.endswith("/messages") else CHAT
        status, headers, answer = server.replies.popleft() if server.replies else (200, {}, whole)
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def service() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.daemon_threads = True
    vars(server).update(seen=[], replies=deque[Reply]())
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of SDK clients that built a request, one entry a request."""
    import anthropic
    import openai

    seen: list[str] = []
    for base in (openai._base_client.BaseClient, anthropic._base_client.BaseClient):

        def build(self: Any, *args: Any, _own: Any = base._build_request, **rest: Any) -> Any:
            seen.append(type(self).__name__)
            return _own(self, *args, **rest)

        monkeypatch.setattr(base, "_build_request", build)
    return seen


def chat(service: Any, **given: Any) -> ChatOpenAI:
    url = f"http://127.0.0.1:{service.server_address[1]}/v1"
    given = {"model": "m", "api_key": "sk-secret-key", "max_retries": 0, **given}
    return ChatOpenAI(base_url=url, **given)


def claude(service: Any, **given: Any) -> ChatAnthropic:
    url = f"http://127.0.0.1:{service.server_address[1]}"
    given = {"api_key": "sk-secret-key", "max_retries": 0, "max_tokens": 9, **given}
    return ChatAnthropic(model="claude-sonnet-5-5", base_url=url, **given)


def in_both_worlds(model: Any, *asked: Any) -> None:
    """Each asked for by `invoke`, then by `ainvoke` on one event loop."""
    for input in asked:
        model.invoke(input)

    async def through() -> None:
        for input in asked:
            await model.ainvoke(input)

    asyncio.run(through())


MODELS: dict[str, Callable[[Any], Any]] = {
    "openai": chat,
    "openai with an account": lambda at: chat(
        at,
        organization="org",
        project="p",
        default_headers={"X-Own": "1", "x-stainless-lang": "other"},
        default_query={"v": "2 &"},
        dialect="openai",
    ),
    "responses": lambda at: chat(at, use_responses_api=True, dialect="openai"),
    "anthropic": claude,
    "anthropic with betas": lambda at: claude(at, betas=["files-api-2025-04-14"]),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_repeated_request_is_to_the_byte_what_the_sdk_sends(
    service: Any, built: list[str], name: str
) -> None:
    if name == "responses":
        answer = {"id": "r", "model": "m", "status": "completed", "output": []}
        service.replies.extend([(200, {}, answer)] * 4)
    in_both_worlds(MODELS[name](service), "grüß dich 🐎", "grüß dich 🐎")
    first, second, third, fourth = service.seen
    assert len(built) == 2  # the first of each world
    assert second == first
    assert fourth == third


def test_another_body_has_a_length_of_its_own(service: Any, built: list[str]) -> None:
    in_both_worlds(chat(service), "short", "a much longer question than that")
    for seen in service.seen:
        assert told(seen, "content-length") == str(len(seen[2]))
    assert b"a much longer question than that" in service.seen[1][2]
    assert len(built) == 2


def test_the_timeout_that_is_told_is_that_of_the_request(service: Any) -> None:
    model = chat(service)
    for bound in (7, 9, 7):
        model.invoke("hello", timeout=Timeout(first_chunk=bound))
    said = [told(seen, "x-stainless-read-timeout") for seen in service.seen]
    assert said == ["7.0", "9.0", "7.0"]


@pytest.mark.parametrize("make", [chat, claude])
@pytest.mark.parametrize(
    ("status", "kind"), [(401, ModelAuthenticationError), (429, ModelRateLimitError)]
)
def test_a_refusal_is_the_same_error_by_either_way(
    service: Any, make: Any, status: int, kind: type[ModelError]
) -> None:
    refused = {"error": {"message": "no sk-secret-key", "type": "t", "code": "c"}}
    head = {"x-request-id": "q7", "request-id": "q7", "retry-after": "3"}
    model, errors = make(service), list[ModelError]()
    for _ in range(2):
        service.replies.append((status, head, refused))
        with pytest.raises(kind) as caught:
            model.invoke("hello")
        errors.append(caught.value)
        model.invoke("hello")  # from here on requests are repeated
    first, second = ({**vars(error), "said": str(error)} for error in errors)
    assert second == first
    assert errors[1].status == status
    assert errors[1].request_id == "q7"
    assert "sk-secret-key" not in str(errors[1])


def test_a_refused_request_is_not_repeated(service: Any, built: list[str]) -> None:
    service.replies.append((500, {}, {"error": "down"}))
    model = chat(service)
    with pytest.raises(ModelError):
        model.invoke("hello")
    model.invoke("hello")
    assert len(built) == 2


def test_cookies_of_the_service_come_back_to_it(service: Any, built: list[str]) -> None:
    service.replies.append((200, {"set-cookie": "a=1; Path=/"}, CHAT))
    service.replies.append((200, {"set-cookie": "a=2; Path=/"}, CHAT))
    model = chat(service)
    for _ in range(3):
        model.invoke("hello")
    assert [told(seen, "cookie") for seen in service.seen] == [None, "a=1", "a=2"]
    assert len(built) == 1


def test_a_key_that_is_asked_for_leaves_each_request_to_the_sdk(
    service: Any, built: list[str]
) -> None:
    keys = iter(f"key-{count}" for count in range(8))
    in_both_worlds(chat(service, api_key=lambda: next(keys)), "a", "b")
    in_both_worlds(claude(service, api_key=lambda: next(keys)), "a", "b")
    assert len(built) == 8
    said = [told(seen, "authorization") for seen in service.seen]
    assert said == [f"Bearer key-{count}" for count in range(8)]


def test_a_client_of_the_callers_leaves_each_request_to_the_sdk(
    service: Any, built: list[str]
) -> None:
    with httpx2.Client() as http:
        model = chat(service, http_client=http)
        model.invoke("hello")
        model.invoke("hello")
    assert len(built) == 2


def test_the_sdks_debug_log_tells_of_each_request(
    service: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model = chat(service)
    model.invoke("hello")
    with caplog.at_level(logging.DEBUG, "openai"):
        model.invoke("hello")
    assert any(record.name.startswith("openai") for record in caplog.records)


def test_whoever_traces_the_sdk_sees_each_request(
    service: Any, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = claude(service)
    model.invoke("hello")
    monkeypatch.setattr(trace, "get_tracer_provider", trace.NoOpTracerProvider)
    model.invoke("hello")
    assert len(built) == 2


def test_what_only_the_sdk_can_write_is_left_to_it(service: Any, built: list[str]) -> None:
    from datetime import UTC, datetime

    model = chat(service, extra_body={"at": datetime(2026, 11, 27, tzinfo=UTC)})
    model.invoke("hello")
    model.invoke("hello")
    assert len(built) == 2
    assert b"2026-11-27T00:00:00+00:00" in service.seen[1][2]


def test_few_kinds_of_requests_are_kept(service: Any, built: list[str]) -> None:
    model = claude(service)
    for count in range(KINDS_KEPT + 2):
        model.invoke("hello", betas=[f"beta-{count}"])
    model.invoke("hello", betas=["beta-0"])
    assert len(built) == KINDS_KEPT + 2
    model.invoke("hello", betas=[f"beta-{KINDS_KEPT}"])
    assert len(built) == KINDS_KEPT + 3
