from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from headrace.errors import InputError
from headrace.messages import AIMessage, ChatMessage, HumanMessage, RemoveMessage, ToolMessage


def call(id: str | None, name: str = "f", **args: Any) -> dict[str, Any]:
    return {"type": "tool_call", "name": name, "args": args, "id": id}


def test_each_kind_has_its_type() -> None:
    found = [AIMessage(), HumanMessage(), ChatMessage(role="r"), RemoveMessage("i")]
    assert [message.type for message in found] == ["ai", "human", "chat", "remove"]


def test_tool_calls_are_brought_to_their_normal_form() -> None:
    message = AIMessage(tool_calls=[{"name": "f", "args": {}, "id": "1", "signature": "s"}])
    assert message.tool_calls == [
        {"type": "tool_call", "name": "f", "args": {}, "id": "1", "extras": {"signature": "s"}}
    ]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"args": {}}, "needs a `name`"),
        ({"name": "f", "args": "{}"}, "`args` of the tool call `f` must be a dict"),
        ({"id": "1", "function": {"name": "f", "arguments": "{}"}}, "convert_to_messages"),
        ("f", "must be a dict"),
    ],
)
def test_a_malformed_tool_call_is_an_input_error(bad: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        AIMessage(tool_calls=[bad])


def test_calls_in_the_content_are_collected() -> None:
    content = ["a", call("1"), {"type": "tool_use", "id": "2", "name": "g", "input": {"x": 1}}]
    assert AIMessage(content).tool_calls == [call("1"), call("2", "g", x=1)]


def test_given_tool_calls_are_the_truth() -> None:
    message = AIMessage([call("1"), "a", call("2")], tool_calls=[call("2", x=1), call("3")])
    assert message.content_blocks == [
        {"type": "text", "text": "a"}, call("2", x=1), call("3"),
    ]  # fmt: skip


def test_edits_and_deletions_of_calls_show_in_the_blocks() -> None:
    message = AIMessage([call("1"), "a", call("2")])
    del message.tool_calls[0]
    message.tool_calls[0]["args"] = {"x": 2}
    assert message.content_blocks == [{"type": "text", "text": "a"}, call("2", x=2)]


def test_calls_without_a_block_come_last() -> None:
    message = AIMessage("a", tool_calls=[call("1")])
    assert [block["type"] for block in message.content_blocks] == ["text", "tool_call"]


def test_calls_without_an_id_are_placed_in_order() -> None:
    message = AIMessage([call(None, "f", n=1), "a", call(None, "f", n=2)])
    assert [b.get("args") for b in message.content_blocks] == [{"n": 1}, None, {"n": 2}]


def test_invalid_calls_are_placed_like_valid_ones() -> None:
    bad = {"type": "invalid_tool_call", "name": "f", "args": "{", "id": "1", "error": "cut"}
    message = AIMessage([bad, "a"])
    assert message.invalid_tool_calls == [bad]
    assert [block["type"] for block in message.content_blocks] == ["invalid_tool_call", "text"]


def test_a_signature_on_the_block_stays_with_the_call() -> None:
    message = AIMessage([{**call("1"), "extras": {"signature": "s"}}])
    del message.tool_calls[0]["extras"]
    (block,) = message.content_blocks
    assert block.get("extras") == {"signature": "s"}


def test_reasoning_beside_the_content_comes_first() -> None:
    message = AIMessage("a", additional_kwargs={"reasoning_content": "hm"})
    assert message.content_blocks[0] == {"type": "reasoning", "reasoning": "hm"}


@pytest.mark.parametrize(
    ("given", "kept"), [(5, "5"), (UUID(int=1), "00000000-0000-0000-0000-000000000001"), ("x", "x")]
)
def test_a_tool_call_id_becomes_a_str(given: Any, kept: str) -> None:
    assert ToolMessage("r", tool_call_id=given).tool_call_id == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (5, "5"),
        (True, "true"),
        ({"a": 1}, '{"a":1}'),
        (None, ""),
        ([1, 2], "[1,2]"),
        (("a",), ["a"]),
    ],
)
def test_the_content_of_a_tool_message_becomes_text_or_blocks(given: Any, kept: Any) -> None:
    assert ToolMessage(given, tool_call_id="1").content == kept


def test_a_tool_message_needs_an_id_and_a_known_status() -> None:
    with pytest.raises(InputError, match="tool_call_id"):
        ToolMessage("r")
    with pytest.raises(InputError, match="'maybe'"):
        ToolMessage("r", tool_call_id="1", status="maybe")  # type: ignore[arg-type]  # the point


def test_a_chat_message_needs_a_role_and_a_remove_message_no_content() -> None:
    with pytest.raises(InputError, match="role"):
        ChatMessage("x")
    with pytest.raises(InputError, match="no content"):
        RemoveMessage("1", content="x")
