from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headrace.messages import add_usage, subtract_usage

details = st.fixed_dictionaries({}, optional={"cache_read": st.integers(0, 9)})
usages = st.fixed_dictionaries(
    {"input_tokens": st.integers(0, 9)},
    optional={"output_tokens": st.integers(0, 9), "input_token_details": details},
)


@given(usages, usages, usages)
def test_adding_usage_is_associative_and_commutative(a, b, c) -> None:  # type: ignore[no-untyped-def]
    assert add_usage(add_usage(a, b), c) == add_usage(a, add_usage(b, c))
    assert add_usage(a, b) == add_usage(b, a)


@given(usages)
def test_nothing_is_neutral(a) -> None:  # type: ignore[no-untyped-def]
    assert add_usage(a, None) == add_usage(None, a) == subtract_usage(a, None) == a


def test_subtracting_never_goes_below_zero() -> None:
    left, right = {"input_tokens": 1, "output_tokens": 5}, {"input_tokens": 3, "output_tokens": 2}
    assert subtract_usage(left, right) == {"input_tokens": 0, "output_tokens": 3}  # type: ignore[arg-type]


def test_a_sum_shares_no_dict_with_its_sides() -> None:
    left = {"input_tokens": 1, "input_token_details": {"cache_read": 1}}
    add_usage(left, None)["input_token_details"]["cache_read"] = 9  # type: ignore[arg-type]
    assert left["input_token_details"] == {"cache_read": 1}
