"""`with_structured_output`: every kind of schema, every method, and what goes wrong."""

from __future__ import annotations

import dataclasses
import enum
import itertools
import json
import pickle
import typing
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from headrace import tool
from headrace.errors import InputError, ModelAPIError, ModelRefusalError, StructuredOutputError
from headrace.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from headrace.testing import FunctionChatModel, OfflineChatModel, ScriptedChatModel


class Actor(BaseModel):
    name: str
    born: int | None = None


class Movie(BaseModel):
    """A film."""

    title: str
    year: int = 0
    cast: list[Actor] = []


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Joke(typing.TypedDict):
    """A joke."""

    setup: Annotated[str, ..., "How it begins"]
    rating: Annotated[int, 5, "How funny it is"]


@dataclasses.dataclass
class Point:
    x: int
    mood: Mood = Mood.GOOD


class Node(BaseModel):
    name: str
    children: list[Node] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return city


def call(name: str, args: Any, id: str = "1") -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": id}])


def text(reply: Any) -> str:
    return reply if isinstance(reply, str) else json.dumps(reply)


KINDS: dict[str, tuple[Any, Any, Any]] = {
    "pydantic": (Movie, {"title": "Alien", "year": 1979}, Movie(title="Alien", year=1979)),
    "nested": (
        Movie,
        {"title": "Alien", "cast": [{"name": "Weaver"}]},
        Movie(title="Alien", cast=[Actor(name="Weaver")]),
    ),
    "dataclass": (Point, {"x": 1, "mood": "bad"}, Point(1, Mood.BAD)),
    "typed dict": (Joke, {"setup": "Knock"}, {"setup": "Knock", "rating": 5}),
    "recursive": (
        Node,
        {"name": "a", "children": [{"name": "b"}]},
        Node(name="a", children=[Node(name="b")]),
    ),
    "union": (Cat | Dog, {"value": {"kind": "dog", "name": "Rex"}}, Dog(kind="dog", name="Rex")),
    "enum": (Mood, {"value": "bad"}, Mood.BAD),
    "list": (list[Joke], {"value": [{"setup": "K", "rating": 1}]}, [{"setup": "K", "rating": 1}]),
    "number": (int, {"value": 3}, 3),
    "schema": (
        {"title": "City", "type": "object", "properties": {"n": {"type": "string"}}},
        {"n": "Ulm"},
        {"n": "Ulm"},
    ),
    "function": (
        {"name": "city", "description": "d", "parameters": {"type": "object", "properties": {}}},
        {"n": "Ulm"},
        {"n": "Ulm"},
    ),
}  # fmt: skip
METHODS = ("json_schema", "function_calling", "json_mode", "prompted")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_schema_by_each_method(world: Any, kind: str, method: Any) -> None:
    schema, said, expected = KINDS[kind]
    probe = ScriptedChatModel(["{}"]).with_structured_output(schema, method=method)
    name = probe.layer.schema.name
    reply = call(name, said) if method == "function_calling" else text(said)
    model = ScriptedChatModel([reply, reply])
    structured = model.with_structured_output(schema, method=method)
    assert world.invoke(structured, "hi") == expected
    assert world.stream(structured, "hi")[-1] == expected


def test_each_method_asks_in_its_own_way(world: Any) -> None:
    for method in METHODS:
        model = ScriptedChatModel(['{"title": "Alien"}'])
        found = model.with_structured_output(Movie, method=method, include_raw=True)
        told = world.invoke(found, "hi")["raw"].response_metadata["structured_output"]
        settings = model.calls[0].settings
        form = settings.response_format
        assert told["method"] == method
        assert [t["name"] for t in settings.tools] == (
            ["Movie"] if method == "function_calling" else []
        )
        assert (form.method if form else None) == (method if "json" in method else None)
        said = any("JSON Schema" in m.text for m in model.calls[0].messages)
        assert said == (method in ("json_mode", "prompted"))


def test_auto_follows_the_profile(world: Any) -> None:
    for facts, method in (
        ({"structured_output": True}, "json_schema"),
        ({"tool_calling": True}, "function_calling"),
        ({"tool_calling": False}, "prompted"),
    ):
        model = ScriptedChatModel(['{"title": "Alien"}'], profile=facts)
        answer = world.invoke(model.with_structured_output(Movie, include_raw=True), "hi")
        assert answer["raw"].response_metadata["structured_output"]["method"] == method


def test_json_mode_adds_the_word_where_no_message_says_it(world: Any) -> None:
    model = ScriptedChatModel(['{"title": "A"}'] * 2)
    structured = model.with_structured_output(Movie, method="json_mode", include_raw=True)
    raw = world.invoke(structured, [SystemMessage("Be brief."), HumanMessage("hi")])["raw"]
    system, _ = model.calls[0].messages
    assert system.text.startswith("Be brief.\n\nAnswer with one JSON object")
    assert raw.response_metadata["adapted"][0]["action"] == "added"
    raw = world.invoke(structured, "As json please")["raw"]
    assert len(model.calls[1].messages) == 1
    assert "adapted" not in raw.response_metadata


@pytest.mark.parametrize(
    "reply",
    [
        'Here you are:\n```json\n{"title": "Alien", "year": 1979}\n```\nEnjoy!',
        'The [best] film is {"title": "Alien", "year": 1979}.',
        '{"Movie": {"title": "Alien", "year": "1979"}}',
        '{"title": "Alien", "year": 1979, "cast": "[]"}',
    ],
)
def test_slips_are_mended_and_recorded(world: Any, reply: str) -> None:
    model = ScriptedChatModel([reply] * 2)
    answer = world.invoke(model.with_structured_output(Movie, include_raw=True), "hi")
    assert answer["parsed"] == Movie(title="Alien", year=1979)
    assert answer["raw"].response_metadata["structured_output"]["repairs"]
    with pytest.raises(StructuredOutputError):
        world.invoke(model.with_structured_output(Movie, repair=False), "hi")


@pytest.mark.parametrize(
    "reply",
    ['{"title": "Alien", "cast": [{"name": "We', 'So: {"title": "Alien"', '[{"title": "A"}, {"ti'],
)
def test_a_cut_off_answer_is_never_completed(world: Any, reply: str) -> None:
    structured = ScriptedChatModel([reply] * 2).with_structured_output(Movie)
    with pytest.raises(StructuredOutputError, match="not JSON"):
        world.invoke(structured, "hi")
    with pytest.raises(StructuredOutputError, match="not JSON"):
        world.stream(structured, "hi")


def test_two_different_objects_in_the_text_are_not_chosen_between(world: Any) -> None:
    model = ScriptedChatModel(['First {"title": "A"}, then {"title": "B"}'])
    with pytest.raises(StructuredOutputError, match="2 different objects"):
        world.invoke(model.with_structured_output(Movie), "hi")


def test_asking_again_says_what_was_wrong(world: Any) -> None:
    model = ScriptedChatModel(['{"year": 1979}', '{"title": "Alien"}'])
    structured = model.with_structured_output(Movie, retries=1, include_raw=True)
    answer = world.invoke(structured, "hi")
    assert answer["parsed"] == Movie(title="Alien")
    assert answer["raw"].response_metadata["structured_output"]["attempts"] == 2
    _, wrong, said = model.calls[1].messages
    assert (wrong.text, "title: Field required" in said.text) == ('{"year": 1979}', True)


def test_asking_again_answers_the_call_that_was_wrong(world: Any) -> None:
    model = ScriptedChatModel([call("Movie", {"year": 1}), call("Movie", {"title": "A"})])
    structured = model.with_structured_output(Movie, method="function_calling", retries=1)
    assert world.invoke(structured, "hi") == Movie(title="A")
    result = model.calls[1].messages[-1]
    assert isinstance(result, ToolMessage)
    assert (result.tool_call_id, result.status) == ("1", "error")


def test_after_the_last_attempt_the_error_holds_all_of_it(world: Any) -> None:
    model = ScriptedChatModel(["no", "no", '{"year": 1}'])
    with pytest.raises(StructuredOutputError) as found:
        world.invoke(model.with_structured_output(Movie, retries=2), "hi")
    error = found.value
    assert (error.attempts, error.raw.text) == (3, '{"year": 1}')
    assert error.errors == ["title: Field required"]
    with pytest.raises(InputError, match="`retries`"):
        model.with_structured_output(Movie, retries=-1)


def test_a_stream_asks_again_and_shows_the_new_object(world: Any) -> None:
    model = ScriptedChatModel(['{"year": 1}', '{"title": "Alien"}'])
    values = world.stream(model.with_structured_output(Movie, retries=1), "hi")
    assert values[-1] == Movie(title="Alien")


def test_another_call_raises_at_once_with_the_calls(world: Any) -> None:
    model = ScriptedChatModel([call("weather", {"city": "Ulm"})])
    structured = model.bind_tools([weather]).with_structured_output(Movie, retries=3)
    with pytest.raises(StructuredOutputError, match="called `weather` instead") as found:
        world.invoke(structured, "hi")
    assert found.value.raw.tool_calls[0]["args"] == {"city": "Ulm"}
    assert len(model.calls) == 1


def test_a_refusal_is_said_and_not_argued_with(world: Any) -> None:
    model = ScriptedChatModel([AIMessage([{"type": "refusal", "refusal": "I will not"}])])
    with pytest.raises(StructuredOutputError, match="refused: I will not") as found:
        world.invoke(model.with_structured_output(Movie, retries=3), "hi")
    assert isinstance(found.value.__cause__, ModelRefusalError)


def test_include_raw_holds_bad_content_and_lets_transport_errors_through(world: Any) -> None:
    cut = {"type": "invalid_tool_call", "name": "Movie", "args": '{"ti', "id": "1", "error": "cut"}
    for reply in ("", "no", '{"year": 1}', AIMessage("", invalid_tool_calls=[cut])):
        structured = ScriptedChatModel([reply] * 2).with_structured_output(Movie, include_raw=True)
        for answer in (world.invoke(structured, "hi"), world.stream(structured, "hi")[-1]):
            assert answer["parsed"] is None
            assert isinstance(answer["parsing_error"], StructuredOutputError)
    down = ScriptedChatModel([ModelAPIError("down", is_retryable=False)])
    with pytest.raises(ModelAPIError):
        world.invoke(down.with_structured_output(Movie, include_raw=True), "hi")


def test_partial_objects_grow_with_what_is_in_them(world: Any) -> None:
    reply = '{"title": "Alien", "year": 1979, "cast": [{"name": "Weaver", "born": 1949}]}'
    model = ScriptedChatModel(
        [[*map(AIMessageChunk, reply), AIMessageChunk(chunk_position="last")]]
    )
    values = world.stream(model.with_structured_output(Movie), "hi")
    assert all(isinstance(value, Movie) for value in values)
    assert (values[0].model_fields_set, values[1].title) == (set(), "")
    assert {v.year for v in values if "year" in v.model_fields_set} == {1979}
    names = [v.cast[0].name for v in values if v.cast and "name" in v.cast[0].model_fields_set]
    assert names[:3] == ["", "W", "We"]
    assert all(isinstance(v.cast[0], Actor) for v in values if v.cast)


def test_dict_schemas_stream_growing_dicts_that_sum_to_the_last(world: Any) -> None:
    schema = {"title": "T", "type": "object", "properties": {"a": {"type": "string"}}}
    reply = [*map(AIMessageChunk, '{"a": "xyz"}'), AIMessageChunk(chunk_position="last")]
    values = world.stream(ScriptedChatModel([reply]).with_structured_output(schema), "hi")
    assert values == [{}, {"a": ""}, {"a": "x"}, {"a": "xy"}, {"a": "xyz"}]
    total = values[0]
    for value in values[1:]:
        total = total + value
    assert total == {"a": "xyz"}


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_the_items_of_a_list_come_one_by_one_and_add_up(world: Any, method: Any) -> None:
    said = '{"value": [{"name": "A"}, {"name": "B", "born": 1}]}'
    if method == "json_schema":
        chunks = [AIMessageChunk(letter) for letter in said]
    else:
        head = {"name": "output", "id": "1", "args": "", "index": 0}
        chunks = [AIMessageChunk(tool_call_chunks=[head])]
        pieces = [{"name": None, "id": None, "args": c, "index": 0} for c in said]
        chunks += [AIMessageChunk(tool_call_chunks=[piece]) for piece in pieces]
    script = [[*chunks, AIMessageChunk(chunk_position="last")]]
    structured = ScriptedChatModel(script).with_structured_output(list[Actor], method=method)
    assert world.stream(structured, "hi") == [[Actor(name="A")], [Actor(name="B", born=1)]]


def test_an_item_comes_before_the_list_is_over() -> None:
    read = []

    def chunks(_: Any) -> Any:
        for piece in ('{"value": [1, ', "2", ", 3]}"):
            read.append(piece)
            yield AIMessageChunk(piece)

    with FunctionChatModel(chunks).with_structured_output(list[int]).stream("hi") as values:
        assert (next(values), len(read)) == ([1], 1)


def test_where_reasoning_excludes_a_forced_tool_the_choice_is_free_then_reasoning_ends(
    world: Any,
) -> None:
    facts = {
        "tool_calling": True,
        "forced_tool_while_reasoning": False,
        "reasoning_output": True,
        "reasoning_effort_levels": ["none", "high"],
    }
    model = ScriptedChatModel(
        ["Let me think.", call("Movie", {"title": "Alien"})], profile=facts, reasoning_effort="high"
    )
    structured = model.with_structured_output(Movie, include_raw=True)
    answer = world.invoke(structured, "hi")
    first, second = (asked.settings for asked in model.calls)
    assert (first.tool_choice, first.params["reasoning_effort"]) == ("auto", "high")
    assert (second.tool_choice, second.params["reasoning_effort"]) == ("Movie", "none")
    assert answer["parsed"] == Movie(title="Alien")
    adapted = answer["raw"].response_metadata["adapted"]
    assert ("reasoning_effort", "high", "none") in [
        (record["name"], record["asked"], record["sent"]) for record in adapted
    ]


def test_a_free_choice_that_gives_the_object_is_enough(world: Any) -> None:
    facts = {"forced_tool_while_reasoning": False, "tool_calling": True}
    model = ScriptedChatModel(
        [call("Movie", {"title": "A"})], profile=facts, reasoning_effort="high"
    )
    answer = world.invoke(model.with_structured_output(Movie, include_raw=True), "hi")
    assert answer["parsed"] == Movie(title="A")
    assert answer["raw"].response_metadata["adapted"][0]["name"] == "tool_choice"


def test_a_layered_model_with_a_schema_pickles(world: Any) -> None:
    model = OfflineChatModel().with_structured_output(Movie, retries=1)
    assert world.invoke(pickle.loads(pickle.dumps(model)), '"A"').title == "A"


def test_what_is_no_schema_is_an_error_before_any_request() -> None:
    for schema, match in (({}, "empty dict"), (lambda x: x, "no JSON Schema")):
        with pytest.raises(InputError, match=match):
            ScriptedChatModel([]).with_structured_output(schema)
    with pytest.raises(InputError, match="`method` is one of"):
        ScriptedChatModel([]).with_structured_output(Movie, method="magic")  # type: ignore[call-overload]


@pytest.mark.parametrize("method", METHODS)
def test_the_offline_model_fills_nested_objects_by_every_method(world: Any, method: Any) -> None:
    model = OfflineChatModel().with_structured_output(Movie, method=method, include_raw=True)
    answer = world.invoke(model, 'I saw "Alien" in 1979')
    assert answer["parsed"].title == "Alien"
    assert answer["raw"].response_metadata["structured_output"] == {
        "method": method,
        "attempts": 1,
    }
    nested = OfflineChatModel().with_structured_output(list[Actor], method=method)
    assert world.invoke(nested, '"Weaver"') == [Actor(name="Weaver")]
    assert world.stream(nested, '"Weaver"') == [[Actor(name="Weaver")]]


ORDERS = list(itertools.permutations(("bind", "tools", "config", "retry", "fallbacks", "schema")))


@pytest.mark.parametrize("order", ORDERS[::17], ids=lambda order: "-".join(order))
def test_every_order_with_a_schema_keeps_everything(world: Any, order: Any) -> None:
    seen: list[Any] = []
    spec = ScriptedChatModel([call("Movie", {"title": "A"})] * 2, callbacks=[seen.append])
    steps: dict[str, Any] = {
        "bind": lambda m: m.bind(temperature=0.5),
        "tools": lambda m: m.bind_tools([weather]),
        "config": lambda m: m.with_config(tags=["t"]),
        "retry": lambda m: m.with_retry(stop_after_attempt=2),
        "fallbacks": lambda m: m.with_fallbacks([OfflineChatModel()]),
        "schema": lambda m: m.with_structured_output(Movie, method="function_calling"),
    }
    model: Any = spec
    for step in order:
        model = steps[step](model)
    assert world.invoke(model, "hi") == Movie(title="A")
    settings = spec.calls[0].settings
    assert {t["name"] for t in settings.tools} == {"weather", "Movie"}
    assert settings.params["temperature"] == 0.5
    assert seen[0].tags == ("t",)
