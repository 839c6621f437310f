"""OpenAIEmbeddings through the real SDK, against a server on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from headrace import init_embeddings
from headrace.errors import (
    ConfigurationError,
    ModelAuthenticationError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    UnsupportedParameterError,
    WireError,
)
from headrace_openai import ChatOpenAI, OpenAICredential, OpenAIEmbeddings

Answer = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]


def vectors(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """[length of the text, 0.5, …] for each text, the last one first."""
    length = body.get("dimensions") or body.get("output_dimension") or 2
    rows = []
    for at, text in enumerate(body["input"]):
        numbers: Any = [float(len(text)), *[0.5] * (length - 1)]
        if body.get("encoding_format") == "base64":
            numbers = base64.b64encode(struct.pack(f"<{length}f", *numbers)).decode()
        rows.append({"object": "embedding", "index": at, "embedding": numbers})
    used = {"prompt_tokens": len(rows), "total_tokens": len(rows)}
    return 200, {"data": rows[::-1], "model": body["model"], "usage": used}


class Service(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Answer] = [vectors]
        self.requests: list[tuple[str, str | None, dict[str, Any]]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Service

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append((self.path, self.headers.get("authorization"), body))
        answers = self.server.answers
        status, value = (answers.pop(0) if len(answers) > 1 else answers[0])(body)
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("x-request-id", f"req-{len(self.server.requests)}")
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def small(service: Service, **params: Any) -> OpenAIEmbeddings:
    given = {"model": "text-embedding-3-small", "api_key": "sk-test", **params}
    return OpenAIEmbeddings(base_url=service.url, dialect="openai", **given)


@pytest.mark.parametrize("door", ["sync", "async"])
def test_vectors_come_in_the_order_of_the_texts_with_their_usage(
    service: Service, door: str
) -> None:
    model = small(service, dimensions=3)
    asked = ["a", "bb", "ccc"]
    result = model.embed(asked) if door == "sync" else asyncio.run(model.aembed(asked))
    assert result.vectors == [[1.0, 0.5, 0.5], [2.0, 0.5, 0.5], [3.0, 0.5, 0.5]]
    assert result.usage_metadata == {"input_tokens": 3, "output_tokens": 0, "total_tokens": 3}
    about = result.response_metadata
    assert about.pop("duration_s") > 0
    assert about == {
        "model_provider": "openai",
        "model_name": "text-embedding-3-small",
        "request_ids": ["req-1"],
        "cost_usd": pytest.approx(3 * 0.02 / 1_000_000),
    }
    assert service.requests == [
        (
            "/v1/embeddings",
            "Bearer sk-test",
            {
                "model": "text-embedding-3-small", "input": asked, "dimensions": 3,
                "encoding_format": "base64",
            },
        )
    ]  # fmt: skip


def test_texts_are_cut_into_requests_that_are_tried_again_alone(service: Service) -> None:
    tried: list[str] = []

    def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        busy = "a" in body["input"] and "a" not in tried
        tried.extend(body["input"])
        return (503, {"error": {"message": "busy"}}) if busy else vectors(body)

    service.answers = [answer]
    result = small(service, chunk_size=2).embed(["a", "bb", "ccc", "dddd", "eeeee"])
    assert [vector[0] for vector in result.vectors] == [1, 2, 3, 4, 5]
    assert sorted(len(body["input"]) for _, _, body in service.requests) == [1, 2, 2, 2]
    assert len(result.response_metadata["request_ids"]) == 3


def test_the_profile_bounds_a_request_by_texts_and_tokens(service: Service) -> None:
    small(service).embed(["word " * 10_000] * 20)
    assert len(service.requests) > 1
    assert max(len(body["input"]) for _, _, body in service.requests) < 20


def test_lengths_are_those_of_the_model() -> None:
    assert OpenAIEmbeddings(model="text-embedding-3-large").profile["embedding_dimensions"] == 3072
    for model, asked in (("text-embedding-3-small", 1537), ("text-embedding-ada-002", 5)):
        with pytest.raises(UnsupportedParameterError, match=model):
            OpenAIEmbeddings(model=model, dimensions=asked, api_key="k").embed_query("a")


@pytest.mark.parametrize(
    ("dialect", "model", "sent"),
    [
        ("mistral_openai", "codestral-embed", {"output_dimension": 4}),
        ("vllm", "BAAI/bge-m3", {"dimensions": 4}),
    ],
)
def test_other_services_are_asked_in_their_way(
    service: Service, dialect: str, model: str, sent: dict[str, Any]
) -> None:
    embeddings = OpenAIEmbeddings(
        model=model, base_url=service.url, dialect=dialect, api_key="k", dimensions=4,
        extra_body={"own": 1}, profile={"name": "N"},
    )  # fmt: skip
    assert embeddings.embed_query("abc") == [3.0, 0.5, 0.5, 0.5]
    assert service.requests[0][2] == {"model": model, "input": ["abc"], "own": 1, **sent}


def test_a_name_or_a_credential_makes_one() -> None:
    bare, named = (init_embeddings(f"{by}text-embedding-3-small") for by in ("", "openai:"))
    assert bare.model_dump() == named.model_dump()
    made = OpenAICredential(api_key="k").embeddings("text-embedding-3-large", dimensions=256)
    assert isinstance(made, OpenAIEmbeddings)
    assert made.dimensions == 256
    row = init_embeddings("dashscope_openai:text-embedding-v4")
    assert row.profile["max_batch_size"] == 10
    assert {card.name for card in OpenAIEmbeddings.list_models()} == {
        "text-embedding-3-large", "text-embedding-3-small", "text-embedding-ada-002"
    }  # fmt: skip


def test_the_key_stays_with_its_provider() -> None:
    model = OpenAIEmbeddings(
        model="m", credential=OpenAICredential(api_key="k"), base_url="https://api.deepseek.com"
    )
    with pytest.raises(ConfigurationError, match="a host of `deepseek`"):
        model.embed_query("a")


@pytest.mark.parametrize("kind", [ChatOpenAI, OpenAIEmbeddings])
def test_a_401_where_no_key_was_sent_says_so(
    service: Service, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    service.answers = [lambda body: (401, {"error": {"message": "missing key"}})]
    model = kind(model="m", base_url=service.url, profile={"name": "N"})
    with pytest.raises(ModelAuthenticationError, match="no key was sent to `127") as caught:
        model.invoke("a") if kind is ChatOpenAI else model.embed_query("a")
    assert str(caught.value).startswith("missing key (no key was sent")
    with pytest.raises(ModelAuthenticationError, match=r"^missing key$"):
        small(service).embed_query("a")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, {"error": {"message": "no such path"}}, ModelNotFoundError),
        (400, {"error": {"message": "bad"}}, ModelInvalidRequestError),
        (200, {"error": {"message": "bad", "code": 400}}, ModelInvalidRequestError),
        (200, {"data": "none"}, WireError),
        (200, {"data": [{"index": 0, "embedding": "%%"}]}, WireError),
        (200, {"data": [{"index": 0, "embedding": []}]}, WireError),
        (200, {"data": [{"index": 0, "embedding": ["1"]}]}, WireError),
        (200, {"data": [{"index": 5, "embedding": [1.0]}]}, WireError),
        (200, {"data": []}, WireError),
    ],
)
def test_what_goes_wrong_is_a_typed_error(
    service: Service, status: int, body: Any, error: type[Exception]
) -> None:
    service.answers = [lambda _: (status, body)]
    with pytest.raises(error):
        small(service).embed_query("a")
    assert len(service.requests) == 1
