from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from headrace.rate_limiters.bucket import Told
from headrace.rate_limiters.headers import retry_after, seconds_until, told_limits


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("1s", 1), ("6m0s", 360), ("1h2m3.5s", 3723.5), ("20ms", 0.02), ("7", 7), ("0.5", 0.5),
        ("soon", None), ("", None), (None, None), ("1s and more", None), ("nan", None),
    ],
)  # fmt: skip
def test_durations_are_read_as_seconds(said: str | None, seconds: float | None) -> None:
    assert seconds_until(said) == seconds


def test_a_time_is_read_as_seconds_from_now() -> None:
    later = datetime.fromtimestamp(time.time() + 30, UTC)
    assert 28 < (seconds_until(later.isoformat().replace("+00:00", "Z")) or 0) <= 30
    assert seconds_until("2001-01-01T00:00:00Z") == 0


def test_limits_are_read_in_both_spellings() -> None:
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "anthropic-ratelimit-input-tokens-remaining": "1000",
        "x-ratelimit-remaining-tokens": "many",
    }
    assert told_limits(headers) == {
        "requests": Told(60, 59, 1),
        "input_tokens": Told(None, 1000, None),
    }


def test_retry_after_is_read_in_milliseconds_seconds_and_as_a_date() -> None:
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert retry_after({"retry-after": "9"}) == 9
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < (retry_after({"retry-after": date}) or 0) <= 30
    assert retry_after({"retry-after": "whenever"}) is None
    assert retry_after({}) is None
