"""Azure: endpoints in any form, keys and tokens, deployments, dated versions and v1."""

from __future__ import annotations

import asyncio
import json
import pickle
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from asking import ask

from headrace import init_chat_model
from headrace.credentials import credential_from_dict
from headrace.errors import ConfigurationError, MissingCredentialError
from headrace_openai import AzureChatOpenAI, AzureOpenAICredential, ChatAzureAI
from headrace_openai.azure.place import endpoint_of

__all__ = ["ask"]

ROOT = "https://res.openai.azure.com"
KEY = "azure-key-12345678"
ANSWER = {
    "id": "r1",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}],
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_ENDPOINT",
        "OPENAI_API_VERSION", "AZURE_AI_ENDPOINT", "AZURE_AI_API_KEY", "OPENAI_API_KEY",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


class Sent:
    """What the SDK sent; each request gets the same answer."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(200, json=ANSWER)

    @property
    def last(self) -> httpx2.Request:
        return self.requests[-1]

    @property
    def body(self) -> Any:
        return json.loads(self.last.content)

    def clients(self) -> dict[str, Any]:
        transport = httpx2.MockTransport(self)
        return {
            "http_client": httpx2.Client(transport=transport),
            "http_async_client": httpx2.AsyncClient(transport=transport),
        }


@pytest.fixture
def sent() -> Sent:
    return Sent()


def azure(sent: Sent, **given: Any) -> AzureChatOpenAI:
    given = {"azure_endpoint": ROOT, "azure_deployment": "mine", "model": "gpt-4o", **given}
    return AzureChatOpenAI(**given, **sent.clients())


@pytest.mark.parametrize(
    "given",
    [
        ROOT,
        f"{ROOT}/",
        f"{ROOT}/openai",
        f"{ROOT}/openai/v1/",
        f"{ROOT}/openai/deployments/mine/chat/completions?api-version=2024-10-21",
        f"{ROOT}/openai/v1/chat/completions",
        f"{ROOT}/models",
        f"{ROOT}/models/chat/completions?api-version=2024-05-01-preview",
        f"{ROOT}/api/projects/my-project",
    ],
)
def test_an_endpoint_is_taken_in_any_usual_form(given: str) -> None:
    assert endpoint_of(given) == ROOT


def test_without_a_version_the_v1_endpoint_is_used(sent: Sent, ask: Any) -> None:
    ask(azure(sent, api_key=KEY))
    assert str(sent.last.url) == f"{ROOT}/openai/v1/chat/completions"
    assert sent.last.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body["model"] == "mine"


def test_a_dated_version_goes_to_the_deployment(sent: Sent, ask: Any) -> None:
    ask(azure(sent, api_key=KEY, api_version="2024-10-21"))
    url = f"{ROOT}/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    assert str(sent.last.url) == url
    assert sent.last.headers["api-key"] == KEY
    assert "authorization" not in sent.last.headers


@pytest.mark.parametrize("version", [None, "2024-10-21"])
def test_a_token_provider_is_asked_for_each_request(sent: Sent, ask: Any, version: Any) -> None:
    tokens = iter(["token-1", "token-2"])
    provider = tokens.__next__
    model = azure(sent, azure_ad_token_provider=lambda: provider(), api_version=version)
    for number in (1, 2):
        ask(model)
        assert sent.last.headers["authorization"] == f"Bearer token-{number}"
        assert "api-key" not in sent.last.headers


def test_each_world_has_its_token_provider(sent: Sent) -> None:
    async def later() -> str:
        return "async-token"

    given: Any = {
        "azure_ad_token_provider": lambda: "sync-token", "azure_ad_async_token_provider": later,
    }  # fmt: skip
    model = azure(sent, **given)
    model.invoke("hi")
    assert sent.last.headers["authorization"] == "Bearer sync-token"
    asyncio.run(model.ainvoke("hi"))
    assert sent.last.headers["authorization"] == "Bearer async-token"


def test_an_async_token_provider_alone_is_refused_in_sync_calls(sent: Sent) -> None:
    async def later() -> str:
        return "async-token"

    with pytest.raises(ConfigurationError, match="ainvoke"):
        azure(sent, azure_ad_async_token_provider=later).invoke("hi")


class Identity:
    """As azure-identity's credentials are."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> Any:
        self.scopes += scopes
        return SimpleNamespace(token="identity-token", expires_on=0)


class AsyncIdentity(Identity):
    async def get_token(self, *scopes: str, **_: Any) -> Any:  # type: ignore[override]  # its aio twin
        return super().get_token(*scopes)


def test_an_azure_identity_credential_is_a_credential(sent: Sent, ask: Any) -> None:
    identity = Identity()
    ask(azure(sent, credential=identity))
    assert sent.last.headers["authorization"] == "Bearer identity-token"
    assert identity.scopes == ["https://cognitiveservices.azure.com/.default"]


def test_its_async_twin_serves_async_calls(sent: Sent) -> None:
    asyncio.run(azure(sent, credential=AsyncIdentity()).ainvoke("hi"))
    assert sent.last.headers["authorization"] == "Bearer identity-token"


def test_a_key_and_a_token_at_once_are_refused(sent: Sent) -> None:
    with pytest.raises(ConfigurationError, match="give one of them"):
        azure(sent, api_key=KEY, azure_ad_token="t").invoke("hi")


def test_an_argument_goes_before_the_environment(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "from-environment")
    model = azure(sent, azure_ad_token="given-token")
    model.invoke("hi")
    assert sent.last.headers["authorization"] == "Bearer given-token"
    assert model.explain()["azure_ad_token"]["source"] == "argument"


def test_the_environment_says_it_all(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", ROOT)
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    model: Any = init_chat_model("azure_openai:gpt-4o", **sent.clients())
    model.invoke("hi")
    assert sent.last.url.path == "/openai/deployments/gpt-4o/chat/completions"
    assert model.explain()["api_version"]["source"] == "environment"


def test_openais_key_never_goes_to_azure(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    with pytest.raises(MissingCredentialError, match="AZURE_OPENAI_API_KEY"):
        azure(sent).invoke("hi")
    assert not sent.requests


def test_a_missing_endpoint_is_named(sent: Sent) -> None:
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_ENDPOINT"):
        azure(sent, azure_endpoint=None, api_key=KEY).invoke("hi")


def test_the_model_of_a_deployment_decides_the_profile(sent: Sent) -> None:
    named = azure(sent, azure_deployment="prod", model="gpt-35-turbo")
    assert named.profile["name"].startswith("GPT-3.5")
    told = AzureChatOpenAI(
        azure_endpoint=ROOT, deployment_name="prod", model_of_azure_deployment="gpt-5"
    )
    assert told.model == "gpt-5"
    assert told.profile["reasoning_output"] is True


def test_a_call_may_name_another_deployment(sent: Sent) -> None:
    azure(sent, api_key=KEY).invoke("hi", model="other")
    assert sent.body["model"] == "other"


def test_responses_are_asked_at_the_resource(sent: Sent) -> None:
    whole = {"id": "resp_1", "object": "response", "status": "completed", "output": []}

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent(request)
        return httpx2.Response(200, json=whole)

    model = AzureChatOpenAI(
        azure_endpoint=ROOT, azure_deployment="mine", model="gpt-5", api_key=KEY,
        api_version="2025-04-01-preview", use_responses_api=True,
        http_client=httpx2.Client(transport=httpx2.MockTransport(answer)),
    )  # fmt: skip
    message = model.invoke("hi")
    assert str(sent.last.url) == f"{ROOT}/openai/responses?api-version=2025-04-01-preview"
    assert sent.body["model"] == "mine"
    assert message.response_metadata["model_provider"] == "azure_openai"


def test_foundry_speaks_to_its_v1_endpoint(sent: Sent, ask: Any) -> None:
    model = ChatAzureAI(
        model="DeepSeek-V3.1", endpoint="https://res.services.ai.azure.com/models",
        api_key=KEY, **sent.clients(),
    )  # fmt: skip
    ask(model)
    url = "https://res.services.ai.azure.com/openai/v1/chat/completions"
    assert str(sent.last.url) == url
    assert sent.body["model"] == "DeepSeek-V3.1"


def test_foundry_asks_for_tokens_of_its_own_audience(sent: Sent) -> None:
    identity = Identity()
    given: Any = {"endpoint": "https://res.services.ai.azure.com/api/projects/p"}
    ChatAzureAI(model="m", credential=identity, **given, **sent.clients()).invoke("hi")
    assert identity.scopes == ["https://ai.azure.com/.default"]


def test_secrets_stay_out_of_dumps_and_pickles() -> None:
    model = AzureChatOpenAI(
        model="gpt-4o", azure_endpoint=ROOT, azure_ad_token="very-secret-token", api_key=None
    )
    told = f"{model!r}{model.model_dump_json()}".encode() + pickle.dumps(model)
    assert b"very-secret-token" not in told
    credential = AzureOpenAICredential(azure_ad_token={"env": "MY_TOKEN"}, base_url=ROOT)
    again = credential_from_dict(credential.model_dump())
    assert again == credential
