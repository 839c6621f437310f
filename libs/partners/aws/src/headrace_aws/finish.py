"""Why a model stopped: Converse's words and ours."""

from __future__ import annotations

_OURS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "refusal",
    "pause_turn": "pause",
}


def finish_reason(raw: object) -> str:
    """stop, length, tool_calls, content_filter, refusal, pause or unknown."""
    return _OURS.get(raw, "unknown") if isinstance(raw, str) else "unknown"
