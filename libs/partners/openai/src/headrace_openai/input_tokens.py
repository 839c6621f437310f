"""The endpoint that counts the tokens of a request without answering it.

Source: `client.responses.input_tokens.count` of the official SDK (openai 3.52, read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.chat_models.wire import excerpt, parse
from headrace.errors import WireError

PATH = "/responses/input_tokens"
_TAKEN = (
    "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning",
    "text", "conversation", "previous_response_id", "truncation",
)  # fmt: skip


def count_request(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of a request to the Responses API is counted."""
    return {name: body[name] for name in _TAKEN if name in body}


def read_count(data: bytes) -> int:
    """The count in a response."""
    found = parse(data)
    count = found.get("input_tokens") if isinstance(found, dict) else None
    if not isinstance(count, int):
        raise WireError(f"a count of input tokens was expected, not {excerpt(data)}")
    return count
