"""Names of models: their paths, and what their generation decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_GENERATION = re.compile(r"gemini-(\d+)")


def model_path(model: str, *, vertex: bool) -> str:
    """The name of a model as it stands in a URL.

    Vertex AI also takes `publisher/model`, and full names of endpoints and of tuned models.
    """
    if not vertex:
        full = model.startswith(("models/", "tunedModels/"))
        return model if full else f"models/{model}"
    if model.startswith(("projects/", "publishers/", "models/", "endpoints/")):
        return model
    publisher, slash, name = model.partition("/")
    return f"publishers/{publisher}/models/{name}" if slash else f"publishers/google/models/{model}"


def wants_signatures(model: str, facts: Mapping[str, Any]) -> bool:
    """Whether a model refuses function calls of the current turn that carry no signature.

    All since Gemini 3 do (https://ai.google.dev/gemini-api/docs/thought-signatures, read
    2026-11): those which are told how hard to think by level, where a name says no number.
    """
    found = _GENERATION.search(model)
    if found is not None:
        return int(found[1]) >= 3
    return "gemini" in model and bool(facts.get("reasoning_effort_levels"))
