"""Token usage: input includes cached tokens and results of server tools, output the thoughts.

Source: https://ai.google.dev/api/generate-content#UsageMetadata (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.messages import UsageMetadata

_INPUTS = ("promptTokenCount", "toolUsePromptTokenCount")
_OUTPUTS = ("candidatesTokenCount", "thoughtsTokenCount")
_TOTALS = (*_INPUTS, *_OUTPUTS, "totalTokenCount")


def read_usage(raw: Any) -> UsageMetadata | None:
    """The usage in headrace's form; None if no figure can be read."""
    if raw.__class__ is not dict:
        return None
    figures = {name: value for name in _TOTALS if (value := _figure(raw, name)) is not None}
    if not figures:
        return None
    incoming = sum(figures.get(name, 0) for name in _INPUTS)
    outgoing = sum(figures.get(name, 0) for name in _OUTPUTS)
    usage: UsageMetadata = {
        "input_tokens": incoming,
        "output_tokens": outgoing,
        "total_tokens": figures.get("totalTokenCount", incoming + outgoing),
    }
    inputs = _modalities(raw, "promptTokensDetails")
    outputs = _modalities(raw, "candidatesTokensDetails")
    cached = _figure(raw, "cachedContentTokenCount")
    if cached is not None:
        inputs["cache_read"] = cached
    if figures.get("toolUsePromptTokenCount"):
        inputs["tool_use"] = figures["toolUsePromptTokenCount"]
    if "thoughtsTokenCount" in figures:
        outputs["reasoning"] = figures["thoughtsTokenCount"]
    if inputs:
        usage["input_token_details"] = inputs  # type: ignore[typeddict-item]  # free extra keys
    if outputs:
        usage["output_token_details"] = outputs  # type: ignore[typeddict-item]  # free extra keys
    return usage


def _figure(raw: Mapping[str, Any], name: str) -> int | None:
    value = raw.get(name)
    return value if value.__class__ is int and value >= 0 else None


def _modalities(raw: Mapping[str, Any], name: str) -> dict[str, int]:
    """Tokens by kind of medium: audio, image, video, document; text is the rest."""
    found: dict[str, int] = {}
    for row in raw.get(name) or ():
        kind, count = str(row["modality"]).lower(), _figure(row, "tokenCount")
        if count and kind not in ("text", "modality_unspecified"):
            found[kind] = found.get(kind, 0) + count
    return found
