"""What LangChain's integrations say of how an answer ended, in headrace's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Keys under which integrations keep the provider's word, the first that is there.
_KEYS = ("finish_reason", "stop_reason", "stopReason", "done_reason", "finishReason", "status")
_WORDS = {
    "stop": ("stop", "end_turn", "stop_sequence", "completed", "complete", "eos", "eos_token"),
    "length": ("length", "max_tokens", "max_output_tokens", "model_length"),
    "tool_calls": ("tool_calls", "tool_use", "function_call"),
    "content_filter": (
        "content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii",
        "guardrail_intervened", "content_filtered", "image_safety",
    ),
    "refusal": ("refusal",),
    "pause": ("pause", "pause_turn"),
}  # fmt: skip
_REASONS = {word: reason for reason, words in _WORDS.items() for word in words}


def read_metadata(given: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of an answer under headrace's names; all else as it is."""
    found = dict(given)
    if "model_name" not in found and isinstance(found.get("model"), str):
        found["model_name"] = found["model"]
    raw = next((given[key] for key in _KEYS if isinstance(given.get(key), str)), None)
    if raw is not None:
        found.setdefault("finish_reason_raw", raw)
        found["finish_reason"] = _REASONS.get(raw.lower(), "unknown")
    return found
