"""The parameters of the Messages API as the core reads them, and how effort is spelled.

Sources: https://platform.claude.com/docs/en/api/messages, …/build-with-claude/effort,
…/build-with-claude/adaptive-thinking, …/build-with-claude/extended-thinking (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from headrace.chat_models import Wire
from headrace.chat_models.effort import BUDGETS, Effort, Form
from headrace.chat_models.prompt_caching import EVERYWHERE
from headrace.errors import InputError
from headrace.tools import SCHEMA_DIALECTS

LEAST_BUDGET = 1024
# Required by the API; for models whose own limit nobody knows.
MAX_TOKENS = 4096

_MEDIA = frozenset({"image_url", "image_data", "image_id", "file_url", "file_data", "file_id"})
_TAKES = frozenset(
    {
        "temperature", "top_p", "top_k", "max_tokens", "stop", "tools", "tool_choice",
        "parallel_tool_calls", "service_tier", "speed", "user_id", "container", "mcp_servers",
        "context_management", "inference_geo", "betas", "cache_prompt",
    }
)  # fmt: skip
_ADAPTIVE: frozenset[Form] = frozenset({"words", "tokens", "switch"})
_BUDGETED: frozenset[Form] = frozenset({"tokens"})


@cache  # two of them for each service
def wire_of(service: str, adaptive: bool, files: bool = True) -> Wire:
    """What the core must know of the API; `adaptive`: the model decides itself how to reason.

    Before adaptive thinking (Claude 4.5 and older) an effort is a budget of tokens. `files`: the
    service keeps files that are named by their ids.
    """
    return Wire(
        service=service,
        takes=_TAKES,
        ranges={"temperature": (0, 1), "top_p": (0, 1), "top_k": (0, None)},
        forms=_ADAPTIVE if adaptive else _BUDGETED,
        spell=partial(spell_effort, adaptive=adaptive),
        media=_MEDIA if files else _MEDIA - {"image_id", "file_id"},
        developer_role=False,
        required={"max_tokens": MAX_TOKENS},
        schemas=SCHEMA_DIALECTS["anthropic"],
        marks=EVERYWHERE,
    )


def spell_effort(effort: Effort, *, adaptive: bool = True) -> dict[str, Any]:
    """The keys of a body that carry an effort: a level, a budget, or a switch."""
    if effort is False or effort in ("none", 0):
        return {"thinking": {"type": "disabled"}}
    if effort is True or effort == "on":
        if adaptive:
            return {"thinking": {"type": "adaptive"}}
        effort = "medium"
    if isinstance(effort, str):
        if adaptive:
            return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}
        effort = max(BUDGETS.get(effort, LEAST_BUDGET), LEAST_BUDGET)
    return {"thinking": {"type": "enabled", "budget_tokens": effort}}


def read_thinking(given: Mapping[str, Any]) -> dict[str, Any]:
    """What `thinking={"type": …}` means: `reasoning_effort`, and `thinking_display` if it says.

    Raises InputError for keys that say more.
    """
    rest = dict(given)
    kind, budget = rest.pop("type", None), rest.pop("budget_tokens", None)
    found: dict[str, Any] = {}
    if "display" in rest:
        found["thinking_display"] = rest.pop("display")
    match kind:
        case "disabled" if budget is None:
            found["reasoning_effort"] = "none"
        case "adaptive" if budget is None:
            found["reasoning_effort"] = "on"
        case "enabled" if isinstance(budget, int):
            found["reasoning_effort"] = budget
        case _:
            rest["type"] = kind
    if rest:
        raise InputError(
            f"`thinking` = {dict(given)!r} says more than an effort; pass it through `extra_body`"
        )
    return found
