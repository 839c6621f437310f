"""Why a model stopped: the services' words and ours."""

from __future__ import annotations

_WORDS = {
    "stop": ("stop", "eos", "eos_token", "end", "end_turn", "stop_sequence", "complete", "done"),
    "length": (
        "length", "max_tokens", "max_output_tokens", "model_length",
        "model_context_window_exceeded",
    ),
    "tool_calls": ("tool_calls", "tool_call", "tool_use", "function_call"),
    "content_filter": (
        "content_filter", "content-filter", "safety", "recitation", "sensitive",
        "guardrail_intervened",
    ),
    "refusal": ("refusal",),
    "pause": ("pause", "pause_turn"),
}  # fmt: skip
_OURS = {word: ours for ours, words in _WORDS.items() for word in words}


def finish_reason(raw: object, *, refused: bool = False) -> str:
    """stop, length, tool_calls, content_filter, refusal, pause or unknown."""
    ours = _OURS.get(raw.lower(), "unknown") if isinstance(raw, str) else "unknown"
    # Chat Completions says `stop` when the model refuses
    # (https://developers.openai.com/api/docs/guides/structured-outputs).
    return "refusal" if refused and ours == "stop" else ours
