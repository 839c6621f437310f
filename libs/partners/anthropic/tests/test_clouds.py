"""Claude on Bedrock and on Vertex: path, body, signature and streams, by the real SDK."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx2
import pytest
from claude_service import ANSWER, events_of, in_both, text_block

from headrace import init_chat_model, list_models
from headrace.chat_models.frames import write_frame
from headrace.errors import (
    ConfigurationError,
    MissingCredentialError,
    MissingPackageError,
    ModelRateLimitError,
    StreamInterruptedError,
    UnsupportedContentError,
    WireError,
)
from headrace.messages import HumanMessage
from headrace_anthropic import (
    AnthropicCredential,
    AnthropicVertexCredential,
    ChatAnthropicBedrock,
    ChatAnthropicVertex,
)

NAME = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
FRAMES = {"content-type": "application/vnd.amazon.eventstream"}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION", "AWS_DEFAULT_REGION", "CLOUD_ML_REGION"):
        monkeypatch.delenv(name, raising=False)


def framed(event: dict[str, Any], **headers: str) -> bytes:
    head = {":message-type": "event", ":event-type": "chunk"}
    payload = {"bytes": b64encode(json.dumps(event).encode()).decode(), "p": "abc"}
    return write_frame({**head, **headers}, json.dumps(payload).encode())


def answering(request: httpx2.Request) -> httpx2.Response:
    """A cloud that says hi, in its own form."""
    if request.url.path.endswith(("-stream", ":streamRawPredict")):
        events = events_of(text_block("h", "i"))
        if "bedrock" in request.url.host:
            body = b"".join(framed(event) for event in events)
            return httpx2.Response(200, headers=FRAMES, content=body)
        lines = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=lines)
    return httpx2.Response(200, json=ANSWER)


def cloud(kind: Any, handler: Any = answering, **given: Any) -> Any:
    transport = httpx2.MockTransport(handler)
    return kind(
        http_client=httpx2.Client(transport=transport),
        http_async_client=httpx2.AsyncClient(transport=transport),
        **{"max_retries": 0, "max_tokens": 100, **given},
    )


def bedrock(handler: Any = answering, **given: Any) -> Any:
    asked = {"model": NAME, "region": "us-east-1", "api_key": "bearer-token"}
    return cloud(ChatAnthropicBedrock, handler, **{**asked, **given})


def vertex(handler: Any = answering, **given: Any) -> Any:
    asked = {"model": "claude-haiku-4-5@20251001", "region": "global", "project": "p"}
    return cloud(ChatAnthropicVertex, handler, **{"api_key": "access-token", **asked, **given})


def heard(make: Any, **given: Any) -> list[httpx2.Request]:
    """The requests of all four doors."""
    requests: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return answering(request)

    for message in in_both(make(handler, **given)):
        assert message.text == "hi"
        assert message.response_metadata["finish_reason"] == "stop"
    return requests


def test_bedrock_has_the_model_in_its_path_and_its_version_in_the_body() -> None:
    paths = set()
    for request in heard(bedrock, betas=["b-1"]):
        assert request.url.host == "bedrock-runtime.us-east-1.amazonaws.com"
        assert request.headers["authorization"] == "Bearer bearer-token"
        body = json.loads(request.content)
        assert body["anthropic_version"] == "bedrock-2023-05-31"
        assert body["anthropic_beta"] == ["b-1"]
        assert not body.keys() & {"model", "stream", "betas"}
        paths.add(request.url.path)
    assert paths == {f"/model/{NAME}/invoke", f"/model/{NAME}/invoke-with-response-stream"}


def test_vertex_has_project_region_and_model_in_its_path() -> None:
    paths = set()
    for request in heard(vertex, betas=["b-1"]):
        assert request.url.host == "aiplatform.googleapis.com"
        assert request.headers["authorization"] == "Bearer access-token"
        assert request.headers["anthropic-beta"] == "b-1"
        assert json.loads(request.content)["anthropic_version"] == "2026-10-21"
        paths.add(request.url.path.rpartition("/")[2])
    name = "claude-haiku-4-5@20251001"
    assert paths == {f"{name}:rawPredict", f"{name}:streamRawPredict"}


def test_sampling_parameters_ask_vertex_for_the_version_that_has_them() -> None:
    for request in heard(vertex, temperature=0.5):
        assert json.loads(request.content)["anthropic_version"] == "vertex-2023-10-16"


def test_a_token_that_is_a_function_is_asked_for_each_request() -> None:
    tokens = iter(f"token-{n}" for n in range(9))
    requests = heard(vertex, api_key=lambda: next(tokens))
    assert [r.headers["authorization"] for r in requests] == [
        f"Bearer token-{n}" for n in range(4)
    ]  # fmt: skip
    with pytest.raises(ConfigurationError, match="bearer token"):
        bedrock(api_key=lambda: "x").invoke("hi")


def test_the_facts_are_those_of_the_model_behind_the_name() -> None:
    profile = bedrock().profile
    assert profile["reasoning_budget"] == [1024, None]
    assert "cost" not in profile  # a regional profile may cost more
    assert "cost" in bedrock(model="anthropic.claude-opus-4-6-v1").profile
    assert "cost" in bedrock(model="global.anthropic.claude-opus-5").profile
    assert vertex().profile.model == "claude-haiku-4-5"
    assert bedrock(reasoning_effort="low").preflight("hi").request["thinking"] == {
        "type": "enabled", "budget_tokens": 1024,
    }  # fmt: skip


def broken(*frames: bytes) -> Any:
    body = b"".join(frames)
    return bedrock(lambda _: httpx2.Response(200, headers=FRAMES, content=body))


def test_an_exception_in_a_frame_is_a_typed_error() -> None:
    head = {":message-type": "exception", ":exception-type": "throttlingException"}
    refusal = write_frame(head, b'{"message": "Too many requests"}')
    with pytest.raises(ModelRateLimitError, match="Too many requests") as caught:
        list(broken(refusal).stream("hi"))
    assert caught.value.code == "throttlingException"
    assert caught.value.is_retryable


def test_frames_that_end_early_are_no_answer() -> None:
    frames = [framed(event) for event in events_of(text_block("hi"))]
    with pytest.raises(StreamInterruptedError):
        list(broken(*frames[:-2]).stream("hi"))
    with pytest.raises(StreamInterruptedError):
        list(broken(*frames[:-2], frames[-2][:20]).stream("hi"))


@pytest.mark.parametrize("payload", [b"[]", b'{"bytes": 1}', b'{"bytes": "%"}', b"x"])
def test_a_frame_without_an_event_is_a_wire_error(payload: bytes) -> None:
    head = {":message-type": "event", ":event-type": "chunk"}
    with pytest.raises(WireError):
        list(broken(write_frame(head, payload)).stream("hi"))


def test_aws_keys_sign_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3", reason="boto3 signs")
    keys = {"aws_access_key": "AKIAEXAMPLE", "aws_secret_key": "hidden-key"}
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "of-the-environment")
    for request in heard(bedrock, api_key=None, aws_session_token="session", **keys):
        signature = request.headers["authorization"]
        assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
        assert "/us-east-1/bedrock/" in signature
        assert request.headers["x-amz-security-token"] == "session"


def test_a_profile_of_aws_signs_each_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("boto3", reason="boto3 reads profiles")
    keys = "[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = hidden-key\n"
    (tmp_path / "keys").write_text(keys)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for request in heard(bedrock, api_key=None, aws_profile="work"):
        assert "Credential=AKIAWORK/" in request.headers["authorization"]


def test_no_aws_keys_at_all_is_a_missing_credential(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("boto3", reason="boto3 looks for keys")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MissingCredentialError, match="credentials of the cloud"):
        bedrock(api_key=None).invoke("hi")


def test_credentials_of_google_give_the_token() -> None:
    class Signed:
        expired, token = False, "google-token"

    for request in heard(vertex, api_key=None, google_credentials=Signed()):
        assert request.headers["authorization"] == "Bearer google-token"


def test_files_by_id_are_refused_before_any_request() -> None:
    talk = [HumanMessage([{"type": "file", "file_id": "file_1"}])]
    for model in (bedrock(), vertex()):
        with pytest.raises(UnsupportedContentError, match="by id"):
            model.invoke(talk)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(MissingCredentialError, match="AWS_REGION"):
        bedrock(region=None).invoke("hi")
    with pytest.raises(MissingCredentialError, match="CLOUD_ML_REGION"):
        vertex(region=None).invoke("hi")
    with pytest.raises(ConfigurationError, match="anthropic_vertex_credential"):
        vertex(credential=AnthropicCredential()).invoke("hi")


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace_anthropic.client.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'headrace-anthropic\[bedrock\]'"):
        bedrock(api_key=None).invoke("hi")
    with pytest.raises(MissingPackageError, match=r"pip install 'headrace-anthropic\[vertex\]'"):
        vertex(api_key=None).invoke("hi")
    assert bedrock().invoke("hi").text == "hi"  # a bearer token needs no package


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us", "aiplatform.us.rep.googleapis.com"), ("global", "aiplatform.googleapis.com"),
        ("us-east5", "us-east5-aiplatform.googleapis.com"),
    ],
)  # fmt: skip
def test_a_region_of_vertex_has_its_host(region: str, host: str) -> None:
    assert vertex(region=region)._exchange().host == host


def test_secrets_are_in_no_repr_or_dump() -> None:
    model = ChatAnthropicBedrock(
        model=NAME, region="us-east-1", aws_access_key="AKIASECRET", aws_secret_key="hidden-key"
    )
    texts = [repr(model), model.model_dump_json(), str(model.explain())]
    texts.append(repr(model._client_settings()))
    assert not [text for text in texts if "SECRET" in text or "hidden" in text]


def test_the_clouds_have_no_list_to_ask_for() -> None:
    assert list_models("anthropic_vertex") == []
    with pytest.raises(ConfigurationError, match="no list of models"):
        list_models("anthropic_bedrock", live=True)


def test_init_chat_model_finds_the_clouds() -> None:
    made = init_chat_model("anthropic_bedrock:anthropic.claude-opus-5", region="eu-west-1")
    assert isinstance(made, ChatAnthropicBedrock)
    credential = AnthropicVertexCredential(project="p", region="us", api_key="t")
    assert isinstance(credential.chat_model("claude-opus-5"), ChatAnthropicVertex)
