"""What makers' models on Bedrock take beyond what Converse fixes for all: a table.

The profile of a model goes before it; a model of no known maker is sent all as asked.
Sources, read 2026-11: https://docs.aws.amazon.com/bedrock/latest/userguide/
conversation-inference-supported-models-features.html, claude-messages-adaptive-thinking.html,
prompt-caching.html, https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from headrace.chat_models.effort import BUDGETS, FORMS, Effort, Form

EffortStyle = Literal["thinking", "reasoningConfig", "reasoning_effort", "reasoning_config"]
ChoiceKind = Literal["auto", "any", "tool"]
Place = Literal["system", "messages", "tools"]
_LEAST = 1024  # tokens of Claude's smallest budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How the models of one maker are told what Converse has no common word for.

    `makers`: what stands before the dot in their ids. `effort`: the key of
    `additionalModelRequestFields` that carries it, None where none is known; `forms`: see
    `headrace.chat_models.effort`. `top_k`: the path of its key. `choices`: kinds of
    `toolChoice` (None: not known). `caches`: where cache points may stand (None: not known),
    `hour`: they may say how long.
    `signs`: its reasoning is signed and goes back.
    """

    id: str
    makers: tuple[str, ...] = ()
    effort: EffortStyle | None = None
    forms: frozenset[Form] = frozenset()
    top_k: tuple[str, ...] = ("top_k",)
    choices: frozenset[ChoiceKind] | None = None
    caches: frozenset[Place] | None = frozenset()
    hour: bool = False
    signs: bool = False

    def spell(self, effort: Effort, *, adaptive: bool = True) -> dict[str, Any]:
        """The parts of a body that carry an effort: a level, a budget, or a switch.

        `adaptive`: the model decides itself how to reason; else a level is a budget of tokens.
        """
        off = effort is False or effort in ("none", 0)
        match self.effort:
            case "thinking":
                return _thinking(effort, off, adaptive)
            case "reasoningConfig":
                level = effort if isinstance(effort, str) else "medium"
                how = {"type": "enabled", "maxReasoningEffort": level}
                return _fields({"reasoningConfig": {"type": "disabled"} if off else how})
            case "reasoning_effort" | "reasoning_config" as key:
                return _fields({key: "none" if off else effort})
        return {}


def _fields(fields: dict[str, Any]) -> dict[str, Any]:
    return {"additionalModelRequestFields": fields}


def _thinking(effort: Effort, off: bool, adaptive: bool) -> dict[str, Any]:
    if off:
        return _fields({"thinking": {"type": "disabled"}})
    on = effort is True or effort == "on"
    if adaptive and (on or isinstance(effort, str)):
        fields = _fields({"thinking": {"type": "adaptive"}})
        return fields if on else {**fields, "outputConfig": {"effort": effort}}
    if isinstance(effort, str) or on:
        effort = max(BUDGETS.get("medium" if on else str(effort), _LEAST), _LEAST)
    return _fields({"thinking": {"type": "enabled", "budget_tokens": effort}})


_ALL: frozenset[ChoiceKind] = frozenset({"auto", "any", "tool"})

FAMILIES = (
    Family(
        id="claude", makers=("anthropic",), effort="thinking", forms=FORMS, choices=_ALL,
        caches=frozenset({"system", "messages", "tools"}), hour=True, signs=True,
    ),
    Family(
        id="nova", makers=("amazon",), effort="reasoningConfig",
        forms=frozenset({"words", "switch"}), top_k=("inferenceConfig", "topK"), choices=_ALL,
        caches=frozenset({"system", "messages"}),
    ),
    Family(
        id="gpt", makers=("openai",), effort="reasoning_effort", forms=frozenset({"words"}),
    ),
    Family(
        id="qwen", makers=("qwen",), effort="reasoning_config", forms=frozenset({"words"}),
    ),
    Family(id="mistral", makers=("mistral",), choices=frozenset({"auto", "any"})),
    Family(id="llama", makers=("meta",), choices=frozenset({"auto"})),
    Family(id="deepseek", makers=("deepseek",), choices=frozenset({"auto"})),
    Family(id="command", makers=("cohere",), top_k=("k",)),
    Family(
        id="other",
        makers=("ai21", "google", "minimax", "moonshot", "moonshotai", "nvidia", "writer", "xai",
                "zai"),
    ),
)  # fmt: skip
# Of whose model nothing is known: an ARN without `base_model`.
UNKNOWN = Family(id="unknown", caches=None, hour=True, signs=True)

_BY_MAKER: Mapping[str, Family] = {m: family for family in FAMILIES for m in family.makers}
_REGION = re.compile(r"(?:us|us-gov|eu|apac|jp|au|ca|sa|in|global)\.(?=[a-z0-9]+\.)")
_ARN = re.compile(r"arn:[^:]+:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(.+)")


def plain_id(model: str) -> str:
    """The id of a model in an ARN of a foundation model or of a system's inference profile.

    Any other ARN says nothing of its model and comes back as it is.
    """
    found = _ARN.fullmatch(model)
    return found[1] if found else model


def foundation_id(model: str) -> str:
    """The id of a foundation model, which is what tokens are counted for, without its region."""
    return _REGION.sub("", plain_id(model))


@cache
def family_of(model: str) -> Family:
    """The family of a model by the maker in its id, whatever region stands before it."""
    maker, dot, _ = foundation_id(model).partition(".")
    return _BY_MAKER.get(maker, UNKNOWN) if dot else UNKNOWN
