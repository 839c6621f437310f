"""Converse's parameters as the core reads them, by family of models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from headrace.chat_models import Wire
from headrace.chat_models.effort import FORMS
from headrace.chat_models.prompt_caching import EVERYWHERE, SWITCH, MarkPlace
from headrace.errors import InputError
from headrace.tools import SCHEMA_DIALECTS
from headrace_aws.families import UNKNOWN, Family

# Other names of `reasoning_effort` that ChatBedrockConverse takes.
SPELLINGS = frozenset({"thinking"})
_TAKES = frozenset(
    {
        "max_tokens", "temperature", "top_p", "stop", "tools", "service_tier", "system",
        "additional_model_request_fields", "additional_model_response_field_paths",
        "guardrail_config", "guard_last_turn_only", "performance_config", "request_metadata",
        "prompt_variables", "project_identifier",
    }
)  # fmt: skip


@cache  # at most two for each row of the table
def wire_of(family: Family, *, adaptive: bool = True) -> Wire:
    """What the core must know of a family to bring a request to it.

    `adaptive`: see `Family.spell`.
    Ranges: the service model of botocore 1.44, `InferenceConfiguration` (read 2026-11)
    """
    lacks = {"json_mode", "parallel_tool_calls"}
    if family.effort is None and family is not UNKNOWN:
        lacks.add("reasoning_effort")
    return Wire(
        service="bedrock_converse",
        takes=_TAKES | (frozenset() if family.caches == frozenset() else {SWITCH}),
        lacks=frozenset(lacks),
        ranges={"temperature": (0, 1), "top_p": (0, 1), "max_tokens": (1, None),
                "stop": (None, 2500)},
        forms=(family.forms or FORMS) if adaptive else frozenset({"tokens"}),
        spell=partial(family.spell, adaptive=adaptive),
        media=frozenset({"image_data", "file_data", "audio_data", "video"}),
        schemes=frozenset({"s3"}),
        developer_role=False,
        schemas=SCHEMA_DIALECTS["bedrock"],
        marks=_marks(family),
    )  # fmt: skip


def _marks(family: Family) -> frozenset[MarkPlace]:
    if family.caches is None:
        return EVERYWHERE
    said: frozenset[MarkPlace] = EVERYWHERE - {"system", "tools"}
    named: frozenset[MarkPlace] = EVERYWHERE & family.caches
    return named | said if "messages" in family.caches else named


def read_effort(given: Mapping[str, Any]) -> str | int:
    """The `reasoning_effort` that `thinking`, as Claude's own API spells it, means."""
    match given.get("thinking"):
        case {"type": "disabled", **rest} if not rest:
            return "none"
        case {"type": "enabled", "budget_tokens": int(tokens), **rest} if not rest:
            return tokens
        case {"type": "adaptive" | "enabled", **rest} if not rest:
            return "on"
    raise InputError(
        f"`thinking` = {given.get('thinking')!r} says more than an effort; give "
        "`reasoning_effort`, and the rest by `additional_model_request_fields`"
    )
