"""Whose credentials go out: arguments, AWSCredential, the environment, what boto3 finds."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.credentials import credential_from_dict
from headrace.errors import ConfigurationError, MissingCredentialError
from headrace.testing.loopback import LoopbackServer
from headrace.testing.scripted import ScriptedChatModel
from headrace_aws import AWSCredential, ChatBedrockConverse
from headrace_aws.loopback import ConverseWire

KEYS = {"aws_access_key_id": "AKIDARGUMENT", "aws_secret_access_key": "secret-of-argument"}
TOKEN = "bedrock-api-key-1234567890"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own accounts."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
                 "AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION", "AWS_DEFAULT_REGION"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (tmp_path / "credentials").write_text(
        "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = secret-of-work\n"
    )


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(ScriptedChatModel(["hi"] * 9), ConverseWire()) as server:
        yield server


def authorization(server: LoopbackServer, **params: Any) -> str:
    """The header by which the server knows who asked."""
    given = {"model": "amazon.nova-lite-v1:0", "region_name": "eu-west-1", "max_retries": 0}
    ChatBedrockConverse(base_url=server.base_url, **{**given, **params}).invoke("hi")
    return server.received[-1].headers["authorization"]


def test_access_keys_sign_for_their_region(server: LoopbackServer) -> None:
    told = authorization(server, **KEYS)
    assert "Credential=AKIDARGUMENT/" in told
    assert "/eu-west-1/bedrock/aws4_request" in told


def test_a_session_token_goes_along(server: LoopbackServer) -> None:
    authorization(server, **KEYS, aws_session_token="token-of-session")
    assert server.received[-1].headers["x-amz-security-token"] == "token-of-session"


def test_an_api_key_goes_out_in_place_of_a_signature(server: LoopbackServer) -> None:
    assert authorization(server, bedrock_api_key=TOKEN) == f"Bearer {TOKEN}"


def test_keys_and_tokens_are_found_in_the_environment(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "AKIDENVIRONMENT" in authorization(server)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", TOKEN)
    assert authorization(server) == f"Bearer {TOKEN}"


def test_what_is_given_goes_before_the_environment(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", TOKEN)
    assert "AKIDARGUMENT" in authorization(server, **KEYS)
    assert "AKIDWORK" in authorization(server, credentials_profile_name="work")


def test_a_credential_goes_before_the_environment_and_after_arguments(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "of-the-environment")
    credential = AWSCredential(profile_name="work", region_name="us-west-2")
    told = authorization(server, credential=credential, region_name=None)
    assert "AKIDWORK" in told
    assert "/us-west-2/" in told
    assert authorization(server, credential=credential, api_key=TOKEN) == f"Bearer {TOKEN}"


def test_a_session_of_the_callers_own_signs(server: LoopbackServer) -> None:
    import boto3  # type: ignore[import-untyped]  # boto3 ships no types

    session = boto3.Session(aws_access_key_id="AKIDSESSION", aws_secret_access_key="s")
    assert "AKIDSESSION" in authorization(server, session=session)


def test_a_key_is_asked_for_at_each_request(server: LoopbackServer) -> None:
    keys = iter(["first-key", "second-key"])
    model = ChatBedrockConverse(
        model="amazon.nova-lite-v1:0", base_url=server.base_url, region_name="us-east-1",
        api_key=lambda: next(keys),
    )  # fmt: skip
    model.invoke("hi")
    asyncio.run(model.ainvoke("hi"))
    told = [request.headers["authorization"] for request in server.received]
    assert told == ["Bearer first-key", "Bearer second-key"]


def test_an_async_key_is_awaited_and_refused_in_a_sync_call(server: LoopbackServer) -> None:
    async def key() -> str:
        return TOKEN

    model = ChatBedrockConverse(
        model="amazon.nova-lite-v1:0", base_url=server.base_url, region_name="us-east-1",
        api_key=key,
    )  # fmt: skip
    asyncio.run(model.ainvoke("hi"))
    assert server.received[-1].headers["authorization"] == f"Bearer {TOKEN}"
    with pytest.raises(ConfigurationError, match="async function"):
        model.invoke("hi")


def test_no_credentials_at_all_are_told_with_where_they_are_looked_for(
    server: LoopbackServer,
) -> None:
    with pytest.raises(MissingCredentialError, match="AWS_BEARER_TOKEN_BEDROCK"):
        authorization(server)


def test_no_region_is_told() -> None:
    with pytest.raises(ConfigurationError, match="region_name"):
        ChatBedrockConverse(model="m", max_retries=0, **KEYS).invoke("hi")


def test_a_profile_that_is_not_there_is_told(server: LoopbackServer) -> None:
    with pytest.raises(ConfigurationError, match="nobody"):
        authorization(server, profile_name="nobody")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"api_key": TOKEN, **KEYS}, "one of them"),
        ({"aws_access_key_id": "AKID"}, "together"),
        ({"api_key": TOKEN, "base_url": "http://example.com"}, "https only"),
    ],
)
def test_contradictions_are_told_before_any_request(given: Any, told: str) -> None:
    model = ChatBedrockConverse(model="m", region_name="us-east-1", max_retries=0, **given)
    with pytest.raises(ConfigurationError, match=told):
        model.invoke("hi")


def test_another_providers_credential_does_not_open_bedrock() -> None:
    credential = credential_from_dict({"type": "openai_credential"})
    model = ChatBedrockConverse(model="m", credential=credential)
    with pytest.raises(ConfigurationError, match="aws_credential"):
        model.invoke("hi")


# What explain says


def test_explain_names_what_boto3_would_sign_with(monkeypatch: pytest.MonkeyPatch) -> None:
    assert AWSCredential().explain()["credentials"]["source"] == "missing"
    work = AWSCredential(profile_name="work").explain()["credentials"]
    assert work == {"source": "environment", "value": "boto3: shared-credentials-file"}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-environment")
    assert AWSCredential().explain()["credentials"]["value"] == "boto3: env"
    given = ChatBedrockConverse(model="m", **KEYS).explain()
    assert given["credentials"] == {"source": "argument", "value": "access keys"}
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", TOKEN)
    found = AWSCredential().explain()
    assert found["credentials"]["variable"] == "AWS_BEARER_TOKEN_BEDROCK"
    assert TOKEN not in repr(found)
    assert "secret-of-environment" not in repr(found)


def test_explain_says_where_the_region_is_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    told = AWSCredential().explain()["region_name"]
    assert told == {"source": "environment", "variable": "AWS_REGION", "value": "eu-north-1"}


# Secrets


def test_secrets_are_in_no_repr_dump_pickle_or_error(server: LoopbackServer) -> None:
    secrets = {**KEYS, "aws_session_token": "token-of-session"}
    model = ChatBedrockConverse(
        model="amazon.nova-lite-v1:0", base_url=server.base_url, region_name="us-east-1", **secrets
    )
    model.invoke("hi")
    again = pickle.loads(pickle.dumps(model))
    credential = AWSCredential(**secrets)
    with pytest.warns(UserWarning, match="not dumped"):
        dumped = credential.model_dump_json()
    shown = [
        repr(model), model.model_dump_json(), repr(model._exchange().client_settings),
        repr(credential), dumped, str(pickle.dumps(model)), str(pickle.dumps(credential)),
    ]  # fmt: skip
    for secret in secrets.values():
        assert all(secret not in text for text in shown)
    assert again.aws_secret_access_key is None
    assert again.region_name == "us-east-1"


def test_a_credential_survives_a_dump_by_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", TOKEN)
    credential = AWSCredential(api_key={"env": "MY_KEY"}, region_name="us-east-1")
    again: Any = credential_from_dict(credential.model_dump())
    assert again == credential
    assert again.account().token == TOKEN
