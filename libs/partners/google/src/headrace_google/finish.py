"""Why a model stopped: Google's words and ours.

Source: https://ai.google.dev/api/generate-content#FinishReason and #BlockReason (read 2026-11)
"""

from __future__ import annotations

_WORDS = {
    "stop": ("STOP",),
    "length": ("MAX_TOKENS",),
    "content_filter": (
        "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
        "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR",
        "JAILBREAK", "ESCALATION", "PUP_LIMITED_DISABLED",
    ),
    "pause": ("CONTINUATION",),
}  # fmt: skip
_OURS = {word: ours for ours, words in _WORDS.items() for word in words}


def finish_reason(raw: object, *, calls: bool = False) -> str:
    """stop, length, tool_calls, content_filter, pause or unknown.

    `calls`: the answer holds tool calls, for which Google says STOP too. Unknown are also the
    answers that went wrong: MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL, OTHER and the like.
    """
    ours = _OURS.get(raw, "unknown") if isinstance(raw, str) else "unknown"
    return "tool_calls" if calls and ours == "stop" else ours
