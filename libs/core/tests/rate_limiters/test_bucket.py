from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.rate_limiters.bucket import Bucket, Told

AMOUNTS = st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 30)), max_size=60)


@given(AMOUNTS, st.floats(0.5, 20), st.floats(1, 15))
def test_no_window_lets_out_more_than_its_rate_and_the_burst(
    steps: list[tuple[float, float]], rate: float, size: float
) -> None:
    bucket, now = Bucket(rate, size), 0.0
    out: list[tuple[float, float]] = []
    for wait, amount in steps:
        now += wait
        now += bucket.delay(amount, now) * (1 + 1e-12)
        bucket.delay(amount, now)
        bucket.take(amount)
        out.append((now, amount))
    for first in range(len(out)):
        for last in range(first, len(out)):
            used = sum(amount for _, amount in out[first : last + 1])
            longest = max(size, *(amount for _, amount in out[first : last + 1]))
            assert used <= rate * (out[last][0] - out[first][0]) + longest + size + 1e-6


def test_a_claim_above_the_size_waits_for_a_full_bucket_and_is_owed() -> None:
    bucket = Bucket(1.0, 10.0)
    assert bucket.delay(25, 0) == 0
    bucket.take(25)
    assert bucket.delay(1, 0) == 16


def test_what_is_given_back_never_exceeds_the_size() -> None:
    bucket = Bucket(1.0, 10.0)
    bucket.take(-50)
    assert bucket.level == 10


def test_little_left_slows_to_the_pace_at_which_the_provider_refills() -> None:
    bucket = Bucket()
    bucket.delay(1, 0)
    bucket.learn(Told(limit=60, remaining=0, reset=60), 0)
    assert bucket.delay(1, 0) == pytest.approx(1)
    assert bucket.delay(1, 1.01) == 0


def test_enough_left_sets_no_bound() -> None:
    bucket = Bucket()
    bucket.learn(Told(limit=60, remaining=0, reset=60), 0)
    bucket.learn(Told(limit=60, remaining=50, reset=10), 1)
    assert not bucket.bounded
    assert bucket.delay(1e9, 1) == 0
    assert bucket.level == math.inf
