"""What providers say of their limits in the headers of a response.

A reset is a duration ("6m0s", "20ms"), plain seconds, or an RFC 3339 time; see `spellings`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import product

from headrace.rate_limiters.bucket import Told
from headrace.rate_limiters.spellings import FORMS, KINDS

# Kind, and the headers that tell its limit, what remains of it, and when it is full again.
_NAMES = [
    (
        kind.replace("-", "_"),
        *(form.format(what=what, kind=kind) for what in ("limit", "remaining", "reset")),
    )
    for form, kind in product(FORMS, KINDS)
]
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6,
            "ns": 1e-9}  # fmt: skip


def told_limits(headers: Mapping[str, str]) -> dict[str, Told]:
    """Kind ("requests", "tokens", "input_tokens", "output_tokens") -> what is said of it."""
    found: dict[str, Told] = {}
    for kind, limit, remaining, reset in _NAMES:
        left = _number(headers.get(remaining))
        if left is not None:
            found[kind] = Told(_number(headers.get(limit)), left, seconds_until(headers.get(reset)))
    return found


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `retry-after-ms` or `retry-after` (seconds or a date) asks to wait."""
    ms = _number(headers.get("retry-after-ms"))
    if ms is not None:
        return ms / 1000
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is not None or said is None:
        return seconds
    try:
        return max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
    except ValueError:
        return None


def seconds_until(said: str | None) -> float | None:
    """A duration ("1m2.5s", "20ms"), plain seconds or an RFC 3339 time, in seconds from now."""
    if said is None:
        return None
    plain = _number(said)
    if plain is not None:
        return plain
    parts = _PARTS.findall(said)
    if parts and "".join(number + unit for number, unit in parts) == said.strip():
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        when = datetime.fromisoformat(said)
    except ValueError:
        return None
    return max(when.timestamp() - time.time(), 0.0)


def _number(said: str | None) -> float | None:
    try:
        value = float(said or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
