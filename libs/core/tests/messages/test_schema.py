from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)


class State(BaseModel):
    messages: list[AnyMessage]
    last: AIMessage | None = None


MESSAGES: list[Any] = [
    HumanMessage("a"),
    AIMessage("b", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "1"}]),
    ToolMessage("c", tool_call_id="1"),
    AIMessageChunk("d", chunk_position="last"),
]


def test_instances_pass_through_a_pydantic_model() -> None:
    state = State(messages=MESSAGES, last=MESSAGES[1])
    assert all(a is b for a, b in zip(state.messages, MESSAGES, strict=True))
    assert state.last is MESSAGES[1]


def test_a_pydantic_model_of_messages_survives_json() -> None:
    state = State(messages=MESSAGES)
    assert State.model_validate_json(state.model_dump_json()) == state
    assert State.model_validate(state.model_dump()) == state


def test_dicts_are_read_by_type_and_by_role() -> None:
    state = State.model_validate(
        {"messages": [{"type": "human", "content": "a"}, {"role": "assistant", "content": "b"}]}
    )
    assert state.messages == [HumanMessage("a"), AIMessage("b")]


def test_a_field_of_one_kind_takes_a_dict_without_type() -> None:
    assert TypeAdapter(HumanMessage).validate_python({"content": "x"}) == HumanMessage("x")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"type": "hologram", "content": "x"}, "hologram"),
        ({"type": "human", "content": 5}, "not int"),
        ({"type": "ai", "content": "x", "tool_calls": [{"args": {}}]}, "needs a `name`"),
        ("x", "messages"),
    ],
)
def test_a_bad_message_is_a_validation_error_that_says_what(given: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        State(messages=[given])


def test_a_message_of_another_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="is not AIMessage"):
        TypeAdapter(AIMessage).validate_python({"type": "human", "content": "x"})
    with pytest.raises(ValidationError):
        TypeAdapter(AIMessage).validate_python(HumanMessage("x"))


def test_the_base_class_stands_for_all_kinds() -> None:
    adapter: TypeAdapter[BaseMessage] = TypeAdapter(BaseMessage)
    assert [adapter.validate_python(m) for m in MESSAGES] == MESSAGES
    assert adapter.validate_json('{"type": "human", "content": "x"}') == HumanMessage("x")


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_the_json_schema_has_every_kind(mode: Any) -> None:
    schema = State.model_json_schema(mode=mode)
    assert {"HumanMessage", "AIMessage", "ToolMessage", "AIMessageChunk"} <= schema["$defs"].keys()
    human = schema["$defs"]["HumanMessage"]
    assert human["properties"]["type"]["const"] == "human"
    assert "content" in human["properties"]
    assert schema["$defs"]["ToolMessage"]["required"] == ["tool_call_id"]


def test_a_chunk_is_an_ai_message_to_pydantic_too() -> None:
    chunk = AIMessageChunk("a") + AIMessageChunk("b")
    assert TypeAdapter(AIMessage).validate_python(chunk) is chunk
    assert TypeAdapter(AIMessageChunk).dump_python(chunk)["content"] == "ab"
