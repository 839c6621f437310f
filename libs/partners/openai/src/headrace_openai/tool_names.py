"""Tool names as Chat Completions takes them, `^[a-zA-Z0-9_-]{1,64}$`.

Source: https://developers.openai.com/api/reference/resources/chat (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headrace.tools import WireNames


def spell_names(request: dict[str, Any], names: WireNames) -> None:
    """Writes the names in a request that was just made as the wire takes them."""
    for tool in _named(request):
        tool["name"] = names.out(str(tool["name"]))


def _named(request: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Every dict of a request that holds the name of a tool."""
    choice = request.get("tool_choice")
    holders = [*request.get("tools", ())]
    if isinstance(choice, dict):
        holders += [choice, *choice.get("allowed_tools", {}).get("tools", ())]
    for message in request["messages"]:
        holders += message.get("tool_calls", ())
    for holder in holders:
        inner = holder.get("function") or holder.get("custom")
        if isinstance(inner, dict) and inner.get("name"):
            yield inner
