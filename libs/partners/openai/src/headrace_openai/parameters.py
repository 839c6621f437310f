"""The dialects' parameters as the core reads them, and how reasoning effort is spelled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, get_args

from headrace.chat_models import Wire
from headrace.chat_models.effort import BUDGETS, Effort, Form
from headrace.chat_models.prompt_caching import MARK, SWITCH
from headrace.errors import InputError
from headrace_openai.dialects import Dialect, EffortStyle, Media
from headrace_openai.responses.encode import ONLY_HERE

# In which forms each style says how hard to think.
_FORMS: Mapping[EffortStyle | None, frozenset[Form]] = {
    "effort": frozenset({"words"}),
    "object": frozenset({"words", "tokens", "switch"}),
    "toggle": frozenset({"words", "switch"}),
    "enabled": frozenset({"words", "switch"}),
    "switch": frozenset({"switch"}),
    "budget": frozenset({"tokens", "switch"}),
    None: frozenset(),
}
# The providers' own names for it, which ChatOpenAI takes as aliases.
SPELLINGS = frozenset({"reasoning", "thinking", "enable_thinking", "thinking_budget"})


# What Chat Completions has and the Responses API has not, and what it can carry.
# https://developers.openai.com/api/docs/guides/migrate-to-responses (read 2026-11)
_ONLY_CHAT = frozenset(
    {
        "audio", "frequency_penalty", "logit_bias", "modalities", "n", "prediction",
        "presence_penalty", "seed", "stop", "web_search_options",
    }
)  # fmt: skip
_INPUTS = frozenset(
    {"image_url", "image_data", "image_id", "file_data", "file_url", "file_id"}
)  # fmt: skip


@cache  # at most two for each row of the table
def responses_wire_of(dialect: Dialect, breakpoints: bool = False) -> Wire:
    """What the core must know of a dialect's Responses API to bring a request to it.

    `breakpoints`: the model takes marks for the prompt cache, where the dialect has them.
    """
    switched = {SWITCH} if breakpoints or dialect.caching == "key" else set()
    return Wire(
        service=dialect.id,
        names={"max_tokens": "max_output_tokens"},
        takes=(dialect.takes - _ONLY_CHAT) | ONLY_HERE | switched,
        lacks=(dialect.lacks - ONLY_HERE) | _ONLY_CHAT,
        ranges=dict(dialect.ranges),
        forms=frozenset({"words"}),
        levels=dialect.levels or None,
        spell=lambda effort: {"reasoning": {"effort": "none" if effort is False else effort}},
        media=_INPUTS,
        media_known=True,
        developer_role=dialect.developer_role,
        marks=dialect.marks if breakpoints else frozenset(),
        caches_itself=dialect.caching is not None,
    )


@cache  # at most two for each row of the table
def wire_of(dialect: Dialect, breakpoints: bool = False) -> Wire:
    """What the core must know of a dialect to bring a request to it.

    `breakpoints`: as for `responses_wire_of`.
    """
    marked = breakpoints or dialect.cache_mark == MARK
    switched = {SWITCH} if breakpoints or dialect.caching in ("key", "marks") else set()
    names = {"max_tokens": dialect.max_tokens, "seed": dialect.seed}
    lacks = {
        "tools": not dialect.tools,
        "tool_choice": not dialect.tools,
        "parallel_tool_calls": not dialect.parallel_tool_calls,
        "json_schema": not dialect.json_schema,
        "reasoning_effort": dialect.effort is None,
    }
    return Wire(
        service=dialect.id,
        names={name: sent for name, sent in names.items() if sent != name},
        takes=dialect.takes | switched,
        lacks=dialect.lacks | ONLY_HERE | {name for name, lacking in lacks.items() if lacking},
        ranges=dict(dialect.ranges),
        forms=_FORMS[dialect.effort],
        levels=dialect.levels or None,
        spell=partial(spell_effort, dialect),
        media=frozenset(get_args(Media)) if dialect.media is None else dialect.media,
        media_known=dialect.media is not None,
        developer_role=dialect.developer_role,
        marks=dialect.marks if marked else frozenset(),
        caches_itself=dialect.caching is not None,
    )


def spell_effort(dialect: Dialect, effort: Effort) -> dict[str, Any]:
    """The keys of a body that carry an effort: a level, a budget, or a switch."""
    off = effort is False or effort in ("none", 0)
    match dialect.effort:
        case "object" if isinstance(effort, bool):
            return {"reasoning": {"enabled": effort}}
        case "object":
            key = "max_tokens" if isinstance(effort, int) and effort else "effort"
            return {"reasoning": {key: "none" if off else effort}}
        case "budget":
            budget = BUDGETS.get(effort) if isinstance(effort, str) else effort
            if off or effort is True or budget is None:
                return {"enable_thinking": not off}
            return {"enable_thinking": True, "thinking_budget": budget}
        case "toggle" | "switch" if off or effort is True or dialect.effort == "switch":
            return {"thinking": {"type": "disabled" if off else "enabled"}}
        case "enabled" if off or effort is True:
            return {"reasoning": {"enabled": not off}}
    return {"reasoning_effort": "none" if off else effort}


def read_effort(given: Mapping[str, Any]) -> str | int | Mapping[str, Any]:
    """The `reasoning_effort` that providers' own spellings of it mean.

    The Responses API's `reasoning` also holds a `summary`: then both, by their names. Raises
    InputError for contradictions, and for keys that say more.
    """
    asked = given.get("reasoning")
    if isinstance(asked, Mapping) and asked.get("summary") is not None:
        effort = {k: v for k, v in asked.items() if k != "summary"}
        rest = {**given, "reasoning": effort}
        if not effort:
            del rest["reasoning"]
        both = {"reasoning_summary": asked["summary"]}
        return {**both, "reasoning_effort": read_effort(rest)} if rest else both
    meant = {_meant(name, value) for name, value in given.items()} - {"on"}
    if len(meant) > 1:
        told = ", ".join(f"`{name}` = {value!r}" for name, value in given.items())
        raise InputError(f"{told} contradict each other; give `reasoning_effort`")
    return meant.pop() if meant else "on"


def _meant(name: str, value: Any) -> str | int:
    match name, value:
        case "thinking_budget", int() if not isinstance(value, bool):
            return int(value)
        case "enable_thinking", bool():
            return "on" if value else "none"
        case "thinking", {"type": "disabled"} if len(value) == 1:
            return "none"
        case "thinking", {"type": "enabled"} if len(value) == 1:
            return "on"
        case "thinking", {"type": "enabled", "budget_tokens": int(tokens)} if len(value) == 2:
            return tokens
        case "reasoning", {"effort": str(effort)} if len(value) == 1:
            return effort
        case "reasoning", {"max_tokens": int(tokens)} if len(value) == 1:
            return tokens
        case "reasoning", {"enabled": bool(enabled)} if len(value) == 1:
            return "on" if enabled else "none"
    raise InputError(
        f"`{name}` = {value!r} says more than an effort; give `reasoning_effort`, and the rest "
        "by `extra_body`"
    )
