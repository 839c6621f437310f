from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    filter_messages,
)

CALL = {"type": "tool_call", "name": "f", "args": {}, "id": "1"}
CHAT = [
    SystemMessage("s", id="s"),
    HumanMessage("1", name="ann", id="a"),
    AIMessage("2", name="bot", id="b"),
    HumanMessage("3", name="bob", id="c"),
    AIMessage("4", tool_calls=[CALL, {**CALL, "id": "2"}], id="d"),
    ToolMessage("r", tool_call_id="1", id="e"),
    ToolMessage("q", tool_call_id="2", id="f"),
]


@pytest.mark.parametrize(
    ("criteria", "ids"),
    [
        ({}, "sabcdef"),
        ({"include_names": ["ann"]}, "a"),
        ({"exclude_names": ["ann", "bob"]}, "sbdef"),
        ({"include_types": ["human", AIMessage]}, "abcd"),
        ({"include_types": ["user"]}, "ac"),
        ({"exclude_types": [ToolMessage, "system"]}, "abcd"),
        ({"include_ids": ["a", "b"]}, "ab"),
        ({"exclude_ids": ["a", "b"]}, "scdef"),
        ({"include_names": ["ann"], "include_types": ["system"]}, "sa"),
        ({"include_types": ["human"], "exclude_names": ["ann"]}, "c"),
        ({"exclude_tool_calls": True}, "sabc"),
        ({"exclude_tool_calls": ["1"]}, "sabcdf"),
    ],
)
def test_messages_are_chosen(criteria: Any, ids: str) -> None:
    assert "".join(str(m.id) for m in filter_messages(CHAT, **criteria)) == ids
    assert filter_messages(**criteria)(CHAT) == filter_messages(CHAT, **criteria)


def test_an_excluded_call_leaves_the_message_and_its_content() -> None:
    message = AIMessage(["x", CALL, {**CALL, "id": "2"}])
    (left,) = filter_messages([message], exclude_tool_calls=["1"])
    assert left == AIMessage(["x", {**CALL, "id": "2"}])
    assert len(message.tool_calls) == 2


def test_a_message_with_nothing_left_goes() -> None:
    assert filter_messages([AIMessage(tool_calls=[CALL])], exclude_tool_calls=["1"]) == []
    (left,) = filter_messages([AIMessage("x", tool_calls=[CALL])], exclude_tool_calls=["1"])
    assert left == AIMessage("x")


def test_a_chunk_counts_as_ai() -> None:
    assert filter_messages([AIMessageChunk("x")], include_types=["ai"]) == [AIMessageChunk("x")]


def test_unknown_criteria_and_types_are_input_errors() -> None:
    with pytest.raises(InputError, match="did you mean `include_types`"):
        filter_messages(CHAT, include_type=["human"])
    with pytest.raises(InputError, match="did you mean `human`"):
        filter_messages(include_types=["humna"])
