"""Answers that may take so long that they must be streamed.

The SDK refuses to ask for them whole, for connections that say nothing for ten minutes are cut.
Source: https://platform.claude.com/docs/en/cli-sdks-libraries/sdks/python#long-requests, and
`_base_client.py`, `_constants.py` of anthropic 2.14 (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SECONDS_A_TOKEN = 3600 / 128_000
_MOST_SECONDS = 600
# Models that are slower: the most tokens of an answer that comes whole.
_SLOW = ("claude-opus-4-0", "claude-opus-4-20250514", "claude-4-opus", "claude-opus-4@",
         "claude-opus-4-1-20250805", "claude-opus-4-1@")  # fmt: skip
_MOST_OF_SLOW = 8192


def must_stream(params: Mapping[str, Any]) -> bool:
    """Whether an answer of `max_tokens` may take longer than a connection lasts."""
    tokens = params.get("max_tokens") or 0
    if tokens * _SECONDS_A_TOKEN > _MOST_SECONDS:
        return True
    return tokens > _MOST_OF_SLOW and any(name in str(params.get("model")) for name in _SLOW)
