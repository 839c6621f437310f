"""How providers spell the kinds of their limits in headers: data, each with its source.

https://platform.openai.com/docs/guides/rate-limits (read 2026-11), and services like it;
https://docs.anthropic.com/en/api/rate-limits (read 2026-11).
"""

# The headers of one limit; `what` is limit, remaining or reset.
from __future__ import annotations

FORMS = ("x-ratelimit-{what}-{kind}", "anthropic-ratelimit-{kind}-{what}")
KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
