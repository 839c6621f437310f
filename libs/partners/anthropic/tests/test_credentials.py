"""Which address and which key a request has, and where they came from."""

from __future__ import annotations

import json
import pickle
from typing import Any

import httpx2
import pytest
from claude_service import answering, model_at

from headrace import init_chat_model, list_models
from headrace.credentials import credential_from_dict
from headrace.engine.drive import drive
from headrace.engine.worlds import sync_world
from headrace.errors import (
    ConfigurationError,
    MissingCredentialError,
    UnsupportedParameterError,
    WireError,
)
from headrace.messages import SystemMessage
from headrace_anthropic import AnthropicCredential, ChatAnthropic, ChatAnthropicBedrock

KEY = "sk-ant-secret"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def place(**given: Any) -> tuple[str, Any]:
    settings = ChatAnthropic(model="claude-opus-5", **given)._client_settings()
    return settings.base_url, settings.api_key


def test_a_key_comes_from_argument_credential_or_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(MissingCredentialError, match="ANTHROPIC_API_KEY"):
        place()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "from-environment")
    assert place() == ("https://api.anthropic.com", "from-environment")
    credential = AnthropicCredential(api_key="from-credential")
    assert place(credential=credential)[1] == "from-credential"
    assert place(credential=credential, anthropic_api_key=KEY)[1] == KEY


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/v1/messages"])
def test_a_full_endpoint_is_accepted_as_address(end: str) -> None:
    url = f"https://gateway.example/claude{end}"
    assert place(api_key=KEY, base_url=url)[0] == "https://gateway.example/claude"


def test_a_key_of_the_environment_does_not_go_to_a_strangers_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with pytest.raises(MissingCredentialError, match="not Anthropic's"):
        place(base_url="https://evil.example/api.anthropic.com")
    with pytest.raises(ConfigurationError, match="openai"):
        place(base_url="https://api.openai.com")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://gateway.example")
    assert place() == ("https://gateway.example", KEY)


def test_encoding_needs_no_key() -> None:
    assert ChatAnthropic(model="claude-opus-5").preflight("hi").request is not None


def test_another_kind_of_credential_is_refused() -> None:
    other = ChatAnthropicBedrock.account()  # type: ignore[call-arg]  # `type` has its default
    with pytest.raises(ConfigurationError, match="anthropic_credential"):
        place(credential=other)


def test_explain_says_where_from_and_never_what() -> None:
    model = ChatAnthropic(model="claude-opus-5", api_key=KEY)
    told = model.explain()
    assert told["api_key"] == {"source": "argument"}
    assert told["base_url"] == {"source": "default", "value": "https://api.anthropic.com"}
    assert KEY not in str(told)


def test_a_credential_makes_models_and_survives_without_its_secret() -> None:
    credential = AnthropicCredential(api_key={"env": "MY_KEY"})
    model = credential.chat_model("claude-opus-5", max_tokens=9)
    assert isinstance(model, ChatAnthropic)
    assert credential_from_dict(credential.model_dump()) == credential
    assert pickle.loads(pickle.dumps(credential)) == credential
    with pytest.raises(MissingCredentialError, match="MY_KEY"):
        model._exchange().client_key  # noqa: B018 - asking is the point


@pytest.mark.parametrize("name", ["anthropic:claude-opus-5", "claude-opus-5"])
def test_init_chat_model_finds_the_provider(name: str) -> None:
    model = init_chat_model(name, api_key=KEY)
    assert isinstance(model, ChatAnthropic)
    assert model.model == "claude-opus-5"


def test_the_host_names_the_provider() -> None:
    model = init_chat_model("some-model", base_url="https://api.anthropic.com", api_key=KEY)
    assert isinstance(model, ChatAnthropic)


# What is asked beside the conversation.


def test_the_models_that_are_served_now_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        rows = [{"id": "claude-b"}, {"id": "claude-a"}]
        return httpx2.Response(200, json={"data": rows, "has_more": False})

    model = model_at(handler, api_key=lambda: "given-key-1")
    assert drive(model.served_models(sync_world())) == ["claude-a", "claude-b"]
    assert asked[0].url.path == "/v1/models"
    assert asked[0].headers["authorization"] == "Bearer given-key-1"
    broken = model_at(lambda _: httpx2.Response(200, json=[]))
    with pytest.raises(WireError):
        drive(broken.served_models(sync_world()))


def test_known_models_have_cards() -> None:
    names = {card.name for card in list_models("anthropic", tool_calling=True)}
    assert {"claude-opus-5-5", "claude-haiku-4-5"} <= names


def test_tokens_are_counted_by_the_service() -> None:
    asked: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"input_tokens": 42})

    model = model_at(handler, temperature=0.5, stop=["x"], betas=["b-1"])
    tokens = model.get_num_tokens([SystemMessage("be kind"), "hi"], exact=True)
    assert tokens == 42
    (request,) = asked
    assert request.url.path == "/v1/messages/count_tokens"
    assert request.headers["anthropic-beta"] == "b-1"
    body = json.loads(request.content)
    assert body.keys() == {"model", "system", "messages"}


def test_a_count_that_is_none_is_a_wire_error() -> None:
    model = model_at(lambda _: httpx2.Response(200, json={"input_tokens": None}))
    with pytest.raises(WireError, match="count of tokens"):
        model.get_num_tokens("hi", exact=True)
    cloud = ChatAnthropicBedrock(model="anthropic.claude-opus-5", region="us-east-1")
    with pytest.raises(UnsupportedParameterError, match="Bedrock"):
        cloud.get_num_tokens("hi", exact=True)


def test_answering_is_what_the_fixture_says() -> None:
    assert model_at(answering).invoke("hi").text == "hi"
