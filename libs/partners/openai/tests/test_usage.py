from __future__ import annotations

from typing import Any

import pytest

from headrace_openai.usage import read_usage


def raw(prompt: Any, completion: Any, total: Any, **rest: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total, **rest,
    }  # fmt: skip


def test_counts_and_their_details_are_read() -> None:
    usage = read_usage(
        raw(
            10, 7, 17,
            prompt_tokens_details={"cached_tokens": 4, "audio_tokens": 1, "cache_write_tokens": 2},
            completion_tokens_details={"reasoning_tokens": 5, "rejected_prediction_tokens": 1},
        )
    )  # fmt: skip
    assert usage == {
        "input_tokens": 10,
        "output_tokens": 7,
        "total_tokens": 17,
        "input_token_details": {"audio": 1, "cache_read": 4, "cache_creation": 2},
        "output_token_details": {"rejected_prediction": 1, "reasoning": 5},
    }


def test_reasoning_that_is_counted_beside_the_output_is_added_to_it() -> None:
    details = {"reasoning_tokens": 340}
    usage = read_usage(raw(12, 2, 354, completion_tokens_details=details))
    assert usage is not None
    assert usage["output_tokens"] == 342


def test_reasoning_inside_the_output_is_not_added_again() -> None:
    details = {"reasoning_tokens": 5}
    usage = read_usage(raw(12, 7, 19, completion_tokens_details=details))
    assert usage is not None
    assert usage["output_tokens"] == 7


@pytest.mark.parametrize("field", ["prompt_cache_hit_tokens", "cached_tokens"])
def test_cache_hits_under_other_names_are_cache_read(field: str) -> None:
    usage = read_usage(raw(9, 1, 10, **{field: 4}))
    assert usage is not None
    assert usage["input_token_details"] == {"cache_read": 4}


def test_what_the_provider_does_not_say_is_absent_not_zero() -> None:
    assert read_usage(raw(3, 1, 4)) == {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}


def test_a_missing_total_is_the_sum() -> None:
    assert read_usage({"prompt_tokens": 3, "completion_tokens": 1.0}) == {
        "input_tokens": 3, "output_tokens": 1, "total_tokens": 4,
    }  # fmt: skip


@pytest.mark.parametrize("broken", [{}, raw("3", None, True), raw(-1, float("nan"), [])])
def test_figures_that_are_none_give_no_usage(broken: dict[str, Any]) -> None:
    assert read_usage(broken) is None
