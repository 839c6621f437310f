"""A LangChain model in headrace's hands; more in test_conformance, over real HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage as LangChainAIMessage
from langchain_core.output_parsers import StrOutputParser

from headrace import tool
from headrace.caches import InMemoryCache
from headrace.errors import (
    InputError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelTimeoutError,
    UnsupportedParameterError,
)
from headrace_langchain import from_langchain, to_langchain


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return city


def fake(*answers: Any) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter(answers))


class Failing(GenericFakeChatModel):
    error: Any = None

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        raise self.error


def failing(error: Exception) -> Failing:
    return Failing(messages=iter([]), error=error)


def ways(model: Any) -> list[Any]:
    async def collected() -> Any:
        return sum([chunk async for chunk in model.astream("hi")])

    return [
        model.invoke("hi"),
        asyncio.run(model.ainvoke("hi")),
        sum(model.stream("hi")),
        asyncio.run(collected()),
    ]


def test_every_door_gives_the_answer_without_invented_usage() -> None:
    found = ways(from_langchain(fake(*["one two"] * 4)))
    assert [answer.text for answer in found] == ["one two"] * 4
    assert [answer.usage_metadata for answer in found] == [None] * 4
    assert {answer.response_metadata["model_provider"] for answer in found} == {"langchain"}


def test_pieces_come_as_langchain_makes_them() -> None:
    chunks = list(from_langchain(fake("one two")).stream("hi"))
    assert [chunk.text for chunk in chunks][:3] == ["one", " ", "two"]


def test_tools_are_refused_by_a_model_that_takes_none() -> None:
    with pytest.raises(UnsupportedParameterError, match="tools"):
        from_langchain(fake("x")).bind_tools([get_weather]).invoke("hi")


@pytest.mark.parametrize(
    "around",
    [
        lambda model: model.bind(temperature=0.5),
        lambda model: model.with_retry(),
        lambda model: model.with_config(tags=["t"]),
        lambda model: model.with_fallbacks([model]),
    ],
)
def test_tools_reach_a_model_under_what_langchain_puts_around_it(around: Any) -> None:
    inner = around(to_langchain("offline:demo"))
    answer = from_langchain(inner).bind_tools([get_weather]).invoke("Weather in Boston?")
    assert answer.tool_calls[0]["args"] == {"city": "Boston"}


def test_one_of_several_allowed_tools_is_asked_for_by_showing_no_others() -> None:
    seen: list[Any] = []

    class Binding(GenericFakeChatModel):
        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            seen.append(([found["function"]["name"] for found in tools], kwargs))
            return self

    @tool
    def other(x: int) -> int:
        """Another."""
        return x

    model = from_langchain(Binding(messages=iter(["x"])))
    model.bind_tools([get_weather, other], tool_choice=["get_weather"]).invoke("hi")
    assert seen == [(["get_weather"], {"tool_choice": "any"})]


class HttpError(Exception):
    status_code = 429
    body = {"error": {"message": "slow down"}}  # noqa: RUF012 - as SDKs have it


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (HttpError("slow"), ModelRateLimitError),
        (TimeoutError("late"), ModelTimeoutError),
        (ConnectionResetError("gone"), ModelConnectionError),
    ],
)
def test_errors_are_of_our_tree_with_their_cause(error: Exception, kind: type[Exception]) -> None:
    model = from_langchain(failing(error))
    for call in (model.invoke, lambda given: list(model.stream(given))):
        with pytest.raises(kind) as caught:
            call("hi")
        assert caught.value.__cause__ is error


def test_an_error_that_says_nothing_of_a_model_passes_as_it_is() -> None:
    with pytest.raises(LookupError, match="mine"):
        from_langchain(failing(LookupError("mine"))).invoke("hi")


def test_what_is_no_chat_model_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="a chat model of LangChain's"):
        from_langchain("gpt")  # type: ignore[arg-type]  # the test
    with pytest.raises(InputError, match="not a message"):
        from_langchain(fake("x") | StrOutputParser()).invoke("hi")


def test_two_models_alike_do_not_share_cached_answers() -> None:
    cache = InMemoryCache()
    models = [from_langchain(fake(said), model="same", cache=cache) for said in "ab"]
    for _ in range(2):
        assert [model.invoke("hi").text for model in models] == ["a", "b"]


def test_a_message_given_to_the_fake_arrives_with_its_calls() -> None:
    call = {"name": "get_weather", "args": {"city": "Rome"}, "id": "1", "type": "tool_call"}
    answer = from_langchain(fake(LangChainAIMessage("", tool_calls=[call]))).invoke("hi")
    assert answer.tool_calls == [call]
    assert answer.response_metadata["finish_reason"] == "tool_calls"
