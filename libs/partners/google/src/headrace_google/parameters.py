"""What the core must know of Google's parameters, and how each goes out.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerationConfig (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from headrace.chat_models import Wire
from headrace.chat_models.effort import Effort
from headrace.errors import InputError
from headrace.tools.dialects import SCHEMA_DIALECTS

# Ours -> theirs, in `generationConfig`.
GENERATION: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "n": "candidateCount",
    "max_tokens": "maxOutputTokens",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "seed": "seed",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
    "response_mime_type": "responseMimeType",
    "response_schema": "responseJsonSchema",
    "response_modalities": "responseModalities",
    "media_resolution": "mediaResolution",
    "speech_config": "speechConfig",
    "image_config": "imageConfig",
    "audio_timestamp": "audioTimestamp",
}
# Ours -> theirs, in the request itself.
REQUEST: Mapping[str, str] = {
    "cached_content": "cachedContent",
    "labels": "labels",
    "service_tier": "serviceTier",
    "model_armor_config": "modelArmorConfig",
    "store": "store",
}
# The provider's own names for effort, which ChatGoogleGenerativeAI takes as aliases.
SPELLINGS = frozenset({"thinking_budget", "thinking_level"})
_ONLY_VERTEX = frozenset({"labels", "model_armor_config", "audio_timestamp"})
_MEDIA = frozenset(
    {
        "image_url", "image_data", "image_id", "audio_data", "audio_url", "audio_id", "file_data",
        "file_url", "file_id", "video", "video_id",
    }
)  # fmt: skip


@cache
def wire_of(provider: str) -> Wire:
    """How the Gemini API, or Vertex AI, takes what is asked."""
    vertex = provider == "google_vertexai"
    taken = {*GENERATION, *REQUEST, "stop", "tools", "tool_choice", "json_schema", "json_mode"}
    taken |= {"reasoning_effort", "include_thoughts", "safety_settings", "tool_config"}
    return Wire(
        service=provider,
        names={"max_tokens": "maxOutputTokens", "n": "candidateCount"},
        takes=frozenset(taken if vertex else taken - _ONLY_VERTEX),
        lacks=frozenset({"parallel_tool_calls"}) | (frozenset() if vertex else _ONLY_VERTEX),
        ranges={
            "temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2),
            "frequency_penalty": (-2, 2), "top_logprobs": (0, 20), "n": (1, 8), "stop": (0, 5),
        },
        spell=spell_effort,
        # Files are kept by the Gemini API alone ("only supported in the Gemini Developer client",
        # says google-genai 3.6 of `files`); Vertex AI takes URLs, also those of Cloud Storage.
        media=frozenset(form for form in _MEDIA if not (vertex and form.endswith("_id"))),
        developer_role=False,
        schemas=SCHEMA_DIALECTS["google"],
        caches_itself=True,  # https://ai.google.dev/gemini-api/docs/caching (read 2026-11)
    )  # fmt: skip


def spell_effort(effort: Effort) -> dict[str, Any]:
    """The keys of `thinkingConfig` that carry an effort.

    Levels since Gemini 3, budgets before; a budget of -1 leaves it to the model, 0 is off.
    Source: https://ai.google.dev/gemini-api/docs/thinking (read 2026-11)
    """
    if effort is True or effort == "on":
        return {"thinkingBudget": -1}
    if effort is False or effort in ("none", 0):
        return {"thinkingBudget": 0}
    if isinstance(effort, int):
        return {"thinkingBudget": effort}
    return {"thinkingLevel": effort.upper()}


def read_effort(given: Mapping[str, Any]) -> str | int:
    """The `reasoning_effort` that `thinking_budget` or `thinking_level` means."""
    match given:
        case {"thinking_level": str(level)} if len(given) == 1:
            return level.lower()
        case {"thinking_budget": bool()}:
            pass
        case {"thinking_budget": -1} if len(given) == 1:
            return "on"
        case {"thinking_budget": 0} if len(given) == 1:
            return "none"
        case {"thinking_budget": int(tokens)} if len(given) == 1:
            return tokens
    told = ", ".join(f"`{name}` = {value!r}" for name, value in given.items())
    raise InputError(
        f"{told}: give either `thinking_budget`, a number of tokens (-1: the model decides), or "
        "`thinking_level`, one of its levels; or say `reasoning_effort`"
    )
