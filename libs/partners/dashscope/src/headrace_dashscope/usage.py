"""Token usage in headrace's form: input with what was cached, output with reasoning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.messages import UsageMetadata

_OURS = {"reasoning_tokens": "reasoning", "audio_tokens": "audio", "image_tokens": "image",
         "video_tokens": "video"}  # fmt: skip


def read_usage(raw: Any) -> UsageMetadata | None:
    """The usage of an answer; None if it gives no figure.

    `cache_creation_input_tokens` is of explicit caches, and counts into the input.
    Source: https://help.aliyun.com/en/model-studio/context-cache (read 2026-11)
    """
    if not isinstance(raw, dict):
        return None
    read, wrote = _figure(raw, "input_tokens"), _figure(raw, "output_tokens")
    if read is None and wrote is None:
        return None
    total = _figure(raw, "total_tokens")
    usage: UsageMetadata = {
        "input_tokens": read or 0,
        "output_tokens": wrote or 0,
        "total_tokens": (read or 0) + (wrote or 0) if total is None else total,
    }
    cached = _of(raw, "prompt_tokens_details")
    inputs = {**_kinds(raw), **_kinds(_of(raw, "input_tokens_details"))}
    for ours, theirs in (
        ("cache_read", "cached_tokens"), ("cache_creation", "cache_creation_input_tokens"),
    ):  # fmt: skip
        if (figure := _figure(cached, theirs)) is not None:
            inputs[ours] = figure
    outputs = _kinds(_of(raw, "output_tokens_details"))
    if inputs:
        usage["input_token_details"] = inputs  # type: ignore[typeddict-item]  # free extra keys
    if outputs:
        usage["output_token_details"] = outputs  # type: ignore[typeddict-item]  # free extra keys
    return usage


def _of(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _kinds(raw: Mapping[str, Any]) -> dict[str, int]:
    return {
        ours: figure
        for theirs, ours in _OURS.items()
        if theirs in raw and (figure := _figure(raw, theirs)) is not None
    }


def _figure(raw: Mapping[str, Any], name: str) -> int | None:
    value = raw.get(name)
    return value if value.__class__ is int and value >= 0 else None
