"""What one chunk of a stream costs in calls: a budget that no load of the machine changes."""

from __future__ import annotations

import sys
from itertools import islice
from typing import Any

import pytest

from headrace.messages import AIMessageChunk
from headrace.testing import ScriptedChatModel

CHUNKS = 100


def calls_in(function: Any) -> int:
    """Calls of Python functions and steps of generators while `function()` runs."""
    count = 0

    def told(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(told)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def test_a_chunk_of_a_sync_stream_costs_at_most_15_calls() -> None:
    chunks = [AIMessageChunk("word ") for _ in range(2 * CHUNKS)]
    with ScriptedChatModel([chunks]).stream("hello") as stream:
        list(islice(stream, CHUNKS // 2))  # what comes before the first chunk is not meant
        assert calls_in(lambda: list(islice(stream, CHUNKS))) <= 15 * CHUNKS


PIECE = {"type": "tool_call_chunk", "name": None, "args": "word ", "id": None, "index": 0}


@pytest.mark.parametrize(
    ("new", "most"),
    [
        (lambda: AIMessageChunk("word "), 2.2),
        (lambda: AIMessageChunk([{"type": "text", "text": "word ", "index": 0}]), 3.2),
        (lambda: AIMessageChunk(tool_call_chunks=[PIECE]), 5.2),
    ],
    ids=["text", "indexed text", "arguments"],
)
def test_adding_a_chunk_to_a_total_costs_few_calls(new: Any, most: float) -> None:
    chunks = [new() for _ in range(10 * CHUNKS)]
    assert calls_in(lambda: sum(chunks).content) <= most * len(chunks)
