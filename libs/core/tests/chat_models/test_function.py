from __future__ import annotations

import asyncio
import pickle
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from headrace import from_callable, tool
from headrace.caches import InMemoryCache
from headrace.callbacks import BaseCallbackHandler
from headrace.chat_models import FunctionChatModel, Settings
from headrace.errors import (
    InputError,
    ModelRateLimitError,
    SuspendedError,
    UnsupportedParameterError,
)
from headrace.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage


@tool
def look(city: str) -> str:
    """Looks at a city."""
    return city


class Movie(BaseModel):
    title: str
    year: int


def plain(messages: Any) -> str:
    return messages[-1].text + "!"


async def later(messages: Any) -> str:
    return messages[-1].text + "!"


def spelled(messages: Any) -> Any:
    yield from messages[-1].text
    yield "!"


async def spelled_later(messages: Any) -> Any:
    for letter in messages[-1].text:
        yield letter
    yield "!"


async def opened_later(messages: Any) -> Any:
    return spelled_later(messages)


KINDS = {
    "function": plain,
    "coroutine function": later,
    "generator": spelled,
    "async generator": spelled_later,
    "function of an iterator": lambda messages: iter([*messages[-1].text, "!"]),
    "function of a coroutine": lambda messages: later(messages),
    "function of an async iterator": lambda messages: spelled_later(messages),
    "coroutine function of an async iterator": opened_later,
    "partial": partial(lambda mark, messages: messages[-1].text + mark, "!"),
    "function of blocks": lambda messages: [{"type": "text", "text": messages[-1].text + "!"}],
    "function of a message": lambda messages: AIMessage(messages[-1].text + "!"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_function_is_it_answers_and_streams(world: Any, kind: str) -> None:
    model = from_callable(KINDS[kind])
    assert world.invoke(model, "hi").text == "hi!"
    assert "".join(chunk.text for chunk in world.stream(model, "hi")) == "hi!"
    assert [message.text for message in world.batch(model, ["a", "b"])] == ["a!", "b!"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_of_a_function_adds_up_to_its_answer(world: Any, kind: str) -> None:
    model = from_callable(KINDS[kind])
    total = sum(world.stream(model, "hi")).response_metadata
    whole = world.invoke(model, "hi").response_metadata
    for name in ("model_provider", "model_name", "finish_reason"):
        assert total[name] == whole[name]


def test_pieces_come_as_they_are_made(world: Any) -> None:
    assert [c.text for c in world.stream(from_callable(spelled), "ab")][:3] == ["a", "b", "!"]


def test_a_function_sees_the_whole_conversation() -> None:
    seen: list[Any] = []
    history = [SystemMessage("be brief"), HumanMessage("hi")]
    from_callable(lambda messages: seen.extend(messages) or "yes").invoke(history)
    assert seen == history


def test_content_reaches_a_function_with_its_cache_marks() -> None:
    seen: list[Any] = []
    part = {"type": "text", "text": "hi", "extras": {"cache_control": {"type": "ephemeral"}}}
    model = from_callable(lambda messages: seen.extend(messages) or "yes")
    assert "adapted" not in model.invoke([HumanMessage([part])]).response_metadata
    assert seen[0].content == [part]


def test_an_answer_says_whose_it_is_and_that_its_usage_is_unknown(world: Any) -> None:
    answer = world.invoke(from_callable(plain), "hi")
    about = answer.response_metadata
    assert (about["model_provider"], about["model_name"]) == ("callable", "plain")
    assert about["finish_reason"] == "stop"
    assert answer.usage_metadata is None
    assert "cost_usd" not in about


def test_what_a_function_says_of_its_answer_stands(world: Any) -> None:
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    said = AIMessage(
        "x",
        id="r1",
        usage_metadata=usage,
        response_metadata={"model_name": "inner", "finish_reason": "length", "x": 1},
        additional_kwargs={"k": "v"},
    )
    for answer in (world.invoke(from_callable(lambda messages: said), "hi"), said):
        assert (answer.id, answer.usage_metadata) == ("r1", usage)
        about = answer.response_metadata
        assert (about["model_name"], about["finish_reason"], about["x"]) == ("inner", "length", 1)
        assert answer.additional_kwargs == {"k": "v"}
    assert said.response_metadata.keys() == {"model_name", "finish_reason", "x"}


CALL = {"name": "look", "args": {"city": "Rome"}, "id": "1", "type": "tool_call"}


@pytest.mark.parametrize(
    "answer",
    [
        AIMessage("", tool_calls=[{**CALL, "extras": {"signature": "s"}}]),
        AIMessage([{"type": "text", "text": "so"}, {**CALL, "extras": {"signature": "s"}}]),
    ],
)
def test_calls_of_a_function_arrive_once_and_with_all_they_carry(world: Any, answer: Any) -> None:
    model = from_callable(lambda messages, tools: answer).bind_tools([look])
    found = world.invoke(model, "hi")
    assert found.tool_calls == answer.tool_calls
    assert found.content_blocks == answer.content_blocks
    assert found.response_metadata["finish_reason"] == "tool_calls"


def test_pieces_of_calls_join(world: Any) -> None:
    def calling(messages: Any, tools: Any) -> Any:
        head = {"name": "look", "id": "1", "args": '{"city": ', "index": 0}
        yield AIMessageChunk(tool_call_chunks=[head])
        yield AIMessageChunk(tool_call_chunks=[{"args": '"Rome"}', "index": 0}])

    found = world.invoke(from_callable(calling).bind_tools([look]), "hi")
    assert found.tool_calls == [CALL]
    assert found.response_metadata["finish_reason"] == "tool_calls"


def test_a_function_gets_by_name_what_it_asks_for() -> None:
    seen: dict[str, Any] = {}

    def answer(
        messages: Any, *, model: str, tools: Any, tool_choice: Any, stop: Any, temperature: float
    ) -> str:
        seen.update(model=model, tools=tools, choice=tool_choice, stop=stop, heat=temperature)
        return "ok"

    bound = from_callable(answer, "mine", temperature=0.5).bind_tools([look], tool_choice="look")
    bound.invoke("hi", stop=["END"])
    [seen_tool] = seen.pop("tools")
    assert seen_tool["name"] == "look"
    assert seen == {"model": "mine", "choice": "look", "stop": ["END"], "heat": 0.5}


def test_what_is_not_set_is_the_functions_own_default_or_none() -> None:
    def answer(
        messages: Any, temperature: float = 0.3, max_tokens: Any = None, *, stop: Any
    ) -> Any:
        return repr((temperature, max_tokens, stop))

    assert from_callable(answer).invoke("hi").text == "(0.3, None, None)"


def test_the_second_argument_is_the_settings_and_any_other_takes_what_is_set() -> None:
    def second(messages: Any, asked: Settings) -> str:
        return f"{asked.params['temperature']} {len(asked.tools)}"

    def rest(messages: Any, **others: Any) -> str:
        return " ".join(sorted(others))

    for function, said in ((second, "0.0 1"), (rest, "model temperature tools top_k")):
        model = from_callable(function, temperature=0, model_kwargs={"top_k": 4})
        assert model.bind_tools([look]).invoke("hi").text == said


def test_parameters_of_its_own_reach_a_function_by_name() -> None:
    def answer(messages: Any, top_k: int) -> str:
        return str(top_k)

    assert from_callable(answer, model_kwargs={"top_k": 4}).invoke("hi").text == "4"


def test_a_name_that_no_request_has_is_an_error_when_the_model_is_made() -> None:
    def answer(messages: Any, temprature: float) -> str:
        return ""

    with pytest.raises(InputError, match=r"`temprature`.*did you mean `temperature`"):
        from_callable(answer)
    with pytest.raises(InputError, match="takes no messages"):
        from_callable(lambda: "x")


def test_what_a_function_does_not_see_is_recorded_or_refused(world: Any) -> None:
    model = from_callable(plain, f"unseeing-{world.is_async}", temperature=0.5)
    with pytest.warns(UserWarning, match=r"`temperature`.*`plain\(\)` does not take"):
        answer = world.invoke(model, "hi")
    [record] = answer.response_metadata["adapted"]
    assert (record["name"], record["sent"]) == ("temperature", None)
    with pytest.raises(UnsupportedParameterError, match="tools"):
        world.invoke(from_callable(plain).bind_tools([look]), "hi")


def by_tool(messages: Any, tools: Any, tool_choice: Any) -> AIMessage:
    assert tool_choice == "Movie"
    args = {"title": "Inception", "year": 2010}
    return AIMessage("", tool_calls=[{"name": tools[0]["name"], "args": args, "id": "1"}])


def by_schema(messages: Any, response_format: Any) -> str:
    assert response_format.schema["required"] == ["title", "year"]
    return '{"title": "Inception", "year": 2010}'


def in_words(messages: Any) -> Any:
    assert "JSON Schema" in messages[0].text
    yield '{"title": "Incep'
    yield 'tion", "year": 2010}'


@pytest.mark.parametrize("function", [by_tool, by_schema, in_words])
def test_an_object_is_asked_for_as_the_function_can_see_it(world: Any, function: Any) -> None:
    structured = from_callable(function).with_structured_output(Movie)
    assert world.invoke(structured, "hi") == Movie(title="Inception", year=2010)
    assert world.stream(structured, "hi")[-1] == Movie(title="Inception", year=2010)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_leaving_a_stream_closes_the_generator(world: Any, asynchronous: bool) -> None:
    closed: list[int] = []

    def endless(messages: Any) -> Any:
        try:
            while True:
                yield "x"
        finally:
            closed.append(1)

    async def endless_later(messages: Any) -> Any:
        try:
            while True:
                yield "x"
        finally:
            closed.append(1)

    model = from_callable(endless_later if asynchronous else endless)
    assert [chunk.text for chunk in world.read(model, "hi", 2)] == ["x", "x"]
    assert closed == [1]


@pytest.mark.parametrize("when", ["at once", "in the stream"])
def test_an_error_of_a_function_passes_as_it_is(world: Any, when: str) -> None:
    def failing(messages: Any) -> Any:
        if when == "in the stream":
            yield "a"
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing") as caught:
        world.invoke(from_callable(failing), "hi")
    assert caught.value.__notes__ == ["raised in step `FunctionChatModel`"]


def test_a_function_that_raises_what_may_be_tried_again_is_called_again(world: Any) -> None:
    made: list[int] = []

    def limited(messages: Any) -> str:
        made.append(1)
        if len(made) < 3:
            raise ModelRateLimitError("slow down", retry_after=0.0)
        return "ok"

    assert world.invoke(from_callable(limited), "hi").text == "ok"
    assert len(made) == 3


def test_no_answer_is_an_error_that_says_what_is_one(world: Any) -> None:
    with pytest.raises(InputError, match=r"an AIMessage, or an iterator .* not NoneType None"):
        world.invoke(from_callable(lambda messages: None), "hi")


def test_a_coroutine_that_really_waits_wants_an_async_door() -> None:
    async def waits(messages: Any) -> str:
        await asyncio.sleep(0)
        return "ok"

    model = from_callable(waits)
    assert asyncio.run(model.ainvoke("hi")).text == "ok"
    with pytest.raises(SuspendedError, match="ainvoke"):
        model.invoke("hi")


def test_listeners_see_each_chunk_of_a_function(world: Any) -> None:
    tokens: list[str] = []

    class Seen(BaseCallbackHandler):
        def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
            tokens.append(token)

    world.invoke(from_callable(spelled), "ab", {"callbacks": [Seen()]})
    assert tokens[:3] == ["a", "b", "!"]


def test_functions_made_alike_do_not_share_cached_answers(world: Any) -> None:
    def saying(text: str) -> Any:
        return lambda messages: text

    cache = InMemoryCache()
    models = [from_callable(saying(text), "same", cache=cache) for text in "ab"]
    models += [from_callable(f, "same", cache=cache) for f in (lambda m: "c", lambda m: "d")]
    for _ in range(2):
        assert [world.invoke(model, "hi").text for model in models] == ["a", "b", "c", "d"]
    assert world.invoke(models[0], "hi").response_metadata["cached"]
    assert world.invoke(models[3], "hi").response_metadata["cached"]


def test_a_model_of_a_function_of_a_module_pickles() -> None:
    copied = pickle.loads(pickle.dumps(from_callable(len_of)))
    assert copied.invoke("hi").text == "1"
    assert isinstance(copied, FunctionChatModel)


def len_of(messages: Any) -> str:
    return str(len(messages))


def test_the_profile_says_what_the_signature_says() -> None:
    seeing = from_callable(by_tool).profile
    assert (seeing["tool_calling"], from_callable(plain).profile["tool_calling"]) == (True, False)
    assert from_callable(plain, profile={"max_input_tokens": 9}).profile["max_input_tokens"] == 9
