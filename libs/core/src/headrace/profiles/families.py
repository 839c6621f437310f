"""Open weights by family: what every provider of them says alike, and nothing else.

A server of downloaded weights names models by tags (`qwen3:8b`). What holds for such a tag is what
all entries of its family and size agree on; prices, limits and controls are a server's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from headrace.profiles.naming import tag_parts

OF_THE_WEIGHTS = (
    "family", "knowledge", "open_weights", "reasoning_output", "tool_calling",
    "text_inputs", "image_inputs", "pdf_inputs", "audio_inputs", "video_inputs",
    "text_outputs", "image_outputs", "pdf_outputs", "audio_outputs", "video_outputs",
)  # fmt: skip


def family_facts(entries: Mapping[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Family, and family with size (`qwen3`, `qwen3-8b`) -> facts that all its entries share.

    `entries`: a model's id -> what each provider says of it, as our facts.
    """
    members: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for model, said in entries.items():
        parts, named = tag_parts(model)
        weights = [facts for facts in said if facts.get("open_weights") is True]
        for length in range(1, min(named + 1, len(parts)) + 1):
            members["-".join(parts[:length])] += weights
    return {key: _shared(said) for key, said in members.items() if said}


def _shared(said: list[dict[str, Any]]) -> dict[str, Any]:
    first = said[0]
    shared = {
        field: first[field]
        for field in OF_THE_WEIGHTS
        if field in first and all(facts.get(field) == first[field] for facts in said)
    }
    if not shared.get("tool_calling"):  # a host may leave tools out; that says nothing of yours
        shared.pop("tool_calling", None)
    return shared
