"""A headrace model in LangChain's hands."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool as langchain_tool
from pydantic import BaseModel

from headrace import from_callable, init_chat_model, tool
from headrace.errors import InputError, ModelRateLimitError, StructuredOutputError
from headrace.messages import AIMessage
from headrace.testing import ScriptedChatModel
from headrace.testing.loopback import LoopbackServer
from headrace_langchain import ChatHeadrace, to_langchain
from headrace_openai import ChatOpenAI
from headrace_openai.loopback import ChatCompletionsWire


class Movie(BaseModel):
    title: str


@langchain_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return city


@tool
def weather_of(city: str) -> str:
    """The weather in a city."""
    return city


def test_a_model_in_a_chain_of_langchains_over_real_http() -> None:
    with LoopbackServer(init_chat_model("offline:demo"), ChatCompletionsWire()) as server:
        model = ChatOpenAI(model="m", base_url=server.base_url, api_key="none-needed")
        chain = ChatPromptTemplate.from_template("Say {word}") | to_langchain(model)
        assert (chain | StrOutputParser()).invoke({"word": "hello"}) == "Say hello"
        assert "".join((chain | StrOutputParser()).stream({"word": "hello"})) == "Say hello"
        assert [m.text for m in chain.batch([{"word": "a"}, {"word": "b"}])] == ["Say a", "Say b"]
        assert len(server.requests) == 4


def test_parameters_and_stop_words_reach_the_model() -> None:
    seen: list[Any] = []

    def answer(messages: Any, temperature: Any, stop: Any, max_tokens: Any) -> str:
        seen.append((temperature, stop, max_tokens))
        return "ok"

    model = to_langchain(from_callable(answer, temperature=0.5))
    model.invoke("hi", stop=["END"])
    model.bind(max_tokens=5).invoke("hi", temperature=1)
    assert seen == [(0.5, ["END"], None), (1, None, 5)]


def test_a_name_makes_the_model_with_its_parameters() -> None:
    model = ChatHeadrace(model="offline:demo", temperature=0.5)
    assert model.model.temperature == 0.5
    assert model.profile is not None
    assert model.profile["tool_calling"] is True
    with pytest.raises(InputError, match="temprature"):
        ChatHeadrace(model="offline:demo", temprature=0.5)


def test_a_key_stands_nowhere_in_the_bridge() -> None:
    model = ChatHeadrace(model="openai:gpt-4.1", api_key="sk-bridge-12345678")
    shown = f"{model!r} {model} {model.asdict()} {model.model_dump(exclude={'model'})}"
    assert "sk-bridge" not in shown


@pytest.mark.parametrize("given", [get_weather, weather_of, lambda: None])
def test_tools_of_either_side_are_bound(given: Any) -> None:
    def get_temperature(city: str) -> str:
        """The weather in a city."""
        return city

    given = given if hasattr(given, "name") else get_temperature
    model = to_langchain(init_chat_model("offline:demo")).bind_tools([given])
    [call] = model.invoke("Weather in Boston?").tool_calls
    assert call["args"] == {"city": "Boston"}
    total: Any = None
    for chunk in model.stream("Weather in Boston?"):
        total = chunk if total is None else total + chunk
    assert total.tool_calls[0]["args"] == {"city": "Boston"}


@pytest.mark.parametrize("method", [None, "function_calling", "json_schema", "json_mode", "auto"])
def test_objects_by_langchains_way_and_by_headraces(method: str | None) -> None:
    model = to_langchain(init_chat_model("offline:demo"))
    structured = model.with_structured_output(Movie, **({"method": method} if method else {}))
    asked = 'I saw "Inception".'
    assert structured.invoke(asked) == Movie(title="Inception")
    assert asyncio.run(structured.ainvoke(asked)) == Movie(title="Inception")
    assert list(structured.stream(asked))[-1] == Movie(title="Inception")


def test_an_answer_that_is_no_object_is_an_error_or_stands_beside_the_raw_one() -> None:
    model = to_langchain(ScriptedChatModel(["no object", "no object"]))
    with pytest.raises(StructuredOutputError):
        model.with_structured_output(Movie, method="json_mode").invoke("hi")
    found = model.with_structured_output(Movie, method="json_mode", include_raw=True).invoke("hi")
    assert (found["raw"].text, found["parsed"]) == ("no object", None)
    assert isinstance(found["parsing_error"], StructuredOutputError)


class Seen(BaseCallbackHandler):
    def __init__(self) -> None:
        self.events: list[str] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.events.append("start")

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.events.append(f"token {token}")

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.events.append("end")

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.events.append(f"error {type(error).__name__}")


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_callbacks_of_langchain_fire(way: str) -> None:
    seen = Seen()
    model = to_langchain(ScriptedChatModel(["one two", ModelRateLimitError("no")], max_retries=0))
    call = getattr(model, way)
    list(call("hi", {"callbacks": [seen]}))
    with pytest.raises(ModelRateLimitError):
        list(call("hi", {"callbacks": [seen]}))
    assert (seen.events[0], seen.events[-1]) == ("start", "error ModelRateLimitError")
    assert "end" in seen.events
    if way == "stream":
        assert seen.events[1:3] == ["token one ", "token two"]


def test_tags_and_metadata_of_langchain_reach_headraces_listeners() -> None:
    events: list[Any] = []

    class Listener:
        wants = frozenset({"started"})
        raise_errors = True

        def handle(self, event: Any) -> None:
            events.append(event)

    model = to_langchain(init_chat_model("offline:demo").with_config(callbacks=[Listener()]))
    model.invoke("hi", {"tags": ["t"], "metadata": {"k": 1}})
    assert "t" in events[0].tags
    assert events[0].metadata["k"] == 1


def test_leaving_a_stream_closes_the_models() -> None:
    closed: list[int] = []

    def endless(messages: Any) -> Any:
        try:
            while True:
                yield "x"
        finally:
            closed.append(1)

    stream = to_langchain(from_callable(endless)).stream("hi")
    next(stream)
    stream.close()
    assert closed == [1]


def test_langchains_cache_tells_models_apart() -> None:
    cache = InMemoryCache()
    models = [
        ChatHeadrace(model=from_callable(lambda m, said=said: said, said), cache=cache)
        for said in "ab"
    ]
    for _ in range(2):
        assert [model.invoke("hi").text for model in models] == ["a", "b"]


def test_unknown_usage_is_none_and_metadata_is_headraces() -> None:
    answer = to_langchain(from_callable(lambda messages: "x", "mine")).invoke("hi")
    assert answer.usage_metadata is None
    assert answer.response_metadata["model_provider"] == "callable"
    assert answer.response_metadata["model_name"] == "mine"


def test_tokens_are_counted_by_headrace() -> None:
    model = to_langchain(init_chat_model("offline:demo"))
    inner = init_chat_model("offline:demo")
    assert model.get_num_tokens("hello there") == inner.get_num_tokens("hello there")
    found = model.get_num_tokens_from_messages([HumanMessage("hello there")], [get_weather])
    assert found > inner.get_num_tokens("hello there")


def test_a_model_that_answers_with_objects_is_refused_in_words() -> None:
    structured: Any = init_chat_model("offline:demo").with_structured_output(Movie)
    with pytest.raises(InputError, match="without `with_structured_output`"):
        to_langchain(structured).invoke('I saw "Inception".')
    with pytest.raises(InputError, match="a headrace model or its name"):
        to_langchain(3)  # type: ignore[arg-type]  # the test


def test_blocks_from_the_start_where_they_are_asked_for() -> None:
    model = ChatHeadrace(model="offline:demo", output_version="v1")
    total: Any = None
    for chunk in model.stream("hello there"):
        assert isinstance(chunk.content, list)
        total = chunk if total is None else total + chunk
    assert total.content == [{"type": "text", "text": "hello there", "index": 0}]
    assert model.invoke("hello").content_blocks == [{"type": "text", "text": "hello"}]


def test_an_image_of_langchains_reaches_the_model() -> None:
    seen: list[Any] = []
    model = to_langchain(from_callable(lambda messages: seen.extend(messages) or "ok"))
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    model.invoke([HumanMessage([{"type": "text", "text": "see"}, part])])
    assert seen[0].content_blocks[1] == {
        "type": "image",
        "base64": "AAAA",
        "mime_type": "image/png",
    }


def test_history_goes_there_and_back() -> None:
    call = {"name": "get_weather", "args": {"city": "Rome"}, "id": "1"}
    model = to_langchain(ScriptedChatModel([AIMessage("", tool_calls=[call]), "sunny"]))
    history: list[Any] = [HumanMessage("weather?"), model.invoke("weather?")]
    history.append(get_weather.invoke({**call, "type": "tool_call"}))
    assert model.invoke(history).text == "sunny"
    assert [m.type for m in model.model.calls[1].messages] == ["human", "ai", "tool"]
