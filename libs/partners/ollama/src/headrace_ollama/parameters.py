"""Ollama's parameters as the core reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.chat_models import Wire
from headrace.errors import InputError
from headrace_ollama.encode import OPTIONS, SAME, spell_think

SPELLINGS = frozenset({"think", "reasoning"})

# https://docs.ollama.com/api/chat, https://docs.ollama.com/capabilities/thinking (read 2026-11):
# tools without a choice among them, so the core shows only those that are named; thinking as a
# switch, or by level
# (gpt-oss); images by bytes.
WIRE = Wire(
    service="ollama",
    names={"max_tokens": "num_predict"},
    takes=frozenset({*OPTIONS, *SAME, "stop", "tools", "json_schema", "json_mode"}),
    lacks=frozenset({"parallel_tool_calls", "tool_choice"}),
    ranges={"top_logprobs": (0, 20)},
    forms=frozenset({"words", "switch"}),
    spell=spell_think,
    media=frozenset({"image_data"}),
    developer_role=False,
)


def read_effort(given: Mapping[str, Any]) -> str | int:
    """The `reasoning_effort` that `think`, or LangChain's `reasoning`, means."""
    meant = {_meant(name, value) for name, value in given.items()}
    if len(meant) > 1:
        raise InputError("`think` and `reasoning` contradict each other; give `reasoning_effort`")
    return meant.pop()


def _meant(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "none"
    if isinstance(value, str) and value:
        return value
    raise InputError(f"`{name}` is true, false, or a level such as 'high', not {value!r}")
