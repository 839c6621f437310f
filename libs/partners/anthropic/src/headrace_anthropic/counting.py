"""Tokens of a request as Anthropic counts them.

Source: https://platform.claude.com/docs/en/build-with-claude/token-counting (read 2026-11)
"""

from __future__ import annotations

from headrace.chat_models.wire import excerpt, parse
from headrace.errors import WireError

PATH = "/v1/messages/count_tokens"
# What counts, of a request; the rest is refused there.
COUNTED = frozenset(
    {
        "betas", "cache_control", "context_management", "mcp_servers", "messages", "model",
        "output_config", "speed", "system", "thinking", "tool_choice", "tools",
    }
)  # fmt: skip


def read_count(data: bytes) -> int:
    """The number in an answer; WireError if there is none."""
    told = parse(data)
    tokens = told.get("input_tokens") if isinstance(told, dict) else None
    if not isinstance(tokens, int) or isinstance(tokens, bool):
        raise WireError(f"a count of tokens was expected, not {excerpt(data)}")
    return tokens
