"""ChatMistralAI: what is sent to Mistral, what comes back, and in whose name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from asking import ask
from covering import untested
from replayed import BorrowedCodec, replaying

from headrace import init_chat_model
from headrace.errors import ConfigurationError, MissingCredentialError, ModelRateLimitError
from headrace.messages import AIMessage, HumanMessage, ToolMessage
from headrace.testing.loopback import LoopbackServer
from headrace.testing.scripted import ScriptedChatModel
from headrace_mistral import ChatMistralAI, MistralCredential
from headrace_openai.codec import ChatCompletionsWire

__all__ = ["ask", "replaying"]


class TestMistralTraffic(BorrowedCodec):
    """Mistral's exchanges among the recorded ones, through its own SDK."""

    served_by = ("mistral",)

    def model_of(self, url: str, case: dict[str, Any], **more: Any) -> ChatMistralAI:
        return ChatMistralAI(model="m", base_url=url, api_key="secret-key-1", **more)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    make: Any = ScriptedChatModel
    with LoopbackServer(make(["fine"] * 9), ChatCompletionsWire()) as running:
        yield running


def model_of(server: LoopbackServer, **given: Any) -> ChatMistralAI:
    given = {"model": "mistral-small-latest", "api_key": "key-12345678", **given}
    return ChatMistralAI(base_url=server.base_url, **given)


PARAMETERS: list[tuple[str, Any, str]] = [
    ("temperature", 0.5, "temperature"), ("max_tokens", 7, "max_tokens"), ("top_p", 0.9, "top_p"),
    ("seed", 3, "random_seed"), ("random_seed", 3, "random_seed"),
    ("safe_prompt", True, "safe_prompt"), ("safe_mode", True, "safe_prompt"),
    ("presence_penalty", 1.0, "presence_penalty"),
    ("frequency_penalty", 1.0, "frequency_penalty"),
    ("repetition_penalty", 1.1, "repetition_penalty"), ("top_k", 5, "top_k"),
    ("min_tokens", 2, "min_tokens"), ("n", 2, "n"), ("logprobs", True, "logprobs"),
    ("top_logprobs", 2, "top_logprobs"), ("stop", ["END"], "stop"),
    ("reasoning_effort", "high", "reasoning_effort"), ("prompt_mode", "reasoning", "prompt_mode"),
    ("prediction", {"type": "content", "content": "x"}, "prediction"),
    ("guardrails", ({"block_on_error": True},), "guardrails"),
    ("prompt_cache_key", "k", "prompt_cache_key"), ("service_tier", "priority", "service_tier"),
    ("metadata_tags", {"team": "7"}, "metadata"), ("extra_body", {"custom": 1}, "custom"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "sent"), PARAMETERS, ids=[row[0] for row in PARAMETERS])
def test_every_parameter_reaches_the_wire(
    server: LoopbackServer, name: str, value: Any, sent: str
) -> None:
    model_of(server, **{name: value}).invoke("hi")
    expected = value["custom"] if name == "extra_body" else json.loads(json.dumps(value))
    assert server.requests[-1][sent] == expected


def test_no_parameter_is_without_a_test() -> None:
    held = {
        test_a_prefix_is_marked: ["prefix"],
        test_whether_calls_are_parallel_is_said_beside_tools: ["parallel_tool_calls"],
        test_an_error_keeps_its_status_and_wait: ["http_client", "http_async_client"],
    }
    assert untested(ChatMistralAI, [row[0] for row in PARAMETERS], held) == set()


def test_whether_calls_are_parallel_is_said_beside_tools(server: LoopbackServer) -> None:
    tools = [{"name": "f", "description": "F.", "parameters": {"type": "object", "properties": {}}}]
    model_of(server, parallel_tool_calls=False).bind_tools(tools).invoke("hi")
    assert server.requests[-1]["parallel_tool_calls"] is False


def test_the_request_bears_the_key_and_the_sdks_name(server: LoopbackServer, ask: Any) -> None:
    ask(model_of(server, default_headers={"x-team": "7"}))
    headers = server.received[-1].headers
    assert headers["authorization"] == "Bearer key-12345678"
    assert "mistral" in headers["user-agent"]
    assert headers["x-team"] == "7"
    assert server.received[-1].path == "/v1/chat/completions"


def test_a_key_may_be_asked_for_at_each_request(server: LoopbackServer, ask: Any) -> None:
    keys = iter(["first-key-1", "second-key-2"])
    give = keys.__next__
    model = model_of(server, api_key=lambda: give())
    ask(model)
    ask(model)
    sent = [one.headers["authorization"] for one in server.received]
    assert sent == ["Bearer first-key-1", "Bearer second-key-2"]


def test_documents_and_files_go_in_mistrals_own_parts(server: LoopbackServer) -> None:
    content: list[Any] = [
        {"type": "text", "text": "Read:"},
        {"type": "file", "url": "https://example.com/a.pdf", "filename": "Deed.pdf"},
        {"type": "file", "file_id": "f-1"},
        {"type": "audio", "base64": "UklGRg==", "mime_type": "audio/wav"},
    ]
    seen = {"pdf_inputs": True, "audio_inputs": True}
    model_of(server, profile=seen).invoke([HumanMessage(content)])
    assert server.requests[-1]["messages"][0]["content"] == [
        {"type": "text", "text": "Read:"},
        {
            "type": "document_url",
            "document_url": "https://example.com/a.pdf",
            "document_name": "Deed.pdf",
        },
        {"type": "file", "file_id": "f-1"},
        {"type": "input_audio", "input_audio": "UklGRg=="},
    ]


def test_ids_of_calls_made_elsewhere_are_rewritten_alike(server: LoopbackServer) -> None:
    call = {"type": "tool_call", "name": "f", "args": {}, "id": "call_made_by_another_vendor"}
    talk = [HumanMessage("hi"), AIMessage("", tool_calls=[call]), ToolMessage("x", call["id"])]
    answer = model_of(server).invoke(talk)
    _, asked, answered = server.requests[-1]["messages"]
    id = asked["tool_calls"][0]["id"]
    assert len(id) == 9
    assert id.isalnum()
    assert answered["tool_call_id"] == id
    assert answer.response_metadata["adapted"][0]["name"] == "tool call id"


def test_an_id_of_mistrals_stays(server: LoopbackServer) -> None:
    call = {"type": "tool_call", "name": "f", "args": {}, "id": "abcDEF123"}
    model_of(server).invoke(
        [HumanMessage("hi"), AIMessage("", tool_calls=[call]), ToolMessage("x", "abcDEF123")]
    )
    assert server.requests[-1]["messages"][2]["tool_call_id"] == "abcDEF123"


def test_a_prefix_is_marked(server: LoopbackServer) -> None:
    model_of(server, prefix=True).invoke([HumanMessage("Write."), AIMessage("Once upon")])
    assert server.requests[-1]["messages"][-1]["prefix"] is True


def test_thinking_goes_back_as_a_thinking_part(server: LoopbackServer) -> None:
    thought: Any = [
        {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s"}},
        {"type": "text", "text": "So."},
    ]
    model_of(server).invoke([HumanMessage("hi"), AIMessage(thought), HumanMessage("and?")])
    sent = server.requests[-1]["messages"][1]["content"]
    assert sent[0]["type"] == "thinking"
    assert sent[0]["signature"] == "s"


def test_the_accounts_key_stays_with_mistral(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "of-mistral-123")
    home: Any = init_chat_model("mistralai:mistral-small-latest")
    assert home._place().key == "of-mistral-123"
    with pytest.raises(ConfigurationError, match="openai"):
        _ = ChatMistralAI(model="m", base_url="https://api.openai.com/v1")._place().key


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    with pytest.raises(MissingCredentialError, match="MISTRAL_API_KEY"):
        ChatMistralAI(model="m").invoke("hi")


def test_a_credential_makes_the_model(server: LoopbackServer) -> None:
    account = MistralCredential(api_key="cred-key-123", base_url=server.base_url)
    model: Any = account.chat_model("mistral-small-latest")
    assert model.invoke("hi").text == "fine"
    assert "cred-key-123" not in f"{model!r}{model.model_dump_json()}"


def test_the_served_models_are_listed() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/v1/models"
        return httpx2.Response(200, json={"data": [{"id": "b"}, {"id": "a"}]})

    transport = httpx2.MockTransport(handler)
    account = {"api_key": "k", "http_client": httpx2.Client(transport=transport)}
    model = ChatMistralAI(model="m", **account)
    from headrace.engine.worlds import sync_world

    work = model.served_models(sync_world())
    with pytest.raises(StopIteration) as done:
        work.send(None)
    assert done.value.value == ["a", "b"]


def test_an_error_keeps_its_status_and_wait(ask: Any) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        headers = {"retry-after": "7", "mistral-correlation-id": "c-1"}
        return httpx2.Response(429, json={"message": "Too many"}, headers=headers)

    transport = httpx2.MockTransport(handler)
    model = ChatMistralAI(
        model="m", api_key="k", max_retries=0, http_client=httpx2.Client(transport=transport),
        http_async_client=httpx2.AsyncClient(transport=transport),
    )  # fmt: skip
    with pytest.raises(ModelRateLimitError) as caught:
        ask(model)
    assert (caught.value.retry_after, caught.value.request_id) == (7.0, "c-1")


def test_the_sdk_has_the_doors_that_are_used() -> None:
    from mistralai.client import Mistral

    chat = Mistral(api_key="k").chat
    for name in ("_build_request", "_build_request_async", "do_request", "do_request_async"):
        assert callable(getattr(chat, name))
