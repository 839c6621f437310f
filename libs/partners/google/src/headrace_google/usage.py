"""Token usage: input includes cached tokens and results of server tools, output the thoughts.

Source: https://ai.google.dev/api/generate-content#UsageMetadata (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.messages import UsageMetadata


def read_usage(raw: Any) -> UsageMetadata | None:
    """The usage in headrace's form; None if no figure can be read."""
    if raw.__class__ is not dict:
        return None
    prompt, tools = _figure(raw, "promptTokenCount"), _figure(raw, "toolUsePromptTokenCount")
    said, thought = _figure(raw, "candidatesTokenCount"), _figure(raw, "thoughtsTokenCount")
    total = _figure(raw, "totalTokenCount")
    if prompt is None and said is None and thought is None and total is None:
        return None
    incoming, outgoing = (prompt or 0) + (tools or 0), (said or 0) + (thought or 0)
    usage: UsageMetadata = {
        "input_tokens": incoming,
        "output_tokens": outgoing,
        "total_tokens": incoming + outgoing if total is None else total,
    }
    inputs = _modalities(raw, "promptTokensDetails")
    outputs = _modalities(raw, "candidatesTokensDetails")
    cached = _figure(raw, "cachedContentTokenCount")
    if cached is not None:
        inputs["cache_read"] = cached
    if tools:
        inputs["tool_use"] = tools
    if thought is not None:
        outputs["reasoning"] = thought
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
        if row["modality"] == "TEXT":
            continue
        kind, count = str(row["modality"]).lower(), _figure(row, "tokenCount")
        if count and kind != "modality_unspecified":
            found[kind] = found.get(kind, 0) + count
    return found
