"""A model whose service enforces schemas: what it is sent, and what it cannot take."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from headrace.chat_models import Wire
from headrace.errors import InputError, StructuredOutputError
from headrace.messages import AIMessage
from headrace.testing import ScriptedChatModel
from headrace.tools import SCHEMA_DIALECTS, tool

FACTS = {"structured_output": True, "tool_calling": True}
W14 = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Person",
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "mood": {"type": "string", "enum": ["good", "bad", None]},
    },
    "required": ["name", "mood"],
}


class Short(BaseModel):
    word: str = Field(max_length=3)


class Node(BaseModel):
    name: str
    children: list[Node] = []


class Enforcing(ScriptedChatModel):
    service: str = "anthropic"

    def _wire(self) -> Wire:
        return Wire(service=self.service, schemas=SCHEMA_DIALECTS[self.service])


def call(name: str, args: dict[str, Any]) -> AIMessage:
    made = {"type": "tool_call", "name": name, "args": args, "id": "1"}
    return AIMessage("", tool_calls=[made])  # type: ignore[list-item]  # a dict of a call


def test_a_schema_is_sent_as_the_service_takes_it_and_the_answer_held_against_all(
    world: Any,
) -> None:
    model = Enforcing(['{"word": "long word"}', '{"word": "it"}'], profile=FACTS)
    structured = model.with_structured_output(Short, retries=1, include_raw=True)
    answer = world.invoke(structured, "hi")
    assert answer["parsed"] == Short(word="it")
    sent = model.calls[0].settings.response_format.schema
    assert sent["properties"]["word"]["description"] == "(maxLength: 3)"
    assert sent["additionalProperties"] is False
    adapted = answer["raw"].response_metadata["adapted"]
    assert [(r["name"], r["asked"]) for r in adapted] == [("response_format.word.maxLength", 3)]


@pytest.mark.parametrize("service", SCHEMA_DIALECTS)
@pytest.mark.parametrize("strict", [None, True])
def test_null_in_an_enum_of_draft_4_works_at_every_service(
    service: str, strict: bool | None, world: Any
) -> None:
    model = Enforcing(['{"name": "Ann", "mood": null}'], profile=FACTS, service=service)
    structured = model.with_structured_output(W14, strict=strict)
    assert world.invoke(structured, "hi") == {"name": "Ann", "mood": None}
    assert model.calls[0].settings.response_format is not None


def test_auto_asks_by_a_tool_for_what_the_service_cannot_enforce(world: Any) -> None:
    model = Enforcing([call("Node", {"name": "a"})], profile=FACTS)
    answer = world.invoke(model.with_structured_output(Node, include_raw=True), "hi")
    assert answer["parsed"] == Node(name="a")
    told = answer["raw"].response_metadata
    assert told["structured_output"]["method"] == "function_calling"
    assert told["adapted"][0]["name"] == "method"
    assert "contains itself" in told["adapted"][0]["reason"]


def test_what_was_asked_for_by_name_and_cannot_be_is_an_error(world: Any) -> None:
    model = Enforcing([], profile=FACTS).with_structured_output(Node, method="json_schema")
    with pytest.raises(InputError, match="`response_format` for `anthropic`"):
        world.invoke(model, "hi")


def test_the_parameters_of_strict_tools_are_compiled_and_others_left(world: Any) -> None:
    @tool
    def shorten(text: str, by: int = 3) -> str:
        """Shortens."""
        return text[:by]

    for strict in (True, None):
        model = Enforcing(["ok"], profile=FACTS)
        world.invoke(model.bind_tools([shorten], strict=strict), "hi")
        sent = model.calls[0].settings.tools[0]["parameters"]
        assert sent.get("additionalProperties") is (False if strict else None)
        assert sent["required"] == ["text"]


def test_a_map_is_asked_for_in_words_where_there_are_no_tools(world: Any) -> None:
    facts = {"structured_output": True, "tool_calling": False}
    model = Enforcing(['{"a": 1}', "no"], profile=facts)
    structured = model.with_structured_output(dict[str, int])
    assert world.invoke(structured, "hi") == {"a": 1}
    with pytest.raises(StructuredOutputError):
        world.invoke(structured, "hi")
