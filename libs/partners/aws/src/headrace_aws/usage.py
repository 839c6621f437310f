"""Token usage in headrace's form: Converse counts cached tokens apart from its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.messages import UsageMetadata

# Also older spellings, which the service still sends beside the new ones.
_COUNTED = frozenset(
    {
        "inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens",
        "cacheWriteInputTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount",
    }
)  # fmt: skip


def read_usage(raw: Mapping[str, Any]) -> UsageMetadata | None:
    """The usage in headrace's form; None if no figure can be read."""
    fresh, written = _figure(raw, "inputTokens"), _figure(raw, "outputTokens")
    total = _figure(raw, "totalTokens")
    if fresh is None and written is None and total is None:
        return None
    read = _figure(raw, "cacheReadInputTokens", "cacheReadInputTokenCount")
    stored = _figure(raw, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    sent = (fresh or 0) + (read or 0) + (stored or 0)
    usage: UsageMetadata = {
        "input_tokens": sent,
        "output_tokens": written or 0,
        "total_tokens": max(total or 0, sent + (written or 0)),
    }
    details = {"cache_read": read, "cache_creation": stored}
    kept = {name: figure for name, figure in details.items() if figure is not None}
    if kept:
        usage["input_token_details"] = kept  # type: ignore[typeddict-item]  # its keys, filtered
    return usage


def uncounted(raw: Mapping[str, Any]) -> bool:
    """Whether the service says more than these counts: searches it made, caches by lifetime."""
    return any(value and key not in _COUNTED for key, value in raw.items())


def _figure(raw: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = raw.get(name)
        if value.__class__ is int and value >= 0:
            return int(value)
    return None
