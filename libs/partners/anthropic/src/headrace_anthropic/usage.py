"""Token usage of the Messages API in headrace's form.

Claude counts tokens read from and written to the cache beside `input_tokens`; here they are part
of it. In a stream every figure is a snapshot, and those that the end leaves out stand.
Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.messages import UsageMetadata

_COUNTED = frozenset(
    {
        "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
        "output_tokens_details",
    }
)  # fmt: skip


def read_usage(raw: Mapping[str, Any]) -> UsageMetadata | None:
    """The usage in headrace's form; None if no figure can be read."""
    fresh, written = _figure(raw, "input_tokens"), _figure(raw, "output_tokens")
    if fresh is None and written is None:
        return None
    read = _figure(raw, "cache_read_input_tokens")
    created = _figure(raw, "cache_creation_input_tokens")
    sent, out = (fresh or 0) + (read or 0) + (created or 0), written or 0
    usage: UsageMetadata = {"input_tokens": sent, "output_tokens": out, "total_tokens": sent + out}
    if read is not None or created is not None:
        usage["input_token_details"] = {}
        if read is not None:
            usage["input_token_details"]["cache_read"] = read
        if created is not None:
            usage["input_token_details"]["cache_creation"] = created
    thought = _figure(raw.get("output_tokens_details") or {}, "thinking_tokens")
    if thought is not None:
        usage["output_token_details"] = {"reasoning": thought}
    return usage


def uncounted(raw: Mapping[str, Any]) -> bool:
    """Whether the service says more than token counts: tier, searches, iterations."""
    return any(value is not None and key not in _COUNTED for key, value in raw.items())


def _figure(raw: Mapping[str, Any], name: str) -> int | None:
    value = raw.get(name)
    return value if value.__class__ is int and value >= 0 else None
