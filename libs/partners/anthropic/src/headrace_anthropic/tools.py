"""Tools of a request: our own, those that Claude's servers run, and the choice among them.

Sources: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview, …/define-tools,
…/strict-tool-use (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headrace.tools import WireNames

if TYPE_CHECKING:
    from headrace.chat_models import Notes, Settings

# What a tool may carry beside name, description and schema.
_EXTRAS = frozenset(
    {
        "allowed_callers", "cache_control", "defer_loading", "eager_input_streaming",
        "input_examples", "type",
    }
)  # fmt: skip


def write_tools(settings: Settings, names: WireNames) -> dict[str, Any]:
    """`tools` and `tool_choice` of a request; nothing where there are no tools."""
    if not settings.tools:
        return {}
    notes = settings.notes
    wire: dict[str, Any] = {"tools": [_tool(tool, names, notes) for tool in settings.tools]}
    choice = _choice(wire, settings.tool_choice, names, notes)
    parallel = settings.params.get("parallel_tool_calls")
    if parallel is not None and (choice or {}).get("type") != "none":
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": not parallel}
    if choice is not None:
        wire["tool_choice"] = choice
    return wire


def _tool(tool: Mapping[str, Any], names: WireNames, notes: Notes) -> dict[str, Any]:
    """A tool of ours; the dict of one that the service runs or defines passes as it is."""
    if "parameters" not in tool:
        return dict(tool)
    wire: dict[str, Any] = {"name": names.out(str(tool["name"]))}
    if tool.get("description"):
        wire["description"] = tool["description"]
    wire["input_schema"] = tool["parameters"]
    if tool.get("strict") is not None:
        wire["strict"] = tool["strict"]
    for key, value in (tool.get("extras") or {}).items():
        if key in _EXTRAS:
            wire[key] = value
        else:
            notes.record(key, value, None, "left out", "a tool has no such mark")
    return wire


def _choice(
    wire: dict[str, Any], choice: str | tuple[str, ...] | None, names: WireNames, notes: Notes
) -> dict[str, Any] | None:
    """The choice; where a subset is asked for, the other tools are left out."""
    match choice:
        case None:
            return None
        case tuple():
            kept = {names.out(name) for name in choice}
            wire["tools"] = [t for t in wire["tools"] if _name_of(t) in kept]
            reason = "the Messages API names no subset; the other tools are left out"
            notes.record("tool_choice", choice, "any", "translated", reason)
            return {"type": "any"}
        case "auto" | "none":
            return {"type": choice}
        case "any" | "required":
            return {"type": "any"}
    return {"type": "tool", "name": names.out(choice)}


def _name_of(tool: Mapping[str, Any]) -> Any:
    return tool.get("name") or tool.get("type")


def declare_called(turns: Iterable[Mapping[str, Any]], notes: Notes) -> dict[str, Any]:
    """The tools that a history calls, where none is bound: declared, and not to be called.

    "Requests which include `tool_use` or `tool_result` blocks must define tools", says a 400.
    Source: https://github.com/llmmanorg/llmman/pull/432 (read 2026-11)
    """
    calls = (b for turn in turns for b in turn["content"] if isinstance(b, dict))
    names = list(dict.fromkeys(str(b["name"]) for b in calls if b["type"] == "tool_use"))
    if not names:
        return {}
    notes.record("tools", None, names, "added", "the history holds calls of them")
    schema = {"type": "object", "properties": {}}
    tools = [{"name": name, "input_schema": dict(schema)} for name in names]
    return {"tools": tools, "tool_choice": {"type": "none"}}


def spell_names(turns: Iterable[Mapping[str, Any]], names: WireNames) -> None:
    """Writes the names of calls in turns that were just made as the wire takes them."""
    for turn in turns:
        if isinstance(turn["content"], str):
            continue
        for block in turn["content"]:
            if block["type"] == "tool_use":
                block["name"] = names.out(str(block["name"]))
