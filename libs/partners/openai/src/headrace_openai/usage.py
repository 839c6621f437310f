"""Token usage of the compatible services in one form.

Input includes cached tokens, output includes reasoning tokens, whatever the service counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.messages import UsageMetadata

_COUNTED = frozenset(
    {
        "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens",
        "prompt_tokens_details", "completion_tokens_details", "input_tokens_details",
        "output_tokens_details", "prompt_cache_hit_tokens", "prompt_cache_miss_tokens",
        "cached_tokens",
    }
)  # fmt: skip
# What was written to the cache: OpenAI and OpenRouter, …, DashScope
# (https://help.aliyun.com/en/model-studio/context-cache, read 2026-11).
_WRITTEN = ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")


def usage_of(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The usage object of a response or chunk, wherever its service puts it.

    Groq has sent it as `x_groq.usage`, Moonshot as `choices[0].usage`.
    """
    raw = event.get("usage")
    if raw.__class__ is dict and raw:
        return raw
    groq = event.get("x_groq")
    if groq is not None:
        raw = groq.get("usage")
    elif event.get("choices"):
        raw = event["choices"][0].get("usage")
    return raw if raw.__class__ is dict and raw else None


def read_usage(raw: Mapping[str, Any]) -> UsageMetadata | None:
    """The usage in headrace's form; None if no figure can be read."""
    sent = _figure(raw, "prompt_tokens", "input_tokens")
    written = _figure(raw, "completion_tokens", "output_tokens")
    total = _figure(raw, "total_tokens")
    if sent is None and written is None and total is None:
        return None
    before = _details(raw, "prompt_tokens_details", "input_tokens_details")
    after = _details(raw, "completion_tokens_details", "output_tokens_details")
    cached = _figure(before, "cached_tokens")
    if cached is None:
        cached = _figure(raw, "cached_tokens", "prompt_cache_hit_tokens")
    reasoning = _figure(after, "reasoning_tokens")
    incoming, outgoing = sent or 0, written or 0
    # xAI counts reasoning beside the completion; only the total tells (recorded 2026-02).
    if reasoning and total == incoming + outgoing + reasoning:
        outgoing += reasoning
    usage: UsageMetadata = {
        "input_tokens": incoming,
        "output_tokens": outgoing,
        "total_tokens": incoming + outgoing if total is None else total,
    }
    inputs = _parts(before, {"cached_tokens", *_WRITTEN})
    if cached is not None:
        inputs["cache_read"] = cached
    written_to_cache = _figure(before, *_WRITTEN)
    # Of the Responses API a zero is a figure; some compatible services send it unasked.
    if written_to_cache or (written_to_cache == 0 and "input_tokens_details" in raw):
        inputs["cache_creation"] = written_to_cache
    outputs = _parts(after, {"reasoning_tokens"})
    if reasoning is not None:
        outputs["reasoning"] = reasoning
    if inputs:
        usage["input_token_details"] = inputs  # type: ignore[typeddict-item]  # free extra keys
    if outputs:
        usage["output_token_details"] = outputs  # type: ignore[typeddict-item]  # free extra keys
    return usage


def uncounted(raw: Mapping[str, Any]) -> bool:
    """Whether the service says more than token counts: a price, times, searches."""
    return any(value is not None and key not in _COUNTED for key, value in raw.items())


def _details(raw: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        value = raw.get(name)
        if isinstance(value, dict):
            return value
    return {}


def _figure(raw: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = raw.get(name)
        if value.__class__ is float and value.is_integer():
            value = int(value)
        if value.__class__ is int and value >= 0:
            return value
    return None


def _parts(details: Mapping[str, Any], known: set[str]) -> dict[str, int]:
    """Other parts that are not zero: audio, image, accepted_prediction …"""
    return {
        name.removesuffix("_tokens"): value
        for name, value in details.items()
        if name not in known and value.__class__ is int and value > 0
    }
