"""DashScope's parameters as the core reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.chat_models import Wire
from headrace.chat_models.effort import BUDGETS, Effort
from headrace.chat_models.prompt_caching import SWITCH
from headrace.errors import InputError

# Those that go to `parameters` under their own name.
SAME = (
    "temperature", "top_p", "top_k", "max_tokens", "seed", "repetition_penalty",
    "presence_penalty", "n", "logprobs", "top_logprobs", "enable_search", "search_options",
    "preserve_thinking", "vl_high_resolution_images", "modalities", "audio",
)  # fmt: skip
SPELLINGS = frozenset({"enable_thinking", "thinking_budget"})


def spell_thinking(effort: Effort) -> dict[str, Any]:
    """The parameters that say how hard to think: a switch, and a budget in tokens."""
    if effort is False or effort in ("none", 0):
        return {"enable_thinking": False}
    budget = BUDGETS.get(effort) if isinstance(effort, str) else effort
    if effort is True or budget is None:
        return {"enable_thinking": True}
    return {"enable_thinking": True, "thinking_budget": budget}


# https://help.aliyun.com/en/model-studio/qwen-api-via-dashscope (read 2026-11): temperature in
# [0, 2), top_p in (0, 1], presence_penalty in [-2, 2], n from 1 to 4, top_logprobs to 5.
WIRE = Wire(
    service="dashscope",
    takes=frozenset(
        {*SAME, SWITCH, "stop", "tools", "tool_choice", "parallel_tool_calls", "json_mode"}
    ),
    lacks=frozenset({"frequency_penalty"}),
    ranges={
        "temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2), "n": (1, 4),
        "top_logprobs": (0, 5),
    },
    forms=frozenset({"tokens", "switch"}),
    spell=spell_thinking,
    media=frozenset({"image_url", "image_data", "audio_url", "audio_data", "video"}),
    developer_role=False,
    # https://help.aliyun.com/en/model-studio/context-cache (read 2026-11)
    marks=frozenset({"system", "user", "tool"}),
    caches_itself=True,
)  # fmt: skip


def read_effort(given: Mapping[str, Any]) -> str | int:
    """The `reasoning_effort` that `enable_thinking` and `thinking_budget` mean together."""
    budget, switch = given.get("thinking_budget"), given.get("enable_thinking")
    if switch is not None and not isinstance(switch, bool):
        raise InputError(f"`enable_thinking` is true or false, not {switch!r}")
    if budget is None:
        return "on" if switch else "none"
    if not isinstance(budget, int) or isinstance(budget, bool) or budget < 1:
        raise InputError(f"`thinking_budget` is a number of tokens above 0, not {budget!r}")
    if switch is False:
        raise InputError(
            "`thinking_budget` and `enable_thinking=False` contradict each other; give "
            "`reasoning_effort`"
        )
    return budget
