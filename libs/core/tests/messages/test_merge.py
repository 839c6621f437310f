from __future__ import annotations

from typing import Any

import pytest

from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    merge_message_runs,
)


def call(id: str) -> dict[str, Any]:
    return {"type": "tool_call", "name": "f", "args": {}, "id": id}


def test_runs_of_one_kind_are_merged() -> None:
    chat = [SystemMessage("a"), HumanMessage("b"), HumanMessage("c"), AIMessage("d")]
    assert merge_message_runs(chat) == [SystemMessage("a"), HumanMessage("b\nc"), AIMessage("d")]
    assert merge_message_runs(chunk_separator=" ")(chat)[1] == HumanMessage("b c")


def test_lists_are_joined_and_the_messages_left_as_they_were() -> None:
    image = {"type": "image", "url": "u"}
    chat = [HumanMessage("a"), HumanMessage([image]), HumanMessage(""), HumanMessage(["b"])]
    assert merge_message_runs(chat) == [HumanMessage(["a", image, "b"])]
    assert chat[0] == HumanMessage("a")


def test_calls_usage_and_metadata_of_a_run_are_collected() -> None:
    merged = merge_message_runs([
        AIMessage("a", id="1", tool_calls=[call("x")], usage_metadata={"input_tokens": 1},
                  response_metadata={"k": 1, "l": 1}),
        AIMessage("b", id="2", tool_calls=[call("y")], usage_metadata={"input_tokens": 2},
                  response_metadata={"k": 2}),
    ])  # fmt: skip
    assert merged == [
        AIMessage("a\nb", id="1", tool_calls=[call("x"), call("y")],
                  usage_metadata={"input_tokens": 3}, response_metadata={"k": 2, "l": 1})
    ]  # fmt: skip


@pytest.mark.parametrize(
    "pair",
    [
        [ToolMessage("a", tool_call_id="1"), ToolMessage("b", tool_call_id="1")],
        [HumanMessage("a", name="x"), HumanMessage("b", name="y")],
        [ChatMessage("a", role="x"), ChatMessage("b", role="y")],
        [RemoveMessage("a"), RemoveMessage("b")],
        [HumanMessage("a"), SystemMessage("b")],
    ],
)
def test_results_speakers_and_roles_are_not_mixed(pair: Any) -> None:
    assert merge_message_runs(pair) == pair


def test_chunks_merge_like_messages() -> None:
    assert merge_message_runs([AIMessageChunk("a"), AIMessage("b")]) == [AIMessage("a\nb")]


def test_a_long_run_is_merged_in_one_step() -> None:
    chat = [HumanMessage([{"type": "text", "text": str(n)}]) for n in range(5000)]
    (merged,) = merge_message_runs(chat)
    assert len(merged.content) == 5000
