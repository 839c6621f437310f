"""What a request costs: each part at its price, tiers, modes, and what nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.profiles import Cost, cost_of, cost_range, mode_of, worst_case

PRICES = {"cost": {"input": 1.0, "output": 10.0}, "max_output_tokens": 1000}
FULL = {
    "cost": {
        "input": 1, "output": 10, "cache_read": 0.1, "cache_write": 2, "reasoning": 20,
        "input_audio": 30, "output_audio": 40,
    }
}  # fmt: skip
TIERED = {"cost": {**FULL["cost"], "tiers": [{"above": 1000, "input": 2, "cache_read": 0.2}]}}
FAST = {
    **PRICES,
    "modes": {"fast": {"body": {"speed_tier": "priority"}, "cost": {"input": 3, "output": 30}}},
}


def usage(read: Any, written: Any, **details: Any) -> dict[str, Any]:
    inside = {"audio_in": "audio", "cache_read": "cache_read", "cache_creation": "cache_creation"}
    return {
        "input_tokens": read,
        "output_tokens": written,
        "input_token_details": {inside[k]: v for k, v in details.items() if k in inside},
        "output_token_details": {k: v for k, v in details.items() if k not in inside},
    }


def micro(cost: Cost | None) -> Any:
    """Millionths of a USD, in total."""
    return None if cost is None else pytest.approx(cost.total * 1e6)


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (usage(100, 10), 200),
        (usage(100, 10, cache_read=100), 110),
        (usage(100, 10, cache_creation=50), 250),
        (usage(100, 10, reasoning=5), 250),
        (usage(100, 10, audio_in=10, audio=10), 90 + 300 + 400),
        (usage(100, 10, cache_read=50, cache_creation=50, reasoning=10), 5 + 100 + 200),
        (usage(100.0, 10, cache_read=None), 200),
        (usage(0, 0), 0),
    ],
)  # fmt: skip
def test_each_part_of_the_tokens_has_its_price(used: Any, expected: float) -> None:
    assert micro(cost_of(used, FULL)) == expected


def test_the_parts_add_up_to_the_total() -> None:
    cost = cost_of(usage(100, 10, cache_read=40, reasoning=5), FULL)
    assert cost is not None
    assert cost.parts.keys() == {"cache_read", "input", "reasoning", "output"}
    assert float(cost) == cost.total == sum(cost.parts.values())


@pytest.mark.parametrize(("read", "expected"), [(1000, 910), (1001, 1822)])
def test_a_tier_prices_every_kind_of_token_of_the_whole_request(read: int, expected: int) -> None:
    cost = cost_of(usage(read, 0, cache_read=100), TIERED)
    assert micro(cost) == expected


def test_of_two_tiers_the_larger_that_holds_counts_in_whatever_order() -> None:
    tiers = [{"above": 200, "input": 3}, {"above": 100, "input": 2}]
    facts = {"cost": {"input": 1, "output": 1, "tiers": tiers}}
    assert micro(cost_of(usage(300, 0), facts)) == 900
    assert micro(cost_of(usage(150, 0), facts)) == 300


def test_what_has_no_price_of_its_own_costs_the_ordinary_one_and_is_named() -> None:
    cost = cost_of(usage(100, 10, cache_read=50, reasoning=5), PRICES)
    assert micro(cost) == 200
    assert cost is not None
    assert cost.assumed == ("cache_read",)


@pytest.mark.parametrize(
    ("used", "facts"),
    [
        (None, PRICES),
        ({}, PRICES),
        ({"input_tokens": 5, "output_tokens": None}, PRICES),
        ({"total_tokens": 5}, PRICES),
        (usage(1, 1), {}),
        (usage(1, 1), {"cost": {"input": 1}}),
        (usage(1, 1), {"cost": {"output": 1}}),
    ],
)
def test_what_nobody_knows_is_none_and_not_zero(used: Any, facts: Any) -> None:
    assert cost_of(used, facts) is None


def test_what_is_free_costs_zero() -> None:
    cost = cost_of(usage(5, 5), {"cost": {"input": 0, "output": 0}})
    assert cost is not None
    assert cost.total == 0


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(None, 20), ("default", 20), ("fast", 60), ("priority", 60), ("flex", None)],
)
def test_a_mode_has_prices_of_its_own_and_an_unknown_one_none(mode: Any, expected: Any) -> None:
    assert micro(cost_of(usage(10, 1), FAST, mode=mode)) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, None),
        ({"speed_tier": "priority"}, "fast"),
        ({"service_tier": "default"}, None),
        ({"service_tier": "STANDARD"}, None),
        ({"service_tier": "flex"}, "flex"),
    ],
)
def test_the_mode_is_read_off_what_a_request_carries(sent: Any, expected: Any) -> None:
    assert mode_of(sent, FAST) == expected


@given(st.integers(1, 5000), st.integers(1, 1000), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_no_answer_within_its_bound_costs_more_than_the_worst_case(
    read: int, bound: int, cached: float, thought: float, tiered: bool
) -> None:
    facts = TIERED if tiered else FULL
    used = usage(read, bound, cache_creation=int(read * cached), reasoning=int(bound * thought))
    cost, most = cost_of(used, facts), worst_case(read, bound, facts)
    assert cost is not None
    assert most is not None
    assert cost.total <= most * (1 + 1e-9)


def test_a_worst_case_in_a_mode_is_priced_by_it() -> None:
    assert worst_case(10, 1, FAST, mode="fast") == pytest.approx(60e-6)
    assert worst_case(10, 1, FAST, mode="flex") is None


@pytest.mark.parametrize(
    ("tokens", "reserved", "facts", "expected"),
    [
        (1000, None, {}, None),
        (1000, 10, {"cost": {"input": 1.0}}, None),
        (1000, None, {"cost": {"input": 1.0, "output": 1.0}}, None),
        (1000, 100, PRICES, (0.00101, 0.002)),
        (1000, None, PRICES, (0.00101, 0.011)),
        (1000, None, {**PRICES, "context_size": 1100}, (0.00101, 0.002)),
        (1000, 100, {"cost": {"input": 0, "output": 0}}, (0.0, 0.0)),
        (
            1000, 100,
            {"cost": {"input": 1, "output": 1, "tiers": [{"above": 500, "input": 2, "output": 3}]}},
            (0.002003, 0.0023),
        ),
    ],
)  # fmt: skip
def test_the_cost_lies_between_the_shortest_and_the_longest_answer(
    tokens: int, reserved: Any, facts: Any, expected: Any
) -> None:
    found = cost_range(tokens, reserved, facts)
    assert found == (None if expected is None else pytest.approx(expected))


def test_a_tier_may_hold_from_its_size_on() -> None:
    cost = {"input": 1, "output": 1, "tiers": [{"above": 1000, "input": 2, "output": 2}]}
    below = cost_range(1000, 1, {"cost": cost})
    at = cost_range(1000, 1, {"cost": cost, "cost_tier_inclusive": True})
    assert below is not None
    assert at == tuple(2 * value for value in below)
