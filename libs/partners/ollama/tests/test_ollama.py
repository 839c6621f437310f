"""ChatOllama: what is sent, what comes back, and where it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import ollama
import pytest
from covering import untested

from headrace import init_chat_model
from headrace.chat_models import CLIENTS
from headrace.engine.drive import drive
from headrace.engine.worlds import sync_world
from headrace.errors import InputError, ModelConnectionError, ModelNotFoundError
from headrace.messages import AIMessage, DeveloperMessage, HumanMessage, ToolMessage
from headrace.testing.loopback import LoopbackServer
from headrace.testing.scripted import ScriptedChatModel
from headrace.tools import tool
from headrace.transport import SDKClient
from headrace_ollama import ChatOllama, OllamaCredential
from headrace_ollama.decode import Decoder, decode_response
from headrace_ollama.loopback import OllamaWire


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(ScriptedChatModel(["fine"] * 9), OllamaWire()) as running:  # type: ignore[call-arg, arg-type]  # its replies come first
        yield running


def model_of(server: LoopbackServer, **given: Any) -> ChatOllama:
    return ChatOllama(**{"model": "qwen3:8b", "base_url": server.base_url, **given})


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return f"Noon in {city}."


OPTIONS: list[tuple[str, Any, str]] = [
    ("temperature", 0.5, "temperature"), ("max_tokens", 7, "num_predict"),
    ("num_predict", 7, "num_predict"), ("seed", 3, "seed"), ("top_p", 0.9, "top_p"),
    ("top_k", 4, "top_k"), ("min_p", 0.1, "min_p"), ("typical_p", 0.7, "typical_p"),
    ("num_ctx", 8192, "num_ctx"), ("num_keep", 4, "num_keep"), ("num_batch", 8, "num_batch"),
    ("num_gpu", 1, "num_gpu"), ("num_thread", 2, "num_thread"), ("main_gpu", 0, "main_gpu"),
    ("use_mmap", True, "use_mmap"), ("repeat_last_n", 33, "repeat_last_n"),
    ("repeat_penalty", 1.2, "repeat_penalty"), ("presence_penalty", 1.5, "presence_penalty"),
    ("frequency_penalty", 1.0, "frequency_penalty"), ("mirostat", 1, "mirostat"),
    ("mirostat_tau", 0.8, "mirostat_tau"), ("mirostat_eta", 0.6, "mirostat_eta"),
    ("stop", ["END"], "stop"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "option"), OPTIONS, ids=[row[0] for row in OPTIONS])
def test_an_option_goes_to_the_options(
    server: LoopbackServer, name: str, value: Any, option: str
) -> None:
    model_of(server, **{name: value}).invoke("hi")
    assert server.requests[-1]["options"] == {option: value}


BESIDE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"keep_alive": "5m"}, {"keep_alive": "5m"}),
    ({"keep_alive": -1}, {"keep_alive": -1}),
    ({"think": True}, {"think": True}),
    ({"think": False}, {"think": False}),
    ({"reasoning": True}, {"think": True}),
    ({"logprobs": True, "top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
    ({"truncate": False}, {"truncate": False}),
    ({"shift": False}, {"shift": False}),
    ({"extra_body": {"raw": True}}, {"raw": True}),
]


@pytest.mark.parametrize(("given", "sent"), BESIDE, ids=str)
def test_nothing_else_leaks_into_the_options(
    server: LoopbackServer, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    model_of(server, **given).invoke("hi")
    body = server.requests[-1]
    assert {k: body[k] for k in sent} == sent
    assert "options" not in body


def test_no_parameter_is_without_a_test() -> None:
    rows = [*(row[0] for row in OPTIONS), *(name for given, _ in BESIDE for name in given)]
    held = {
        test_a_level_of_thinking_is_sent_where_the_model_has_levels: ["reasoning_effort"],
        test_think_tags_in_the_text_are_reasoning_if_asked_for: ["extract_reasoning"],
    }
    assert untested(ChatOllama, rows, held) == set()


def test_the_served_models_are_those_that_were_pulled() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/tags"
        return httpx.Response(200, json={"models": [{"name": "b:1"}, {"name": "a:1"}]})

    model = ChatOllama(model="m", base_url="http://service.test")
    door = model._exchange()
    client = SDKClient(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://x"))
    CLIENTS.use(model._user, door.client_key, lambda: client, is_async=False)
    assert drive(model.served_models(sync_world())) == ["a:1", "b:1"]
    model.close()


def test_a_level_of_thinking_is_sent_where_the_model_has_levels(server: LoopbackServer) -> None:
    facts = {"reasoning_output": True, "reasoning_effort_levels": ["low", "medium", "high"]}
    model_of(server, model="gpt-oss:20b", reasoning_effort="high", profile=facts).invoke("hi")
    assert server.requests[-1]["think"] == "high"


def test_thinking_said_twice_is_an_error() -> None:
    with pytest.raises(InputError, match="reasoning_effort"):
        ChatOllama(model="m", think=True, reasoning_effort="high")


def test_a_developer_message_is_a_system_message(server: LoopbackServer) -> None:
    answer = model_of(server).invoke([DeveloperMessage("Be brief."), HumanMessage("hi")])
    assert server.requests[-1]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert answer.response_metadata["adapted"]


@pytest.mark.filterwarnings("ignore::UserWarning")  # told once in a process
def test_a_choice_of_tools_shows_only_these(server: LoopbackServer) -> None:
    model = model_of(server).bind_tools([get_weather, get_time], tool_choice=["get_time"])
    answer = model.invoke("hi")
    shown = [one["function"]["name"] for one in server.requests[-1]["tools"]]
    assert shown == ["get_time"]
    assert answer.response_metadata["adapted"][0]["name"] == "tool_choice"


def test_no_tools_are_shown_where_none_may_be_called(server: LoopbackServer) -> None:
    model_of(server).bind_tools([get_weather], tool_choice="none").invoke("hi")
    assert "tools" not in server.requests[-1]


def test_nested_parameters_reach_the_server_whole(server: LoopbackServer) -> None:
    parameters = {
        "type": "object",
        "properties": {
            "where": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Point"}]},
            "days": {"type": "integer", "minimum": 1, "maximum": 7},
        },
        "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "number"}}}},
    }
    forecast = {"name": "forecast", "description": "Forecasts.", "parameters": parameters}
    model_of(server).bind_tools([forecast]).invoke("hi")
    assert server.requests[-1]["tools"][0]["function"]["parameters"] == parameters


def test_a_result_names_its_tool(server: LoopbackServer) -> None:
    call = {"type": "tool_call", "name": "get_weather", "args": {"city": "Oslo"}, "id": "c1"}
    talk = [HumanMessage("hi"), AIMessage("", tool_calls=[call]), ToolMessage("Sunny.", "c1")]
    model_of(server).invoke(talk)
    assert server.requests[-1]["messages"][1:] == [
        {
            "role": "assistant", "content": "",
            "tool_calls": [
                {"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}, "id": "c1"}
            ],
        },
        {"role": "tool", "content": "Sunny.", "tool_name": "get_weather", "tool_call_id": "c1"},
    ]  # fmt: skip


def test_a_model_that_is_not_pulled_says_how_to_pull_it() -> None:
    missing = ModelNotFoundError("model 'qwen3:8b' not found", status=404)
    with (
        LoopbackServer(ScriptedChatModel([missing]), OllamaWire()) as server,  # type: ignore[call-arg, arg-type]  # its replies come first
        pytest.raises(ModelNotFoundError, match="ollama pull qwen3:8b"),
    ):
        model_of(server).invoke("hi")


def test_a_server_that_does_not_run_is_said_so() -> None:
    with pytest.raises(ModelConnectionError, match="ollama serve"):
        ChatOllama(model="m", base_url="127.0.0.1:9", max_retries=0).invoke("hi")


def test_think_tags_in_the_text_are_reasoning_if_asked_for() -> None:
    body = {"message": {"content": "<think>\n a  b\n</think>\n\n  code\n"}, "done": True}
    message = decode_response(body, extract_reasoning=True)
    assert message.text == "\n\n  code\n"
    assert message.content_blocks[0] == {"type": "reasoning", "reasoning": "\n a  b\n"}
    assert decode_response(body).text == "<think>\n a  b\n</think>\n\n  code\n"


def test_a_tag_cut_across_lines_is_still_a_tag() -> None:
    decoder = Decoder(extract_reasoning=True)
    chunks = []
    for piece in ("<th", "ink>hm", "m</thi", "nk>so"):
        chunks += decoder.feed({"message": {"content": piece}, "done": False})
    chunks += decoder.feed({"message": {"content": ""}, "done": True})
    total = sum(chunks)
    assert total.text == "so"  # type: ignore[attr-defined]  # chunks add up to one


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "http://127.0.0.1:11434"),
        ("box", "http://box:11434"),
        ("box:8000", "http://box:8000"),
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("http://box:8000/api/chat", "http://box:8000"),
        ("https://ollama.com", "https://ollama.com"),
    ],
)
def test_an_address_is_taken_as_ollama_takes_it(given: Any, url: str) -> None:
    place = ChatOllama(model="m", base_url=given)._place()
    assert place.url == url


def test_the_host_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "gpu-box:9999")
    model: Any = init_chat_model("ollama:qwen3:8b")
    assert model._place().url == "http://gpu-box:9999"
    assert model.explain()["base_url"]["source"] == "environment"


def test_the_clouds_key_goes_to_the_cloud_alone(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "cloud-key-123456")
    model_of(server).invoke("hi")
    assert "authorization" not in server.received[-1].headers
    cloud = ChatOllama(model="m", base_url="https://ollama.com")._place()
    assert cloud.key == "cloud-key-123456"


def test_a_key_that_is_given_is_sent(server: LoopbackServer) -> None:
    model = model_of(server, credential=OllamaCredential(api_key="given-key-123456"))
    model.invoke("hi")
    asyncio.run(model.ainvoke("hi"))
    sent = [one.headers["authorization"] for one in server.received]
    assert sent == ["Bearer given-key-123456"] * 2


def test_tags_of_a_family_have_a_profile() -> None:
    assert ChatOllama(model="qwen3:8b").profile["tool_calling"] is True


def test_the_sdk_has_the_door_that_is_used() -> None:
    assert isinstance(ollama.Client("http://127.0.0.1:9")._client, httpx.Client)
    assert isinstance(ollama.AsyncClient("http://127.0.0.1:9")._client, httpx.AsyncClient)
