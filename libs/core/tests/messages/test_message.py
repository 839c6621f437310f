from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

CALL = {"type": "tool_call", "name": "f", "args": {"a": [1]}, "id": "1"}
SAMPLES = [
    SystemMessage("s"),
    DeveloperMessage("d", name="n"),
    HumanMessage(["a", {"type": "image", "url": "u"}], id="h", additional_kwargs={"k": 1}),
    AIMessage("x", tool_calls=[CALL], usage_metadata={"input_tokens": 1}),
    AIMessage("", invalid_tool_calls=[{"name": "f", "args": "{", "id": None, "error": "cut"}]),
    ToolMessage("r", tool_call_id="1", status="error", artifact=[1]),
    ChatMessage("c", role="critic"),
    RemoveMessage("gone"),
]


@pytest.mark.parametrize("message", SAMPLES, ids=lambda m: m.type)
def test_repr_is_a_constructor_call(message: Any) -> None:
    assert eval(repr(message)) == message


@pytest.mark.parametrize("message", SAMPLES, ids=lambda m: m.type)
def test_pickles_and_copies_are_equal(message: Any) -> None:
    assert pickle.loads(pickle.dumps(message)) == message
    assert copy.copy(message) == copy.deepcopy(message) == message.model_copy() == message


@pytest.mark.parametrize("message", SAMPLES, ids=lambda m: m.type)
def test_a_dump_validates_to_an_equal_message(message: Any) -> None:
    assert type(message).model_validate(message.model_dump()) == message
    assert type(message).model_validate_json(message.model_dump_json()) == message


def test_none_is_an_empty_text() -> None:
    assert HumanMessage().content == HumanMessage(None).content == ""


def test_text_joins_only_text() -> None:
    parts = ["a", {"type": "text", "text": "b"}, {"type": "reasoning", "reasoning": "x"}]
    assert HumanMessage(parts).text == "ab"
    assert type(HumanMessage("a").text) is str


def test_content_blocks_are_made_at_each_read() -> None:
    message = HumanMessage(["a"])
    assert isinstance(message.content, list)
    message.content.append({"type": "text", "text": "b"})
    assert [block["type"] for block in message.content_blocks] == ["text", "text"]
    message.content_blocks.clear()
    assert len(message.content_blocks) == 2


def test_content_may_be_given_as_blocks() -> None:
    blocks = [{"type": "text", "text": "a"}]
    assert HumanMessage(content_blocks=blocks).content == blocks
    with pytest.raises(InputError, match="not both"):
        HumanMessage("a", content_blocks=blocks)


def test_a_constructor_does_not_keep_the_callers_containers() -> None:
    content, extra = ["a"], {"k": 1}
    message = HumanMessage(content, additional_kwargs=extra)
    content.append("b")
    extra["k"] = 2
    assert (message.content, message.additional_kwargs) == (["a"], {"k": 1})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (5, "not int"),
        ({"type": "text", "text": "x"}, "in a list"),
        ([5], "part 0 .* not int"),
        (["a", None], "part 1"),
        (b"x", "not bytes"),
    ],
)
def test_content_of_a_wrong_type_is_an_input_error(content: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        HumanMessage(content)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError):
        HumanMessage("a", contnet="b")  # type: ignore[call-arg]  # the point of the test
    with pytest.raises(AttributeError):
        HumanMessage("a").contnet = "b"  # type: ignore[attr-defined]  # the point of the test
    with pytest.raises(InputError, match="no field `contnet`"):
        HumanMessage("a").model_copy(update={"contnet": "b"})


def test_messages_of_different_kinds_are_unequal_and_unhashable() -> None:
    assert HumanMessage("a") != SystemMessage("a")
    assert HumanMessage("a") != "a"
    with pytest.raises(TypeError):
        hash(HumanMessage("a"))


def test_a_dump_shares_nothing_with_the_message() -> None:
    message = AIMessage("a", tool_calls=[CALL], response_metadata={"a": {"b": [1]}})
    dump = message.model_dump()
    dump["response_metadata"]["a"]["b"].append(2)
    dump["tool_calls"][0]["args"]["a"].append(2)
    assert message.response_metadata == {"a": {"b": [1]}}
    assert message.tool_calls == [CALL]


def test_a_dump_may_leave_out_what_is_none() -> None:
    assert "name" not in HumanMessage("a").model_dump(exclude_none=True)
    assert '"id"' not in HumanMessage("a").model_dump_json(exclude_none=True)


def test_a_deep_copy_shares_nothing_and_a_plain_one_does() -> None:
    message = HumanMessage("a", response_metadata={"a": [1]})
    deep, plain = message.model_copy(deep=True), message.model_copy(update={"content": "b"})
    message.response_metadata["a"].append(2)
    assert deep.response_metadata == {"a": [1]}
    assert (plain.content, plain.response_metadata) == ("b", {"a": [1, 2]})


def test_an_artifact_of_any_kind_can_be_dumped_as_json() -> None:
    message = ToolMessage("r", tool_call_id="1", artifact=object())
    assert "object object" in message.model_dump(mode="json")["artifact"]
    assert message.model_dump()["artifact"] is message.artifact
