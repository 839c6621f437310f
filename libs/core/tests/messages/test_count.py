from __future__ import annotations

from typing import Any

import pytest

from headrace.messages import AIMessage, HumanMessage, ToolMessage, count_tokens_approximately


def test_characters_role_and_overhead_are_counted() -> None:
    assert count_tokens_approximately([HumanMessage("x" * 35)]) == 10 + 3
    assert count_tokens_approximately([HumanMessage("x" * 36)]) == 11 + 3
    assert count_tokens_approximately([]) == 0


def test_the_rates_can_be_set() -> None:
    chat = [HumanMessage("x" * 5, name="y" * 10)]
    counted = count_tokens_approximately(chat, chars_per_token=1, extra_tokens_per_message=0)
    assert counted == 20
    assert count_tokens_approximately(chat, chars_per_token=1, count_name=False) == 13


def test_an_image_counts_the_same_whatever_its_size() -> None:
    def image(size: int) -> list[Any]:
        return [HumanMessage([{"type": "image", "base64": "A" * size, "mime_type": "image/png"}])]

    assert count_tokens_approximately(image(10)) == count_tokens_approximately(image(10**6))
    assert count_tokens_approximately(image(1), tokens_per_image=1000) > 1000


def test_calls_and_results_are_counted() -> None:
    call = {"name": "f", "args": {"text": "x" * 400}, "id": "1"}
    assert count_tokens_approximately([AIMessage(tool_calls=[call])]) > 100
    assert count_tokens_approximately([ToolMessage("", tool_call_id="x" * 400)]) > 100


def test_tools_are_counted_once() -> None:
    def search(query: str) -> None:
        """Look something up."""

    tool = {"name": "f", "description": "d" * 400}
    assert count_tokens_approximately([], tools=[tool]) > 100
    assert count_tokens_approximately([], tools=[search]) > 10


@pytest.mark.parametrize(("known", "expected"), [(10, 40), (45, 45), (1000, 50)])
def test_usage_scales_the_estimate_by_at_most_a_quarter(known: int, expected: int) -> None:
    answer = AIMessage("x" * 146, usage_metadata={"total_tokens": known})
    assert count_tokens_approximately([answer]) == 40
    assert count_tokens_approximately([answer], use_usage_metadata_scaling=True) == expected


def test_everything_that_stands_for_messages_is_counted() -> None:
    assert count_tokens_approximately(["hi", ("ai", "yo")]) == 2 * (2 + 3) - 1
