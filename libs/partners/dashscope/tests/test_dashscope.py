"""ChatDashScope: what is sent, what comes back, and where it goes."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from typing import Any

import dashscope
import httpx
import pytest
from covering import untested
from dashscope.v2.transport import AsyncTransport, SyncTransport  # type: ignore[import-untyped]  # it ships no types

from headrace import init_chat_model
from headrace.engine.drive import drive
from headrace.engine.worlds import sync_world
from headrace.errors import (
    InputError,
    MissingCredentialError,
    ModelAuthenticationError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    UnsupportedContentError,
)
from headrace.messages import AIMessage, DeveloperMessage, HumanMessage, ToolMessage
from headrace.testing.loopback import LoopbackServer
from headrace.testing.scripted import ScriptedChatModel
from headrace.tools import tool
from headrace_dashscope import ChatDashScope
from headrace_dashscope.decode import Decoder, decode_response
from headrace_dashscope.failures import failure
from headrace_dashscope.loopback import DashScopeWire
from headrace_dashscope.place import MULTIMODAL, TEXT

KEY = "sk-secret-1234567890"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DASHSCOPE_API_KEY", "DASHSCOPE_BASE_URL", "DASHSCOPE_HTTP_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(ScriptedChatModel(["fine"] * 9), DashScopeWire()) as running:  # type: ignore[call-arg, arg-type]  # its replies come first
        yield running


def model_of(server: LoopbackServer, **given: Any) -> ChatDashScope:
    return ChatDashScope(
        **{"model": "qwen-plus", "base_url": server.base_url, "api_key": KEY, **given}
    )


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return f"Noon in {city}."


PARAMETERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *(
        ({name: value}, {name: value})
        for name, value in {
            "temperature": 0.5, "max_tokens": 7, "top_p": 0.9, "top_k": 4, "seed": 3,
            "repetition_penalty": 1.1, "presence_penalty": 1.5, "n": 2, "logprobs": True,
            "enable_search": True, "search_options": {"enable_source": True},
            "preserve_thinking": True, "vl_high_resolution_images": True,
            "modalities": ["text"], "audio": {"voice": "Cherry"},
        }.items()
    ),
    ({"top_logprobs": 2}, {"top_logprobs": 2, "logprobs": True}),
    ({"stop": ["END"]}, {"stop": ["END"]}),
    ({"enable_thinking": True}, {"enable_thinking": True}),
    ({"enable_thinking": False}, {"enable_thinking": False}),
    ({"thinking_budget": 999}, {"enable_thinking": True, "thinking_budget": 999}),
    ({"reasoning_effort": 1024}, {"enable_thinking": True, "thinking_budget": 1024}),
    ({"model_kwargs": {"x": 1}}, {"x": 1}),
    ({"extra_body": {"parameters": {"y": 2}}}, {"y": 2, "result_format": "message"}),
    ({"model_kwargs": {"incremental_output": False}}, {"incremental_output": True}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "sent"), PARAMETERS, ids=str)
def test_a_parameter_reaches_the_wire(
    server: LoopbackServer, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    list(model_of(server, **given).stream("hi"))
    parameters = server.requests[-1]["parameters"]
    assert {name: parameters[name] for name in sent} == sent


def test_no_parameter_is_without_a_test() -> None:
    held = {
        test_whether_calls_are_parallel_is_said_beside_tools: ["parallel_tool_calls"],
        test_key_and_workspace_are_of_each_request_and_no_global: ["workspace"],
        test_a_model_that_sees_has_an_endpoint_of_its_own: ["multimodal"],
    }
    assert (
        untested(ChatDashScope, [name for given, _ in PARAMETERS for name in given], held) == set()
    )


@pytest.mark.parametrize("parallel", [True, False])
def test_whether_calls_are_parallel_is_said_beside_tools(
    server: LoopbackServer, parallel: bool
) -> None:
    model = model_of(server, parallel_tool_calls=parallel)
    model.bind_tools([get_weather]).invoke("hi")
    model.invoke("hi")
    with_tools, without = (request["parameters"] for request in server.requests)
    assert with_tools["parallel_tool_calls"] is parallel
    assert "parallel_tool_calls" not in without


def test_the_served_models_are_listed_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        page = int(request.url.params["page_no"])
        rows = [{"model": f"qwen-{page}-{at}"} for at in range(100 if page == 1 else 1)]
        return httpx.Response(200, json={"output": {"models": rows, "total": 101}})

    make, through = httpx.Client, httpx.MockTransport(answer)
    monkeypatch.setattr(httpx, "Client", lambda **given: make(transport=through, **given))
    model = ChatDashScope(model="m", base_url="http://service.test", api_key=KEY)
    found = drive(model.served_models(sync_world()))
    assert (len(found), found[0], found[-1]) == (101, "qwen-1-0", "qwen-2-0")
    assert [request.url.path for request in asked] == ["/api/v1/models"] * 2
    assert asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_names_of_the_field_are_aliases() -> None:
    model = ChatDashScope(model_name="qwen-max", dashscope_api_key=KEY)
    assert model.model == "qwen-max"
    assert model._place().key == KEY


def test_thinking_that_is_off_has_no_budget() -> None:
    with pytest.raises(InputError, match="reasoning_effort"):
        ChatDashScope(model="m", enable_thinking=False, thinking_budget=99)


@pytest.mark.parametrize(
    ("given", "streams"),
    [({}, True), ({"reasoning_effort": "none"}, False), ({"model": "qwen-max"}, False)],
    ids=str,
)
def test_invoke_streams_inside_where_a_model_may_think(
    server: LoopbackServer, given: dict[str, Any], streams: bool
) -> None:
    assert model_of(server, **given).invoke("hi").text == "fine"
    assert ("x-dashscope-sse" in server.received[-1].headers) is streams


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"model": "qwen-plus"}, TEXT),
        ({"model": "qwen3-vl-plus"}, MULTIMODAL),
        ({"model": "qwen3.7-plus"}, MULTIMODAL),
        ({"model": "my-own-vl-tune"}, MULTIMODAL),
        ({"model": "qvq-72b"}, MULTIMODAL),
        ({"model": "qwen-plus", "multimodal": True}, MULTIMODAL),
        ({"model": "qwen3.7-plus", "multimodal": False}, TEXT),
    ],
    ids=str,
)
def test_a_model_that_sees_has_an_endpoint_of_its_own(
    server: LoopbackServer, given: dict[str, Any], path: str
) -> None:
    model_of(server, **given).invoke("hi")
    assert server.received[-1].path.endswith(path)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "url": "https://x.example/a.png"},
        {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
        {"image": "https://x.example/a.png"},
    ],
    ids=str,
)
def test_an_image_in_any_spelling_is_one_request(
    server: LoopbackServer, block: dict[str, Any]
) -> None:
    model = model_of(server, model="my-tune")
    model.invoke([HumanMessage([block, {"type": "text", "text": "What?"}])])
    parts = [{"image": "https://x.example/a.png"}, {"text": "What?"}]
    assert server.requests[-1]["input"]["messages"] == [{"role": "user", "content": parts}]
    assert server.received[-1].path.endswith(MULTIMODAL)


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "audio", "base64": "AAAA", "mime_type": "audio/mpeg"},
         {"audio": "data:audio/mpeg;base64,AAAA"}),
        ({"type": "video", "url": "https://x.example/v.mp4", "extras": {"fps": 2}},
         {"video": "https://x.example/v.mp4", "fps": 2}),
        ({"type": "video", "base64": "AAAA"}, {"video": "data:video/mp4;base64,AAAA"}),
        ({"video": ["https://x.example/1.jpg"]}, {"video": ["https://x.example/1.jpg"]}),
    ],
    ids=str,
)  # fmt: skip
def test_sound_and_video_have_their_parts(
    server: LoopbackServer, block: dict[str, Any], part: dict[str, Any]
) -> None:
    model_of(server, model="my-tune").invoke([HumanMessage([block])])
    assert server.requests[-1]["input"]["messages"][0]["content"] == [part]


def test_a_file_url_is_not_uploaded(server: LoopbackServer) -> None:
    block = {"type": "image", "url": "file:///etc/passwd"}
    with pytest.raises(UnsupportedContentError, match="bytes"):
        model_of(server, model="my-tune").invoke([HumanMessage([block])])
    assert server.requests == []


def test_any_of_one_tool_is_that_tool(server: LoopbackServer) -> None:
    answer = model_of(server).bind_tools([get_weather], tool_choice="any").invoke("hi")
    choice = {"type": "function", "function": {"name": "get_weather"}}
    assert server.requests[-1]["parameters"]["tool_choice"] == choice
    assert answer.response_metadata["adapted"][0]["name"] == "tool_choice"


@pytest.mark.filterwarnings("ignore:`tool_choice`:UserWarning")  # it is told once a process
def test_any_of_several_tools_is_the_models_choice(server: LoopbackServer) -> None:
    answer = model_of(server).bind_tools([get_weather, get_time], tool_choice="any").invoke("hi")
    assert server.requests[-1]["parameters"]["tool_choice"] == "auto"
    assert answer.response_metadata["adapted"][0]["asked"] == "any"


def test_a_call_and_its_result_go_back(server: LoopbackServer) -> None:
    call = {"type": "tool_call", "name": "get_weather", "args": {"city": "Oslo"}, "id": "c1"}
    said = AIMessage(
        [{"type": "reasoning", "reasoning": "hm"}], tool_calls=[call],
        response_metadata={"model_provider": "dashscope"},
    )  # fmt: skip
    model_of(server).invoke([DeveloperMessage("Be brief."), said, ToolMessage("Sunny.", "c1")])
    function = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    calls = [{"id": "c1", "type": "function", "index": 0, "function": function}]
    assert server.requests[-1]["input"]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "Sunny."},
    ]


def test_reasoning_of_another_provider_stays_behind(server: LoopbackServer) -> None:
    blocks = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "yes"}]
    said = AIMessage(blocks, response_metadata={"model_provider": "anthropic"})
    answer = model_of(server).invoke([HumanMessage("hi"), said, HumanMessage("why?")])
    assert server.requests[-1]["input"]["messages"][1] == {"role": "assistant", "content": "yes"}
    assert answer.response_metadata["adapted"][0]["name"] == "reasoning"


def event(content: Any, finish: str = "null", **more: Any) -> dict[str, Any]:
    output = {"choices": [{"message": {"content": content}, "finish_reason": finish}], **more}
    return {"output": output, "request_id": "r1"}


def test_what_a_search_found_is_a_tool_and_citations() -> None:
    result = {"index": 1, "title": "Sky", "url": "https://x.example/sky", "site_name": "X"}
    decoder = Decoder(annotated=True)
    chunks = decoder.feed(event("Blue", search_info={"search_results": [result]}))
    chunks += decoder.feed(event(" [1]", "stop", search_info={"search_results": [result]}))
    total: Any = sum([*chunks, *decoder.finish()])
    kinds = [block["type"] for block in total.content_blocks]
    assert kinds == ["server_tool_call", "server_tool_result", "text"]
    assert total.text == "Blue [1]"
    assert total.content_blocks[-1]["annotations"] == [
        {
            "type": "citation", "url": "https://x.example/sky", "title": "Sky",
            "extras": {"index": 1, "site_name": "X"},
        }
    ]  # fmt: skip


def test_usage_counts_cached_and_reasoning_tokens() -> None:
    used = {
        "input_tokens": 10, "output_tokens": 5, "image_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 6},
        "output_tokens_details": {"reasoning_tokens": 3},
    }  # fmt: skip
    assert decode_response({**event("hi", "stop"), "usage": used}).usage_metadata == {
        "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
        "input_token_details": {"image": 4, "cache_read": 6},
        "output_token_details": {"reasoning": 3},
    }  # fmt: skip


def test_further_answers_stand_in_the_metadata() -> None:
    body = event("one", "stop")
    other = {"message": {"content": "two"}, "finish_reason": "stop", "index": 1}
    body["output"]["choices"].append(other)
    message = decode_response(body)
    assert message.text == "one"
    assert [one["content"] for one in message.response_metadata["choices"]] == ["two"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Throttling.RateQuota", ModelRateLimitError),
        ("InvalidApiKey", ModelAuthenticationError),
        ("Arrearage", ModelPermissionDeniedError),
    ],
)
def test_an_error_in_a_stream_is_of_the_kind_its_code_says(code: str, kind: type) -> None:
    with pytest.raises(kind, match="no more") as caught:
        Decoder().feed({"code": code, "message": "no more", "request_id": "r9"})
    assert caught.value.request_id == "r9"  # type: ignore[attr-defined]  # a ModelError


def test_an_unpaid_bill_is_no_invalid_request() -> None:
    error = failure(400, {"code": "Arrearage", "message": "pay"}, {})
    assert isinstance(error, ModelPermissionDeniedError)
    assert (error.status, error.code, error.is_retryable) == (400, "Arrearage", False)


@pytest.mark.parametrize("world", ["sync", "async"])
def test_an_error_tells_what_the_service_said(world: str) -> None:
    limit = ModelRateLimitError("slow down", status=429, retry_after=7)
    with LoopbackServer(ScriptedChatModel([limit], max_retries=0), DashScopeWire()) as server:  # type: ignore[call-arg, arg-type]  # as above
        model = model_of(server, max_retries=0)
        with pytest.raises(ModelRateLimitError, match="slow down") as caught:
            _ = model.invoke("hi") if world == "sync" else asyncio.run(model.ainvoke("hi"))
    assert caught.value.retry_after == 7
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "given",
    [
        "https://dashscope-intl.aliyuncs.com",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions",
        "https://dashscope-intl.aliyuncs.com/api/v1",
        f"https://dashscope-intl.aliyuncs.com/api/v1{TEXT}",
    ],
)
def test_an_address_may_be_given_in_any_form(given: str) -> None:
    place = ChatDashScope(model="m", base_url=given)._place()
    assert place.url == "https://dashscope-intl.aliyuncs.com/api/v1"


def test_the_environment_has_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    model: Any = init_chat_model("tongyi:qwen-plus")
    assert model._place().key == KEY
    assert model.explain()["api_key"]["source"] == "environment"


def test_a_missing_key_is_an_error_before_any_request(server: LoopbackServer) -> None:
    with pytest.raises(MissingCredentialError, match="DASHSCOPE_API_KEY"):
        model_of(server, api_key=None).invoke("hi")
    assert server.received == []


def test_key_and_workspace_are_of_each_request_and_no_global(server: LoopbackServer) -> None:
    before = dashscope.api_key, dashscope.base_http_api_url
    model_of(server, workspace="w1", default_headers={"x-mine": "1"}).invoke("hi")
    asyncio.run(model_of(server, api_key=lambda: "sk-other").ainvoke("hi"))
    first, second = (request.headers for request in server.received)
    assert first["authorization"] == f"Bearer {KEY}"
    assert (first["x-dashscope-workspace"], first["x-mine"]) == ("w1", "1")
    assert first["x-dashscope-sdk-client"].startswith("python-sdk/")
    assert second["authorization"] == "Bearer sk-other"
    assert (dashscope.api_key, dashscope.base_http_api_url) == before


def test_a_key_is_in_no_text_of_the_model() -> None:
    model = ChatDashScope(model="m", api_key=KEY)
    dumps = (repr(model), str(model.model_dump()), repr(pickle.dumps(model)))
    assert not any(KEY in text for text in dumps)


def test_profiles_say_how_models_think() -> None:
    assert ChatDashScope(model="qwen-plus").profile["reasoning_toggle"] is True


def test_the_sdk_has_the_door_that_is_used() -> None:
    sync = SyncTransport(base_url="http://127.0.0.1:9", http_client=httpx.Client(), max_retries=0)
    assert callable(sync.open_stream)
    assert callable(AsyncTransport.open_stream)
    sync.http_client.close()
