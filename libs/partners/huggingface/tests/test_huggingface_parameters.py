"""Every constructor parameter of ChatHuggingFace has its effect; its token is seen nowhere."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from headrace.errors import InputError, ModelAuthenticationError
from headrace.testing.loopback import LoopbackServer, Received
from headrace.testing.scripted import ScriptedChatModel
from headrace_huggingface import ChatHuggingFace, HuggingFaceCredential, HuggingFaceEndpoint
from headrace_openai.codec import ChatCompletionsWire

MODEL = "openai/gpt-oss-120b"
TOOL = {"name": "f", "description": "F.", "parameters": {"type": "object", "properties": {}}}
Effect = Callable[[Received], bool]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUGGINGFACEHUB_API_TOKEN", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    make: Any = ScriptedChatModel
    with LoopbackServer(make(["fine"] * 999), ChatCompletionsWire()) as running:
        yield running


def body(name: str, value: Any) -> Effect:
    return lambda received: received.body.get(name, None) == json.loads(json.dumps(value))


def header(name: str, value: str) -> Effect:
    return lambda received: received.headers.get(name) == value


def absent(name: str) -> Effect:
    return lambda received: name not in received.body


def client(kind: Any) -> Any:
    return kind(headers={"x-mine": "yes"})


# Parameter, or another name of it -> a value, and what it does to the request.
EFFECTS: dict[str, tuple[Any, Effect]] = {
    "model": ("org/other", body("model", "org/other")),
    "model_id": ("org/other", body("model", "org/other")),
    "repo_id": ("org/other", body("model", "org/other")),
    "api_key": ("hf_1", header("authorization", "Bearer hf_1")),
    "huggingfacehub_api_token": ("hf_1", header("authorization", "Bearer hf_1")),
    "credential": (
        {"type": "huggingface_credential", "api_key": "hf_2"},
        header("authorization", "Bearer hf_2"),
    ),
    "base_url": (None, lambda received: received.path == "/v1/chat/completions"),
    "default_headers": ({"x-a": "b"}, header("x-a", "b")),
    "headers": ({"x-a": "b"}, header("x-a", "b")),
    "inference_provider": ("groq", body("model", f"{MODEL}:groq")),
    "provider": ("groq", body("model", f"{MODEL}:groq")),
    "bill_to": ("acme", header("x-hf-bill-to", "acme")),
    "http_client": (httpx2.Client, header("x-mine", "yes")),
    "http_async_client": (httpx2.AsyncClient, header("x-mine", "yes")),
    "temperature": (0.5, body("temperature", 0.5)),
    "max_tokens": (7, body("max_tokens", 7)),
    "max_new_tokens": (7, body("max_tokens", 7)),
    "stop": (["END"], body("stop", ["END"])),
    "stop_sequences": (["END"], body("stop", ["END"])),
    "top_p": (0.9, body("top_p", 0.9)),
    "top_k": (5, body("top_k", 5)),
    "min_p": (0.1, body("min_p", 0.1)),
    "repetition_penalty": (1.1, body("repetition_penalty", 1.1)),
    "presence_penalty": (1.0, body("presence_penalty", 1.0)),
    "frequency_penalty": (1.0, body("frequency_penalty", 1.0)),
    "seed": (3, body("seed", 3)),
    "n": (2, body("n", 2)),
    "logprobs": (True, body("logprobs", True)),
    "top_logprobs": (2, body("top_logprobs", 2)),
    "logit_bias": ({"1": 2}, body("logit_bias", {"1": 2})),
    "parallel_tool_calls": (False, body("parallel_tool_calls", False)),
    "tool_prompt": ("Tools:", body("tool_prompt", "Tools:")),
    "reasoning_effort": ("high", body("reasoning_effort", "high")),
    "stream_options": ({"x": 1}, body("stream_options", {"x": 1})),
    "stream_usage": (False, absent("stream_options")),
    "extra_body": ({"custom": 1}, body("custom", 1)),
    "model_kwargs": ({"custom": 1}, body("custom", 1)),
    # Of text generation alone: left out, and recorded.
    "do_sample": (False, absent("do_sample")),
    "return_full_text": (False, absent("return_full_text")),
    "truncate": (5, absent("truncate")),
    "typical_p": (0.9, absent("typical_p")),
    "watermark": (True, absent("watermark")),
}
LEFT_OUT = {"do_sample", "return_full_text", "truncate", "typical_p", "watermark"}
# What the core does with its own, and shows in its own tests.
OF_THE_CORE = {
    "cache", "cache_prompt", "callbacks", "max_retries", "metadata", "on_unsupported",
    "on_unsupported_content", "profile_overrides", "rate_limiter", "tags", "timeout",
}  # fmt: skip

BY_CLASS = {"backend", "llm"}  # which class it is; see below, and test_huggingface_local.py


@pytest.mark.parametrize("name", list(EFFECTS))
@pytest.mark.filterwarnings("ignore:.*is left out")  # once per process, wherever that is
def test_each_parameter_reaches_the_wire_or_is_left_out_by_name(
    server: LoopbackServer, name: str
) -> None:
    value, holds = EFFECTS[name]
    given: Any = {name: value} if value is not None else {}
    if name.startswith("http_"):
        given = {name: client(value)}
    if not given.keys() & {"model", "model_id", "repo_id"}:
        given["model"] = MODEL
    model = ChatHuggingFace(**{"base_url": server.base_url, **given})
    asked = model.bind_tools([TOOL]) if name == "parallel_tool_calls" else model
    total = _ask(asked, name)
    assert holds(server.received[-1])
    notes = total.response_metadata.get("adapted", ())
    assert (name in LEFT_OUT) == (name in [note["name"] for note in notes])


def _ask(model: Any, name: str) -> Any:
    """Streamed, where the parameter is of streams, and async, where it is of async calls."""
    if name == "http_client":
        with model.spec.http_client:
            return model.invoke("hi")
    if name != "http_async_client":
        return sum(model.stream("hi")) if name.startswith("stream") else model.invoke("hi")

    async def main() -> Any:
        async with model, model.spec.http_async_client:
            return await model.ainvoke("hi")

    return asyncio.run(main())


def test_a_proxy_is_handed_to_the_http_client() -> None:
    model = ChatHuggingFace(model=MODEL, api_key="hf_1", proxy="http://127.0.0.1:9")
    assert model._exchange().client_settings.proxy == "http://127.0.0.1:9"


def test_no_parameter_is_without_a_test() -> None:
    assert set(ChatHuggingFace.model_fields) <= {*EFFECTS, *OF_THE_CORE, "proxy", *BY_CLASS}


@pytest.mark.parametrize("given", [{"backend": "onnx"}, {"llm": "gpt2"}], ids=str)
def test_another_backend_or_llm_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"[pP]ipeline"):
        ChatHuggingFace(model=MODEL, **given)


def test_a_backend_is_of_the_model_and_not_of_a_call(server: LoopbackServer) -> None:
    model = ChatHuggingFace(model=MODEL, base_url=server.base_url, backend="endpoint")
    with pytest.raises(InputError, match="belongs to the model"):
        model.invoke("hi", backend="pipeline")


SECRET = "hf_very-secret-12345"
MADE: dict[str, Callable[[str], ChatHuggingFace]] = {
    "a key": lambda url: ChatHuggingFace(model=MODEL, api_key=SECRET, base_url=url),
    "a credential": lambda url: ChatHuggingFace(
        model=MODEL, credential=HuggingFaceCredential(api_key=SECRET, base_url=url)
    ),
    "an endpoint": lambda url: ChatHuggingFace(
        llm=HuggingFaceEndpoint(repo_id=MODEL, huggingfacehub_api_token=SECRET, endpoint_url=url)
    ),
}


@pytest.mark.parametrize("way", list(MADE))
def test_a_token_is_in_no_repr_dump_pickle_log_or_error(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == f"Bearer {SECRET}"
        return httpx2.Response(401, json={"error": f"Invalid token {SECRET}"})

    made = MADE[way]("https://x.endpoints.huggingface.cloud/v1")
    http = httpx2.Client(transport=httpx2.MockTransport(refuse))
    model = made.model_copy(update={"http_client": http, "max_retries": 0})
    with caplog.at_level(logging.DEBUG), pytest.raises(ModelAuthenticationError) as caught:
        model.invoke("hi")
    error: Any = caught.value
    shown = [made, model, made.model_dump(), made.model_dump_json(), error, error.__dict__]
    assert SECRET not in f"{shown!r}{error}{caplog.text}{made.explain()}"
    assert SECRET.encode() not in pickle.dumps(made)
    assert pickle.loads(pickle.dumps(made)).model == MODEL
