"""The model over the official SDK: what is sent, what comes back, and what goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import pickle
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from asking import ask

from headrace.chat_models import CLIENTS
from headrace.engine.drive import drive
from headrace.engine.worlds import async_world, sync_world
from headrace.errors import (
    ConfigurationError,
    InputError,
    MissingCredentialError,
    ModelConnectionError,
    ModelError,
    ModelRateLimitError,
    ModelTimeoutError,
    StreamInterruptedError,
    StructuredOutputError,
    WireError,
)
from headrace.transport import Limits, RawRequest, opened
from headrace_openai import ChatOpenAI
from headrace_openai.client import OpenAISettings, make_client

__all__ = ["ask"]

ANSWER = {
    "id": "r1",
    "model": "m-1",
    "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}],
}
EVENTS = [
    {"id": "r1", "model": "m-1", "choices": [{"index": 0, "delta": {"content": "h"}}]},
    {"id": "r1", "choices": [{"index": 0, "delta": {"content": "i"}, "finish_reason": "stop"}]},
]
SSE = "".join(f"data: {json.dumps(event)}\n\n" for event in EVENTS) + "data: [DONE]\n\n"
Handler = Callable[[httpx2.Request], httpx2.Response]


def answering(request: httpx2.Request) -> httpx2.Response:
    """A service that says hi, in the form asked for."""
    if json.loads(request.content).get("stream"):
        head = {"content-type": "text/event-stream", "x-request-id": "q1"}
        return httpx2.Response(200, headers=head, text=SSE)
    return httpx2.Response(200, json=ANSWER, headers={"x-request-id": "q1"})


def model_at(handler: Handler = answering, **given: Any) -> ChatOpenAI:
    """A model whose requests a function answers."""
    given = {"model": "m", "api_key": "sk-secret-key", "max_retries": 0, **given}
    transport = httpx2.MockTransport(handler)
    return ChatOpenAI(
        http_client=httpx2.Client(transport=transport),
        http_async_client=httpx2.AsyncClient(transport=transport),
        **given,
    )


@pytest.fixture(params=["sync", "async"])
def stream(request: pytest.FixtureRequest) -> Callable[..., list[Any]]:
    """`list(stream)`, in each of the two worlds."""
    if request.param == "sync":
        return lambda model, text: list(model.stream(text))

    async def collect(model: ChatOpenAI, text: str) -> list[Any]:
        return [chunk async for chunk in model.astream(text)]

    return lambda model, text: asyncio.run(collect(model, text))


def test_an_answer_comes_back_with_its_metadata(ask: Any) -> None:
    message = ask(model_at(), "hello")
    meta = message.response_metadata
    assert (message.content, message.id) == ("hi", "r1")
    assert (meta["model_provider"], meta["model_name"]) == ("openai", "m-1")
    assert (meta["finish_reason"], meta["request_id"]) == ("stop", "q1")


def test_a_stream_adds_up_to_the_answer(stream: Any) -> None:
    chunks = stream(model_at(), "hello")
    total = sum(chunks)
    assert (total.content, total.id, total.chunk_position) == ("hi", "r1", "last")
    assert total.response_metadata["request_id"] == "q1"


def test_the_request_is_the_sdks_own_with_our_body(ask: Any) -> None:
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return answering(request)

    given: Any = {
        "default_headers": {"x-team": "7"},
        "default_query": {"v": "2"},
        "organization": "o",
        "project": "p",
    }
    ask(model_at(handler, temperature=0.5, **given), "hello")
    (request,) = seen
    assert str(request.url) == "https://api.openai.com/v1/chat/completions?v=2"
    assert request.headers["authorization"] == "Bearer sk-secret-key"
    assert request.headers["x-team"] == "7"
    sent = request.headers["openai-organization"], request.headers["openai-project"]
    assert sent == ("o", "p")
    messages = [{"role": "user", "content": "hello"}]
    assert json.loads(request.content) == {"model": "m", "messages": messages, "temperature": 0.5}


def test_what_belongs_to_openai_is_not_told_to_others(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "private-to-openai")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Private: private-to-openai")
    monkeypatch.setenv("GROQ_API_KEY", "gsk")
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return answering(request)

    ask(model_at(handler, api_key=None, dialect="groq"), "hello")
    assert seen[0].headers["authorization"] == "Bearer gsk"
    assert "private-to-openai" not in str(seen[0].headers.raw)


@pytest.mark.parametrize(
    ("alias", "field", "value"),
    [
        ("model_name", "model", "x"),
        ("max_completion_tokens", "max_tokens", 5),
        ("openai_api_key", "api_key", "k"),
        ("request_timeout", "timeout", 3),
        ("openai_api_base", "base_url", "https://h.example/v1"),
        ("openai_proxy", "proxy", "http://p.example"),
        ("openai_organization", "organization", "o"),
    ],
)
def test_the_names_that_people_know_are_taken(alias: str, field: str, value: Any) -> None:
    rest = {} if field == "model" else {"model": "m"}
    known, plain = ChatOpenAI(**rest, **{alias: value}), ChatOpenAI(**rest, **{field: value})
    assert getattr(known, field) == getattr(plain, field)
    assert getattr(known, field) != ChatOpenAI.model_fields[field].default


def test_parameters_have_their_ranges() -> None:
    for wrong in ({"temperature": 2.1}, {"top_p": -1}, {"n": 0}, {"top_logprobs": 21}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            ChatOpenAI(model="m", **wrong)


def test_a_missing_key_is_said_before_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingCredentialError, match="OPENAI_API_KEY"):
        model_at(api_key=None).invoke("hello")


def test_a_key_may_be_a_function_asked_at_each_request(ask: Any) -> None:
    keys = iter(["key-one", "key-two"])
    seen: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["authorization"])
        return answering(request)

    model = model_at(handler, api_key=lambda: next(keys))
    ask(model, "a")
    ask(model, "b")
    assert seen == ["Bearer key-one", "Bearer key-two"]


async def _late_key() -> str:
    return "late-key"


def test_a_key_from_an_async_function_works_in_the_async_world_only() -> None:
    model = model_at(api_key=_late_key)
    assert asyncio.run(model.ainvoke("hello")).content == "hi"
    with pytest.raises(ConfigurationError, match="ainvoke"):
        model.invoke("hello")


def test_a_key_never_shows(ask: Any) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        told = f"Incorrect API key provided: {request.headers['authorization']}"
        return httpx2.Response(401, json={"error": {"message": told}})

    model = model_at(handler)
    with pytest.raises(ModelError) as caught:
        ask(model, "hello")
    assert "sk-secret-key" not in str(caught.value)
    assert "sk-secret-key" not in repr(model)
    assert b"sk-secret-key" not in pickle.dumps(ChatOpenAI(model="m", api_key="sk-secret-key"))


def test_a_model_pickles_and_copies() -> None:
    model = ChatOpenAI(model="m", temperature=0.5)
    assert pickle.loads(pickle.dumps(model)).temperature == 0.5
    assert copy.deepcopy(model).model == "m"


def test_what_is_adapted_is_recorded(ask: Any, stream: Any) -> None:
    given: Any = {"dialect": "groq", "reasoning_effort": 900}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # once a process; see the tests of policies
        (record,) = ask(model_at(**given), "hello").response_metadata["adapted"]
    assert (record["asked"], record["sent"]) == (900, "low")
    assert sum(stream(model_at(**given), "hello")).response_metadata["adapted"] == [record]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, "response_format"),
        ({"dialect": "openrouter"}, "response_format"),
        ({"dialect": "perplexity"}, "response_format"),
        ({"dialect": "deepseek"}, "tools"),
        ({"dialect": "groq"}, "tools"),
        ({"dialect": "groq", "profile": {"structured_output": True}}, "response_format"),
        ({"profile": {"structured_output": False}}, "tools"),
    ],
)
def test_objects_are_asked_for_in_the_way_the_service_does_best(given: Any, asked: str) -> None:
    seen: list[Any] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(json.loads(request.content))
        return answering(request)

    schema = {"title": "Out", "type": "object", "properties": {"a": {"type": "integer"}}}
    with pytest.raises(StructuredOutputError):
        model_at(handler, **given).with_structured_output(schema).invoke("hello")
    assert {"response_format", "tools"} & seen[0].keys() == {asked}


def test_a_429_says_when_to_come_back(ask: Any) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        head = {"retry-after": "7", "x-request-id": "q9"}
        return httpx2.Response(429, json={"error": {"message": "slow"}}, headers=head)

    with pytest.raises(ModelRateLimitError, match="slow") as caught:
        ask(model_at(handler), "hello")
    assert (caught.value.retry_after, caught.value.request_id) == (7, "q9")


def test_an_error_page_is_an_error_with_its_title(ask: Any, stream: Any) -> None:
    page = "<html><head><title>502 Bad Gateway</title></head></html>"

    def failing(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(502, html=page)

    def pretending(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, html=page)

    with pytest.raises(ModelError, match="502 Bad Gateway") as caught:
        ask(model_at(failing), "hello")
    assert (caught.value.status, caught.value.is_retryable) == (502, True)
    for way in (ask, stream):
        with pytest.raises(WireError, match="502 Bad Gateway"):
            way(model_at(pretending), "hello")


def test_no_connection_is_said_with_the_host(ask: Any) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with pytest.raises(ModelConnectionError, match=r"`api\.openai\.com`: refused"):
        ask(model_at(handler), "hello")


def test_a_read_timeout_is_a_timeout(ask: Any) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("slow")

    with pytest.raises(ModelTimeoutError, match="sent nothing for too long"):
        ask(model_at(handler), "hello")


def test_a_chunk_that_is_no_json_is_a_wire_error(stream: Any) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        head = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=head, text="data: {oops\n\n" + SSE)

    with pytest.raises(WireError, match="oops"):
        stream(model_at(handler), "hello")


def test_a_stream_cut_inside_an_event_keeps_what_came(stream: Any) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        head = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=head, text=SSE[:100])

    with pytest.raises(StreamInterruptedError) as caught:
        stream(model_at(handler), "hello")
    assert caught.value.partial.content == "h"


def test_text_before_an_error_in_the_same_read_is_given_first() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        first = f"data: {json.dumps(EVENTS[0])}\n\n"
        failed = 'data: {"error": {"message": "gone", "code": 502}}\n\n'
        head = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=head, text=first + failed)

    given = model_at(handler).stream("hello")
    assert next(given).text == "h"
    with pytest.raises(ModelError, match="gone"):
        list(given)


# Over real sockets.


class _Service(BaseHTTPRequestHandler):
    """Answers, drips, breaks off or says nothing, by the first word of its path."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None: ...

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.ports.append(self.client_address[1])  # type: ignore[attr-defined]
        match self.path.split("/")[1]:
            case "silent":
                time.sleep(1.5)
                self.close_connection = True
            case "answer":
                self._send(json.dumps(ANSWER).encode(), "application/json")
            case "stream":
                self._send(SSE.encode(), "text/event-stream")
            case "broken":
                self._head("text/event-stream")
                self._piece(SSE.encode()[:150])
                self.close_connection = True
            case "drip":
                self._drip()

    def _drip(self) -> None:
        self._head("text/event-stream")
        event = f"data: {json.dumps(EVENTS[0])}\n\n".encode()
        try:
            for _ in range(500):
                self._piece(event)
                self.server.written += 1  # type: ignore[attr-defined]
                time.sleep(0.02)
        except OSError:
            self.server.left.set()  # type: ignore[attr-defined]
            self.close_connection = True

    def _head(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _piece(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _send(self, data: bytes, kind: str) -> None:
        self._head(kind)
        self._piece(data)
        self.wfile.write(b"0\r\n\r\n")


@pytest.fixture
def service() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.daemon_threads = True
    vars(server).update(ports=[], written=0, left=threading.Event())
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def real_model(service: Any, how: str, **given: Any) -> ChatOpenAI:
    url = f"http://127.0.0.1:{service.server_address[1]}/{how}"
    return ChatOpenAI(model="m", base_url=url, api_key="sk-secret-key", max_retries=0, **given)


ASKED = RawRequest("POST", "/chat/completions", {"model": "m", "stream": True})


def settings_at(service: Any) -> OpenAISettings:
    return OpenAISettings(f"http://127.0.0.1:{service.server_address[1]}/stream", "k")


def test_the_sdks_door_gives_the_unread_response(service: Any) -> None:
    client = make_client(settings_at(service), False)
    response = drive(opened(client, ASKED, Limits(1, 2), sync_world()))
    assert isinstance(response, httpx2.Response)
    assert not response.is_stream_consumed
    assert response.request.extensions["timeout"]["read"] == 2
    assert b"".join(response.iter_bytes()) == SSE.encode()
    client.close()


def test_the_sdks_async_door_gives_the_unread_response(service: Any) -> None:
    async def through() -> None:
        client = make_client(settings_at(service), True)
        await client.watch()
        response = await opened(client, ASKED, Limits(1, 2), async_world())
        assert not response.is_stream_consumed
        assert b"".join([data async for data in response.aiter_bytes()]) == SSE.encode()
        await client.close()

    asyncio.run(through())


def test_models_of_equal_settings_share_a_connection(service: Any) -> None:
    models = [real_model(service, "answer", temperature=t) for t in (0.0, 0.5, 1.0)]
    assert [model.invoke("hello").content for model in models] == ["hi"] * 3
    assert len(set(service.ports)) == 1
    models[0].close()
    assert models[1].invoke("hello").content == "hi"
    assert len(set(service.ports)) == 1
    for model in (*models, models[0]):
        model.close()


def test_a_stream_read_to_its_end_leaves_its_connection_for_the_next(service: Any) -> None:
    with contextlib.closing(real_model(service, "stream")) as model:
        for _ in range(3):
            assert "".join(chunk.text for chunk in model.stream("hello")) == "hi"
    assert len(set(service.ports)) == 1


def test_each_event_loop_has_its_client_which_ends_with_it(service: Any) -> None:
    model = real_model(service, "stream")
    before = len(CLIENTS)
    for _ in range(3):
        assert asyncio.run(model.ainvoke("hello")).content == "hi"
    assert len(CLIENTS) <= before + 1


def test_a_broken_connection_interrupts_the_stream(service: Any, stream: Any) -> None:
    with pytest.raises(StreamInterruptedError, match="broke off") as caught:
        stream(real_model(service, "broken"), "hello")
    assert caught.value.partial.content == "h"


def test_a_server_that_never_answers_times_out(service: Any, ask: Any) -> None:
    begun = time.perf_counter()
    with pytest.raises(ModelTimeoutError):
        ask(real_model(service, "silent", timeout=0.2), "hello")
    assert time.perf_counter() - begun < 1.4


def test_leaving_a_stream_closes_its_response(service: Any) -> None:
    with contextlib.closing(real_model(service, "drip")) as model:
        for chunk in model.stream("hello"):
            if chunk.text:
                break
        assert service.left.wait(1)
    assert service.written < 60


def test_leaving_an_async_stream_closes_its_response(service: Any) -> None:
    async def leave() -> None:
        async with contextlib.aclosing(real_model(service, "drip")) as model:
            items: AsyncIterator[Any] = model.astream("hello")
            async with contextlib.aclosing(items):  # type: ignore[type-var]
                async for chunk in items:
                    if chunk.text:
                        break
            assert await asyncio.to_thread(service.left.wait, 1)

    asyncio.run(leave())
    assert service.written < 60
