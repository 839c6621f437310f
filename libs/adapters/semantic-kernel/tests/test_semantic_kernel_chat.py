"""Semantic Kernel's clients in headrace's hands; more in the conformance tests, over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase
from semantic_kernel.connectors.ai.completion_usage import CompletionUsage
from semantic_kernel.connectors.ai.function_calling_utils import (
    update_settings_from_function_call_configuration,
)
from semantic_kernel.connectors.ai.open_ai import (
    OpenAIChatCompletion,
    OpenAIChatPromptExecutionSettings,
)
from semantic_kernel.connectors.ai.prompt_execution_settings import PromptExecutionSettings
from semantic_kernel.contents import (
    AuthorRole,
    ChatMessageContent,
    FinishReason,
    FunctionCallContent,
    StreamingChatMessageContent,
    TextContent,
)
from semantic_kernel.contents.reasoning_content import ReasoningContent
from semantic_kernel.exceptions import ServiceResponseException

from headrace import AIMessage, HumanMessage, SystemMessage, ToolMessage, tool
from headrace.errors import (
    InputError,
    ModelAPIError,
    ModelRateLimitError,
    UnsupportedContentError,
    UnsupportedParameterError,
)
from headrace.testing import OfflineChatModel
from headrace.testing.loopback import LoopbackServer
from headrace_openai.loopback import ChatCompletionsWire
from headrace_semantic_kernel import from_semantic_kernel
from headrace_semantic_kernel.answers import decode, read_usage


class City(BaseModel):
    name: str


@tool
def look_at(city: City) -> str:
    """Looks at a city."""
    return city.name


class ScriptedSettings(PromptExecutionSettings):
    temperature: float | None = None
    stop_sequences: list[str] | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None


class ScriptedClient(ChatCompletionClientBase):
    """A client of Semantic Kernel's own making: what is asked stands in `asked`."""

    SUPPORTS_FUNCTION_CALLING: ClassVar[bool] = True
    answers: list[Any] = []  # noqa: RUF012 - a field of pydantic's
    asked: list[Any] = []  # noqa: RUF012 - as above
    closed: list[int] = []  # noqa: RUF012 - as above

    def get_prompt_execution_settings_class(self) -> type[PromptExecutionSettings]:
        return ScriptedSettings

    def _update_function_choice_settings_callback(self) -> Callable[..., None]:
        return update_settings_from_function_call_configuration

    async def _inner_get_chat_message_contents(self, chat_history: Any, settings: Any) -> Any:
        self.asked.append((chat_history.messages, settings))
        answer = self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [answer]

    async def _inner_get_streaming_chat_message_contents(
        self, chat_history: Any, settings: Any, function_invoke_attempt: int = 0
    ) -> Any:
        self.asked.append((chat_history.messages, settings))
        try:
            for answer in self.answers:
                if isinstance(answer, Exception):
                    raise answer
                yield [answer]
        finally:
            self.closed.append(1)


def said(text: str = "", *items: Any, **fields: Any) -> ChatMessageContent:
    given = [*([TextContent(text=text)] if text else []), *items]
    return ChatMessageContent(role=AuthorRole.ASSISTANT, items=given, **fields)


def piece(text: str = "", **fields: Any) -> StreamingChatMessageContent:
    return StreamingChatMessageContent(
        role=AuthorRole.ASSISTANT, choice_index=0, content=text, **fields
    )


def scripted(*answers: Any, **fields: Any) -> ScriptedClient:
    lists: dict[str, Any] = {"asked": [], "closed": []}
    return ScriptedClient(ai_model_id="scripted", answers=list(answers), **lists, **fields)


def test_usage_that_a_client_does_not_say_is_none() -> None:
    model = from_semantic_kernel(scripted(said("hi")))
    assert model.invoke("x").usage_metadata is None
    streamed = from_semantic_kernel(scripted(piece("hi")))
    assert sum(streamed.stream("x")).usage_metadata is None


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        (CompletionUsage(), None),
        (CompletionUsage(prompt_tokens=0, completion_tokens=0), None),
        (
            CompletionUsage(prompt_tokens=3, completion_tokens=4),
            {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
        ),
        ({"input_tokens": 3, "output_tokens": None}, {"input_tokens": 3}),
    ],
)
def test_usage_is_read_as_far_as_it_is_known(usage: Any, expected: Any) -> None:
    assert read_usage(usage) == expected


def test_a_stream_is_pulled_and_closed_in_both_worlds() -> None:
    client = scripted(piece("a"), piece("b"), piece("c"))
    model = from_semantic_kernel(client)
    with model.stream("x") as chunks:
        assert next(chunks).text == "a"
    deadline = time.monotonic() + 5  # the inner generators close some turns of the loop later
    while not client.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert client.closed == [1]

    async def first() -> str:
        async with model.astream("x") as chunks:
            async for chunk in chunks:
                return chunk.text
        return ""

    assert asyncio.run(first()) == "a"
    assert client.closed == [1, 1]


def test_calls_come_back_and_are_not_invoked() -> None:
    call = FunctionCallContent(id="1", name="look_at", arguments='{"city": {"name": "Rome"}}')
    client = scripted(said("", call, finish_reason=FinishReason.TOOL_CALLS))
    answer = from_semantic_kernel(client).bind_tools([look_at]).invoke("x")
    assert answer.tool_calls[0]["args"] == {"city": {"name": "Rome"}}
    assert answer.response_metadata["finish_reason"] == "tool_calls"
    assert len(client.asked) == 1


def test_arguments_that_are_no_json_are_no_call() -> None:
    call = FunctionCallContent(id="1", name="look_at", arguments="{'city': 'Rome'}")
    answer = from_semantic_kernel(scripted(said("", call))).bind_tools([look_at]).invoke("x")
    assert answer.tool_calls == []
    assert answer.invalid_tool_calls[0]["args"] == "{'city': 'Rome'}"


def test_tools_arrive_with_their_whole_schema() -> None:
    client = scripted(said("ok"))
    model = from_semantic_kernel(client).bind_tools([look_at], tool_choice="look_at")
    model.invoke("x")
    [shown] = client.asked[0][1].tools
    city = shown["function"]["parameters"]["properties"]["city"]
    assert city["properties"]["name"]["type"] == "string"
    assert client.asked[0][1].tool_choice.value == "required"


def test_parameters_go_where_the_client_keeps_them() -> None:
    client = scripted(said("ok"))
    base = ScriptedSettings(temperature=0.9)
    model = from_semantic_kernel(client, base, model_kwargs={"odd": 1})
    model.bind(temperature=0.1).invoke("x", stop=["END"])
    asked = client.asked[0][1]
    assert (asked.temperature, asked.stop_sequences) == (0.1, ["END"])
    assert asked.extension_data["odd"] == 1
    assert base.temperature == 0.9


def test_a_parameter_without_a_place_is_left_out_with_a_record() -> None:
    model = from_semantic_kernel(scripted(said("ok")), model="placeless", max_tokens=9)
    with pytest.warns(UserWarning, match="max_tokens"):
        answer = model.invoke("x")
    assert answer.response_metadata["adapted"][0]["name"] == "max_tokens"


def test_a_client_without_functions_refuses_tools() -> None:
    class Plain(ScriptedClient):
        SUPPORTS_FUNCTION_CALLING: ClassVar[bool] = False

    lists: dict[str, Any] = {"asked": [], "closed": []}
    client = Plain(ai_model_id="plain", answers=[said('{"name": "Rome"}')], **lists)
    model = from_semantic_kernel(client)
    with pytest.raises(UnsupportedParameterError, match="tools"):
        model.bind_tools([look_at]).invoke("x")
    assert model.with_structured_output(City).invoke("x") == City(name="Rome")


def test_a_history_is_one_of_semantic_kernels() -> None:
    client = scripted(said("ok"))
    call = {"name": "look_at", "args": {"a": 1}, "id": "1"}
    thought = {"type": "reasoning", "reasoning": "hm"}
    answer = from_semantic_kernel(client).invoke(
        [
            SystemMessage("be brief"),
            HumanMessage(
                [
                    {"type": "text", "text": "see"},
                    {"type": "image", "base64": "AAAA", "mime_type": "image/png"},
                ]
            ),
            AIMessage([thought, {"type": "text", "text": "so"}], tool_calls=[call]),
            ToolMessage("sunny", "1"),
        ]
    )
    messages = client.asked[0][0]
    assert [m.role.value for m in messages] == ["system", "user", "assistant", "tool"]
    assert messages[1].items[1].data_uri == "data:image/png;base64,AAAA"
    assert messages[2].items[1].name == "look_at"
    assert (messages[3].items[0].id, messages[3].items[0].name) == ("1", "look_at")
    assert [r["name"] for r in answer.response_metadata["adapted"]] == ["reasoning"]


def test_content_that_is_not_carried_is_refused() -> None:
    part = {"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}
    with pytest.raises(UnsupportedContentError):
        from_semantic_kernel(scripted(said("ok"))).invoke([HumanMessage([part])])


def test_reasoning_of_an_answer_is_a_block() -> None:
    item = ReasoningContent(text="hm", metadata={"signature": "abc"})
    found = decode(said("so", item))
    assert found.content_blocks == [
        {"type": "text", "text": "so"},
        {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "abc"}},
    ]


class HttpError(Exception):
    status_code = 429
    body: ClassVar = {"error": {"message": "slow down"}}


@pytest.mark.parametrize("way", ["invoke", "stream"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ServiceResponseException("failed", HttpError("slow")), ModelRateLimitError),
        (ServiceResponseException("failed"), ModelAPIError),
        (LookupError("mine"), LookupError),
    ],
)
def test_errors_are_of_our_tree_with_their_cause(way: str, error: Exception, kind: Any) -> None:
    model = from_semantic_kernel(scripted(error))
    with pytest.raises(kind) as caught:
        list(getattr(model, way)("x"))
    assert error in (caught.value, caught.value.__cause__)


def test_what_is_no_client_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="a chat completion client"):
        from_semantic_kernel("gpt")  # type: ignore[arg-type]  # the test
    with pytest.raises(InputError, match="PromptExecutionSettings"):
        from_semantic_kernel(scripted(), {"temperature": 1})  # type: ignore[arg-type]  # the test


def test_functions_of_a_kernel_are_refused_in_words() -> None:
    settings = OpenAIChatPromptExecutionSettings(function_choice_behavior="auto")
    with pytest.raises(InputError, match="bind_tools"):
        from_semantic_kernel(scripted(said("ok")), settings).invoke("x")


def test_threads_share_a_client_in_sync_batches() -> None:
    with LoopbackServer(OfflineChatModel(), ChatCompletionsWire()) as server:
        sdk = AsyncOpenAI(base_url=server.base_url, api_key="none-needed")
        client = OpenAIChatCompletion(ai_model_id="m", async_client=sdk)
        answers = from_semantic_kernel(client).batch(["a", "b", "c", "d"])
    assert [answer.text for answer in answers] == ["a", "b", "c", "d"]
