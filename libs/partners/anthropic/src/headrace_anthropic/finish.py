"""Why Claude stopped: its words and ours.

Source: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons (read 2026-11)
"""

from __future__ import annotations

_OURS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "compaction": "stop",  # a request for a summary alone
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
}


def finish_reason(raw: object) -> str:
    """stop, length, tool_calls, refusal, pause or unknown."""
    return _OURS.get(raw, "unknown") if isinstance(raw, str) else "unknown"
