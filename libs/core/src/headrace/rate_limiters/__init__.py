"""Limits on what requests may use, and when: by number, tokens, concurrency and budget."""

from headrace.rate_limiters.budget import UsageLimit, usage_limit
from headrace.rate_limiters.foreign import as_gate
from headrace.rate_limiters.gate import Gate, Outcome, Permit, Request
from headrace.rate_limiters.in_memory import InMemoryRateLimiter
from headrace.rate_limiters.limiter import RateLimiter

__all__ = [
    "Gate",
    "InMemoryRateLimiter",
    "Outcome",
    "Permit",
    "RateLimiter",
    "Request",
    "UsageLimit",
    "as_gate",
    "usage_limit",
]
