"""ChatHuggingFace: what is sent, to whom, in whose name, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from asking import ask
from replayed import BorrowedCodec, replaying

from headrace import init_chat_model
from headrace.engine.worlds import sync_world
from headrace.errors import (
    ConfigurationError,
    InputError,
    MissingCredentialError,
    ModelAPIError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
)
from headrace.messages import HumanMessage
from headrace.testing.loopback import LoopbackServer
from headrace.testing.scripted import ScriptedChatModel
from headrace.tools import tool
from headrace_huggingface import ChatHuggingFace, HuggingFaceCredential, HuggingFaceEndpoint
from headrace_openai.codec import ChatCompletionsWire

__all__ = ["ask", "replaying"]
MODEL = "openai/gpt-oss-120b"


class TestHuggingFaceTraffic(BorrowedCodec):
    """What was recorded of the router, and of providers behind it, through the SDK's client."""

    served_by = ("huggingface", "cerebras", "groq", "together")

    def model_of(self, url: str, case: dict[str, Any], **more: Any) -> ChatHuggingFace:
        return ChatHuggingFace(model="m", base_url=url, api_key="secret-key-1", **more)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUGGINGFACEHUB_API_TOKEN", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    make: Any = ScriptedChatModel
    with LoopbackServer(make(["fine"] * 9), ChatCompletionsWire()) as running:
        yield running


def model_of(server: LoopbackServer, **given: Any) -> ChatHuggingFace:
    return ChatHuggingFace(**{"model": MODEL, "base_url": server.base_url, **given})


def answering(status: int, body: Any, headers: dict[str, str] | None = None) -> ChatHuggingFace:
    """A model behind a transport that always answers so."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, json=body, headers=headers)

    transport = httpx2.MockTransport(handler)
    return ChatHuggingFace(
        model=MODEL, api_key="hf_key_12345678", max_retries=0,
        http_client=httpx2.Client(transport=transport),
        http_async_client=httpx2.AsyncClient(transport=transport),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, MODEL),
        ({"provider": "groq"}, f"{MODEL}:groq"),
        ({"provider": "fastest"}, f"{MODEL}:fastest"),
        ({"provider": "auto"}, MODEL),
        ({"model": f"{MODEL}:cheapest"}, f"{MODEL}:cheapest"),
        ({"model": f"{MODEL}:cheapest", "provider": "groq"}, f"{MODEL}:cheapest"),
    ],
    ids=str,
)
def test_a_provider_or_a_policy_is_named_behind_the_model(
    server: LoopbackServer, given: dict[str, Any], sent: str
) -> None:
    model_of(server, **given).invoke("hi")
    assert next(iter(server.requests[-1].items())) == ("model", sent)


def test_a_model_with_a_provider_has_the_profile_of_its_bare_name() -> None:
    assert ChatHuggingFace(model=f"{MODEL}:groq").profile["tool_calling"] is True


def test_the_request_bears_token_payer_and_the_sdks_name(server: LoopbackServer, ask: Any) -> None:
    ask(
        model_of(server, api_key="hf_key_12345678", bill_to="acme", default_headers={"x-team": "7"})
    )
    headers = server.received[-1].headers
    assert headers["authorization"] == "Bearer hf_key_12345678"
    assert headers["x-hf-bill-to"] == "acme"
    assert headers["x-team"] == "7"
    assert "hf_hub/" in headers["user-agent"]
    assert headers["x-amzn-trace-id"]  # by the SDK's hook
    assert server.received[-1].path == "/v1/chat/completions"


def test_a_token_may_be_asked_for_at_each_request(server: LoopbackServer, ask: Any) -> None:
    tokens = iter(["first-key-1", "second-key-2"])
    give = tokens.__next__
    model = model_of(server, api_key=lambda: give())
    ask(model)
    ask(model)
    sent = [one.headers["authorization"] for one in server.received]
    assert sent == ["Bearer first-key-1", "Bearer second-key-2"]


def test_an_endpoint_of_langchains_makes_the_same_model(server: LoopbackServer) -> None:
    endpoint = HuggingFaceEndpoint(
        repo_id=MODEL, provider="groq", huggingfacehub_api_token="hf_key_12345678",
        max_new_tokens=9, temperature=0.3, timeout=60, task="text-generation", streaming=True,
        endpoint_url=server.base_url,
    )  # fmt: skip
    model = ChatHuggingFace(llm=endpoint, temperature=0.7)
    model.invoke("hi")
    body = server.requests[-1]
    assert (body["model"], body["max_tokens"], body["temperature"]) == (f"{MODEL}:groq", 9, 0.7)
    assert server.received[-1].headers["authorization"] == "Bearer hf_key_12345678"
    assert "hf_key" not in f"{endpoint!r}{model!r}{model.model_dump_json()}"


def test_an_endpoint_without_a_model_or_an_address_is_an_error() -> None:
    with pytest.raises(InputError, match="repo_id"):
        HuggingFaceEndpoint(temperature=0.3)


def test_an_unknown_parameter_of_an_endpoint_is_an_error() -> None:
    with pytest.raises(InputError, match="max_new_tokens"):
        ChatHuggingFace(llm=HuggingFaceEndpoint(repo_id=MODEL, max_new_token=3))


def test_a_task_that_is_no_chat_is_an_error() -> None:
    with pytest.raises(InputError, match="summarization"):
        ChatHuggingFace.from_model_id(MODEL, task="summarization")


def test_a_model_is_made_from_its_id(server: LoopbackServer) -> None:
    url = server.base_url
    model = ChatHuggingFace.from_model_id(MODEL, task="text-generation", base_url=url)
    assert model.invoke("hi").text == "fine"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "https://router.huggingface.co/v1"),
        ("https://x.endpoints.huggingface.cloud", "https://x.endpoints.huggingface.cloud/v1"),
        ("https://x.endpoints.huggingface.cloud/v1/", "https://x.endpoints.huggingface.cloud/v1"),
        ("http://box:8080/openai/chat/completions", "http://box:8080/openai"),
        ("http://box:8080/models/a", "http://box:8080/models/a/v1"),
    ],
)
def test_an_address_is_taken_as_the_sdk_takes_it(given: Any, url: str) -> None:
    assert ChatHuggingFace(model="m", base_url=given)._place().url == url


def test_an_endpoint_needs_no_name_of_a_model(server: LoopbackServer) -> None:
    ChatHuggingFace(endpoint_url=server.base_url).invoke("hi")
    assert server.requests[-1]["model"] == "tgi"


@pytest.mark.parametrize(
    ("set", "found"),
    [
        ({"HF_TOKEN": "second-123"}, "second-123"),
        ({"HUGGINGFACEHUB_API_TOKEN": "first-123", "HF_TOKEN": "second-123"}, "first-123"),
    ],
    ids=str,
)
def test_the_token_of_the_environment_counts(
    monkeypatch: pytest.MonkeyPatch, set: dict[str, str], found: str
) -> None:
    for name, value in set.items():
        monkeypatch.setenv(name, value)
    model: Any = init_chat_model(f"huggingface:{MODEL}")
    assert model._place().key == found
    assert model.explain()["api_key"]["source"] == "environment"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "https://huggingface.co.evil.example", "http://x.huggingface.co"]
)
def test_the_environments_token_stays_with_hugging_face(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_env_12345678")
    assert ChatHuggingFace(model="m", base_url=url)._place().key is None
    own = ChatHuggingFace(model="m", base_url="https://x.endpoints.huggingface.cloud")
    assert own._place().key == "hf_env_12345678"


def test_no_token_of_the_machine_leaks(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, ask: Any
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_env_12345678")
    ask(model_of(server))
    assert "authorization" not in server.received[-1].headers


def test_a_missing_token_is_named() -> None:
    with pytest.raises(MissingCredentialError, match="HF_TOKEN"):
        ChatHuggingFace(model=MODEL).invoke("hi")


def test_a_credential_makes_the_model(server: LoopbackServer) -> None:
    account = HuggingFaceCredential(api_key="cred-key-123", base_url=server.base_url)
    model: Any = account.chat_model(MODEL)
    assert model.invoke("hi").text == "fine"
    assert "cred-key-123" not in f"{model!r}{model.model_dump_json()}"


def test_the_credential_of_another_is_refused() -> None:
    from headrace_openai.credentials import CREDENTIALS

    with pytest.raises(ConfigurationError, match="huggingface_credential"):
        ChatHuggingFace(model="m", credential=CREDENTIALS["openai"]())._place()


def test_a_model_that_loads_says_how_long(ask: Any) -> None:
    body = {"error": "Model x is currently loading", "estimated_time": 20.5}
    with pytest.raises(ModelAPIError, match="loading") as caught:
        ask(answering(503, body, {"x-request-id": "r-1"}))
    error = caught.value
    assert (error.status, error.retry_after, error.request_id) == (503, 20.5, "r-1")
    assert error.is_retryable


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (422, {"error": "bad", "error_type": "validation"}, ModelInvalidRequestError, "validation"),
        (429, {"error": "overloaded", "error_type": "overloaded"}, ModelRateLimitError,
         "overloaded"),
        (424, {"error": "failed", "error_type": "generation"}, ModelAPIError, "generation"),
        (402, {"error": "You have exceeded your monthly credits"}, ModelPermissionDeniedError,
         None),
        (400, {"error": {"message": "no", "code": "model_not_supported"}},
         ModelInvalidRequestError, "model_not_supported"),
    ],
)  # fmt: skip
def test_an_error_has_its_kind_and_code(
    status: int, body: Any, kind: type[Exception], code: str | None
) -> None:
    with pytest.raises(kind) as caught:
        answering(status, body).invoke("hi")
    error: Any = caught.value
    assert (error.status, error.code) == (status, code)


def test_a_gated_model_is_told_by_headers() -> None:
    headers = {"x-error-code": "GatedRepo"}
    with pytest.raises(ModelPermissionDeniedError) as caught:
        answering(403, {"error": "Access to it is restricted"}, headers).invoke("hi")
    assert caught.value.code == "GatedRepo"


def test_offline_mode_is_an_error_that_says_so(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, ask: Any
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelConnectionError, match="HF_HUB_OFFLINE"):
        ask(model_of(server))
    assert not server.received


def test_arguments_that_come_as_an_object_are_read() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    body = {"choices": [{"message": {"role": "assistant", "tool_calls": [call]}}]}
    assert answering(200, body).invoke("hi").tool_calls[0]["args"] == {"a": 1}


def test_reasoning_comes_as_reasoning() -> None:
    said = {"role": "assistant", "content": "So.", "reasoning_content": "hm"}
    answer = answering(200, {"choices": [{"message": said, "finish_reason": "stop"}]}).invoke("hi")
    assert answer.content_blocks[0] == {"type": "reasoning", "reasoning": "hm"}
    assert answer.text == "So."


def test_nulls_inside_a_schema_survive(server: LoopbackServer) -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "string", "default": None}}}
    tools = [{"name": "f", "description": "F.", "parameters": parameters}]
    model_of(server).bind_tools(tools).invoke("hi")
    assert server.requests[-1]["tools"][0]["function"]["parameters"] == parameters


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def test_a_choice_among_several_tools_is_taken(server: LoopbackServer) -> None:
    other = {"name": "f", "description": "F.", "parameters": {"type": "object", "properties": {}}}
    model_of(server).bind_tools([get_weather, other], tool_choice="get_weather").invoke("hi")
    wanted = {"type": "function", "function": {"name": "get_weather"}}
    assert server.requests[-1]["tool_choice"] == wanted


def test_an_image_goes_as_image_url(server: LoopbackServer) -> None:
    content: Any = [{"type": "image", "url": "https://example.com/a.png"}]
    model_of(server, profile={"image_inputs": True}).invoke([HumanMessage(content)])
    part = server.requests[-1]["messages"][0]["content"][0]
    assert part == {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def test_the_served_models_are_listed() -> None:
    work = answering(200, {"data": [{"id": "b/c"}, {"id": "a/b"}]}).served_models(sync_world())
    with pytest.raises(StopIteration) as done:
        work.send(None)
    assert done.value.value == ["a/b", "b/c"]


def test_the_programs_client_factory_is_used(server: LoopbackServer, ask: Any) -> None:
    import huggingface_hub as hub

    def mark(request: httpx2.Request) -> None:
        request.headers["x-factory"] = "yes"

    async def mark_later(request: httpx2.Request) -> None:
        mark(request)

    from huggingface_hub.utils import _http

    hub.set_client_factory(lambda: httpx2.Client(event_hooks={"request": [mark]}))
    hub.set_async_client_factory(lambda: httpx2.AsyncClient(event_hooks={"request": [mark_later]}))
    try:
        ask(model_of(server, default_headers={"x-once": "factory"}))
    finally:
        hub.set_client_factory(_http.default_client_factory)
        hub.set_async_client_factory(_http.default_async_client_factory)
    assert server.received[-1].headers["x-factory"] == "yes"


def test_the_sdk_has_the_doors_that_are_used() -> None:
    from huggingface_hub.inference._providers.hf_inference import _build_chat_completion_url
    from huggingface_hub.utils import _http, build_hf_headers

    for name in ("hf_request_event_hook", "async_hf_request_event_hook"):
        assert callable(getattr(_http, name))
    assert _http._GLOBAL_CLIENT_FACTORY is _http.default_client_factory
    assert _http._GLOBAL_ASYNC_CLIENT_FACTORY is _http.default_async_client_factory
    assert "authorization" not in build_hf_headers(token=False)
    url = _build_chat_completion_url("https://x.endpoints.huggingface.cloud")
    assert url == "https://x.endpoints.huggingface.cloud/v1/chat/completions"
