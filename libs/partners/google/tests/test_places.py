"""Where requests go and in whose name: keys, projects, credentials, addresses."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest
from google_server import google

from headrace import init_chat_model
from headrace.credentials import credential_from_dict
from headrace.errors import ConfigurationError, MissingCredentialError
from headrace_google import (
    ChatGoogleGenerativeAI,
    ChatGoogleVertexAI,
    GoogleCredential,
    GoogleVertexCredential,
    client,
)
from headrace_google.models import model_path
from headrace_google.place import find_place

VARIABLES = (
    "GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL",
    "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_GENAI_API_VERSION", "GOOGLE_APPLICATION_CREDENTIALS",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    client.default_project.cache_clear()


class Token:
    """What google-auth's credentials look like to the SDK."""

    token, expired, quota_project_id = "ya29.token", False, "payer"


def model(**params: Any) -> ChatGoogleGenerativeAI:
    return ChatGoogleGenerativeAI(**{"model": "gemini-2.5-flash", "max_retries": 0, **params})


def test_google_api_key_goes_before_gemini_api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "second-key")
    assert model().explain()["api_key"] == {"source": "environment", "variable": "GEMINI_API_KEY"}
    monkeypatch.setenv("GOOGLE_API_KEY", "first-key")
    assert model().explain()["api_key"]["variable"] == "GOOGLE_API_KEY"
    with google() as server:
        model(base_url=server.url).invoke("hi")
    assert server.last["headers"]["x-goog-api-key"] == "first-key"


def test_without_a_key_the_error_names_the_variables() -> None:
    with pytest.raises(MissingCredentialError, match=r"GOOGLE_API_KEY.*GEMINI_API_KEY"):
        model().invoke("hi")


def test_the_keys_that_the_sdk_finds_by_itself_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "of-the-environment")
    with google() as server:
        model(api_key="given", base_url=server.url).invoke("hi")
    assert server.last["headers"]["x-goog-api-key"] == "given"


@pytest.mark.parametrize("world", ["sync", "async"])
def test_a_function_is_asked_for_the_key_at_each_request(world: str) -> None:
    keys = iter(["one", "two"])
    with google() as server:
        asked = model(api_key=lambda: next(keys), base_url=server.url)
        for _ in range(2):
            asked.invoke("hi") if world == "sync" else asyncio.run(asked.ainvoke("hi"))
    assert [seen["headers"]["x-goog-api-key"] for seen in server.seen] == ["one", "two"]


def test_an_async_function_gives_the_key_to_async_calls_alone() -> None:
    async def key() -> str:
        return "async-key"

    with google() as server:
        asked = model(api_key=key, base_url=server.url)
        asyncio.run(asked.ainvoke("hi"))
        with pytest.raises(ConfigurationError, match="ainvoke"):
            asked.invoke("hi")
    assert server.last["headers"]["x-goog-api-key"] == "async-key"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("", "/v1/models/gemini-2.5-flash:generateContent"),
        ("/v1beta", "/v1beta/models/gemini-2.5-flash:generateContent"),
        ("/v1beta/models/x:generateContent", "/v1beta/models/gemini-2.5-flash:generateContent"),
        ("/proxy/v1alpha/", "/proxy/v1alpha/models/gemini-2.5-flash:generateContent"),
    ],
)
def test_an_address_may_be_given_with_its_version(given: str, path: str) -> None:
    with google() as server:
        model(api_key="k", base_url=server.url + given).invoke("hi")
    assert server.last["path"] == path


def test_a_version_may_be_asked_for() -> None:
    with google() as server:
        model(api_key="k", base_url=server.url, api_version="v1alpha").invoke("hi")
    assert server.last["path"].startswith("/v1alpha/")


@pytest.mark.parametrize("world", ["sync", "async"])
def test_vertex_ai_is_asked_for_a_project_with_a_token(world: str) -> None:
    with google() as server:
        asked = model(
            project="p", location="europe-west4", credentials=_token(), base_url=server.url
        )
        answer = asked.invoke("hi") if world == "sync" else asyncio.run(asked.ainvoke("hi"))
    assert isinstance(asked, ChatGoogleVertexAI)
    assert answer.response_metadata["model_provider"] == "google_vertexai"
    seen = server.last
    assert seen["path"] == (
        "/v1beta1/projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-flash"
        ":generateContent"
    )
    assert seen["headers"]["authorization"] == "Bearer ya29.token"
    assert seen["headers"]["x-goog-user-project"] == "payer"
    assert "x-goog-api-key" not in seen["headers"]


def test_the_express_mode_of_vertex_ai_needs_a_key_alone() -> None:
    with google() as server:
        model(vertexai=True, api_key="express", base_url=server.url).invoke("hi")
    seen = server.last
    assert seen["path"] == "/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent"
    assert seen["headers"]["x-goog-api-key"] == "express"


def test_a_project_goes_before_a_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "of-the-environment")
    place = find_place("google_vertexai", project="p", location="us")
    assert place.key is None
    assert find_place("google_vertexai").key == "of-the-environment"
    assert find_place("google_vertexai", project="p", api_key="given").key == "given"


def test_credentials_that_are_nowhere_are_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(MissingCredentialError, match="gcloud auth application-default login"):
        model(vertexai=True).invoke("hi")


@pytest.mark.parametrize("world", ["sync", "async"])
def test_the_project_is_that_of_the_machines_credentials(
    world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import google.auth

    monkeypatch.setattr(google.auth, "default", lambda **_: (_token(), "found"))
    with google_at() as server:
        asked = model(vertexai=True, location="us-central1", base_url=server.url)
        asked.invoke("hi") if world == "sync" else asyncio.run(asked.ainvoke("hi"))
    assert "/projects/found/locations/us-central1/" in server.last["path"]


google_at = google


def _token() -> Any:
    import google.auth.credentials

    class Made(google.auth.credentials.Credentials):  # type: ignore[misc, no-untyped-call]  # untyped
        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]  # untyped
            self.token = Token.token
            self._quota_project_id = Token.quota_project_id

        def refresh(self, request: object) -> None:
            self.token = Token.token

    return Made()  # type: ignore[no-untyped-call]  # untyped


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash"),
        ("meta/llama", "publishers/meta/models/llama"),
        ("projects/p/locations/l/endpoints/7", "projects/p/locations/l/endpoints/7"),
        ("publishers/google/models/x", "publishers/google/models/x"),
    ],
)
def test_names_on_vertex_ai_may_be_paths(name: str, path: str) -> None:
    assert model_path(name, vertex=True) == path


@pytest.mark.parametrize("name", ["m", "models/m", "tunedModels/m"])
def test_names_at_the_gemini_api_may_be_paths(name: str) -> None:
    assert model_path(name, vertex=False) == (name if "/" in name else "models/m")


def test_what_names_vertex_ai_makes_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(model(api_key="k")) is ChatGoogleGenerativeAI
    for given in (
        {"vertexai": True}, {"project": "p"}, {"credential": GoogleVertexCredential(project="p")},
        {"credential": {"type": "google_vertex_credential", "project": "p"}},
    ):  # fmt: skip
        assert type(model(**given)) is ChatGoogleVertexAI
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    assert type(model()) is ChatGoogleVertexAI
    assert type(model(vertexai=False, api_key="k")) is ChatGoogleGenerativeAI


def test_a_pickle_keeps_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickle.dumps(model(api_key="k"))
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    assert type(pickle.loads(data)) is ChatGoogleGenerativeAI
    assert type(pickle.loads(pickle.dumps(model(project="p")))) is ChatGoogleVertexAI


def test_a_provider_by_name_is_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    assert type(init_chat_model("google_genai:gemini-2.5-flash")) is ChatGoogleGenerativeAI
    assert type(init_chat_model("google_vertexai:gemini-2.5-flash")) is ChatGoogleVertexAI
    assert type(init_chat_model("gemini:gemini-2.5-flash")) is ChatGoogleGenerativeAI


def test_credentials_make_models_of_their_provider() -> None:
    assert type(GoogleCredential(api_key="k").chat_model("m")) is ChatGoogleGenerativeAI
    made = GoogleVertexCredential(project="p").chat_model("m")
    assert type(made) is ChatGoogleVertexAI
    read = credential_from_dict({"type": "google_credential", "api_key": {"env": "GEMINI_API_KEY"}})
    assert isinstance(read, GoogleCredential)


def test_a_credential_opens_its_own_service_alone() -> None:
    credential = GoogleVertexCredential(project="p")
    with pytest.raises(ConfigurationError, match="google_credential"):
        model(vertexai=False, credential=credential).explain()


def test_secrets_show_nowhere() -> None:
    secret: Any = "very-secret-key"
    made = model(api_key=secret, credentials=None)
    credential = GoogleCredential(api_key=secret)
    place = made._exchange().client_settings
    assert secret not in repr((made, credential, place, made.explain()))
    assert secret.encode() not in pickle.dumps(made)
    with pytest.warns(UserWarning, match="given by value"):
        assert secret not in credential.model_dump_json()


def test_credentials_are_in_no_dump_and_no_pickle() -> None:
    made = model(project="p", credentials=_token())
    assert Token.token not in f"{made!r}{made.model_dump()!r}{made.model_dump_json()}"
    again = pickle.loads(pickle.dumps(made))
    assert (again.project, again.credentials) == ("p", None)


def test_a_key_of_the_environment_does_not_go_to_another_vendors_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "of-the-environment")
    with pytest.raises(ConfigurationError, match="host of `openai`"):
        model(base_url="https://api.openai.com/v1").invoke("hi")


@pytest.mark.parametrize("is_async", [False, True])
def test_the_callers_own_http_client_is_used_and_left_open(is_async: bool) -> None:
    import httpx2

    async def ask(server: Any) -> bool:
        async with httpx2.AsyncClient(headers={"x-own": "1"}) as own:
            asked = model(api_key="k", base_url=server.url, http_async_client=own)
            await asked.ainvoke("hi")
            await asked.aclose()
            return own.is_closed

    with google() as server:
        if is_async:
            assert not asyncio.run(ask(server))
        else:
            with httpx2.Client(headers={"x-own": "1"}) as own:
                asked = model(api_key="k", base_url=server.url, http_client=own)
                asked.invoke("hi")
                asked.close()
                assert not own.is_closed
    assert server.last["headers"]["x-own"] == "1"


def test_addresses_are_part_of_what_a_cache_knows() -> None:
    assert model(api_key="k")._address() == "https://generativelanguage.googleapis.com"
    place = {"project": "p", "location": "us-central1"}
    assert model(**place)._address() == "us-central1-aiplatform.googleapis.com"


@pytest.mark.parametrize("world", ["sync", "async"])
def test_arguments_of_the_http_client_reach_it(world: str) -> None:
    with google() as server:
        asked = model(api_key="k", base_url=server.url, client_args={"headers": {"x-own": "2"}})
        asked.invoke("hi") if world == "sync" else asyncio.run(asked.ainvoke("hi"))
    assert server.last["headers"]["x-own"] == "2"


def test_equal_settings_share_a_client() -> None:
    def settings(**args: Any) -> Any:
        return model(api_key="k", client_args=args)._exchange().client_key

    assert settings(headers={"a": "1"}) == settings(headers={"a": "1"})
    assert hash(settings(headers={"a": "1"})) == hash(settings(headers={"a": "1"}))
    assert settings(headers={"a": "1"}) != settings(headers={"a": "2"})
