"""Messages for people to read: a terminal's view, and a transcript."""

from __future__ import annotations

from typing import Any

_WIDTH = 80
_TITLES = {
    "system": "System Message",
    "developer": "Developer Message",
    "human": "Human Message",
    "ai": "Ai Message",
    "AIMessageChunk": "Ai Message Chunk",
    "tool": "Tool Message",
    "chat": "Chat Message",
    "remove": "Remove Message",
}


def pretty_message(message: Any) -> str:
    """A title line, then name, text, other blocks and tool calls, one below the other."""
    lines = [_title(_TITLES.get(message.type, message.type.title()))]
    if message.name:
        lines.append(f"Name: {message.name}")
    for block in message.content_blocks:
        line = _shown(block)
        if line:
            lines.append(line)
    calls = [b for b in message.content_blocks if b["type"] in _CALLS]
    if calls:
        lines.append("Tool Calls:")
        for call in calls:
            lines.extend(_call_lines(call))
    return "\n".join(lines)


_CALLS = ("tool_call", "invalid_tool_call", "tool_call_chunk")


def _title(text: str) -> str:
    return f" {text} ".center(_WIDTH, "=")


def _shown(block: Any) -> str:
    kind = block["type"]
    if kind == "text":
        return str(block.get("text") or "")
    if kind == "reasoning":
        return f"(reasoning) {block.get('reasoning') or ''}".rstrip()
    if kind == "refusal":
        return f"(refusal) {block.get('refusal') or ''}"
    if kind in _CALLS:
        return ""
    # Media are named, not printed: their bytes would fill the screen.
    where = block.get("url") or block.get("file_id") or block.get("mime_type") or ""
    return f"[{kind}{' ' + where[:60] if where else ''}]"


def _call_lines(call: Any) -> list[str]:
    state = "" if call["type"] == "tool_call" else f" [{call['type'].removesuffix('_tool_call')}]"
    lines = [f"  {call.get('name')} ({call.get('id')}){state}"]
    if call.get("error"):
        lines.append(f"    Error: {call['error']}")
    args = call.get("args")
    if isinstance(args, dict):
        lines.extend(f"    {name}: {value}" for name, value in args.items())
    elif args:
        lines.append(f"    {args}")
    return lines
