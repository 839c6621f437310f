from __future__ import annotations

from typing import Any

import pytest

from headrace.messages import AIMessage, AIMessageChunk, partial_tool_calls, tool_call


def total(args: str | None) -> AIMessageChunk:
    piece: Any = {"name": "f", "args": args, "id": "1", "index": 0}
    return AIMessageChunk("say") + AIMessageChunk(tool_call_chunks=[piece])


@pytest.mark.parametrize(
    ("args", "seen"),
    [
        (None, {}),
        ("{", {}),
        ('{"a', {}),
        ('{"a": "x', {"a": "x"}),
        ('{"a": [1, 2', {"a": [1]}),
        ('{"a": 1, "b": {"c": "d', {"a": 1, "b": {"c": "d"}}),
        ('{"a": 1}', {"a": 1}),
        ("nonsense", {}),
        ("[1", {}),
    ],
)
def test_arguments_show_as_far_as_they_can_be_read(args: str | None, seen: Any) -> None:
    (call,) = partial_tool_calls(total(args))
    assert (call["name"], call["id"], call["index"]) == ("f", "1", 0)
    assert call["args"] == seen


def test_the_view_changes_nothing_in_the_total() -> None:
    found = total('{"a": "x')
    partial_tool_calls(found)
    assert found.tool_calls == []
    assert (found + AIMessageChunk(chunk_position="last")).invalid_tool_calls


def test_complete_calls_show_as_they_are() -> None:
    call = tool_call(name="f", args={"a": 1}, id="1")
    assert partial_tool_calls(AIMessage("", tool_calls=[call])) == [call]
    assert partial_tool_calls(total('{"a": 1}') + AIMessageChunk(chunk_position="last")) == [call]
