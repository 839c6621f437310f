"""Messages for people to read: a terminal's view, and a transcript."""

from __future__ import annotations

from typing import Any, Literal

from headrace.deferred import html, pydantic_core
from headrace.errors import InputError

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


def get_buffer_string(
    messages: Any,
    human_prefix: str = "Human",
    ai_prefix: str = "AI",
    *,
    format: Literal["prefix", "xml"] = "prefix",
) -> str:
    """The conversation as one text, a line `Human: …` or an element a message.

    "xml" escapes what people say, so that it cannot pass for another message. Media are named,
    never printed.
    """
    if format not in ("prefix", "xml"):
        raise InputError(f"`format` is 'prefix' or 'xml', not {format!r}")
    titles = {"human": human_prefix, "ai": ai_prefix, "AIMessageChunk": ai_prefix} | _SPEAKERS
    lines = []
    for message in messages:
        speaker = titles.get(message.type) or getattr(message, "role", message.type)
        said = [_shown(block) for block in message.content_blocks]
        calls = [block for block in message.content_blocks if block["type"] in _CALLS]
        text = "\n".join(line for line in said if line)
        if format == "xml":
            lines.append(_element(message, text, calls))
        else:
            shown = [f"{call.get('name')}({_args(call)})" for call in calls]
            lines.append(f"{speaker}: {' '.join([text, *shown] if text else shown)}")
    return "\n".join(lines)


_SPEAKERS = {"system": "System", "developer": "Developer", "tool": "Tool"}


def _element(message: Any, text: str, calls: list[Any]) -> str:
    kind = "ai" if message.type == "AIMessageChunk" else getattr(message, "role", message.type)
    name = f' name="{html.escape(message.name)}"' if message.name else ""
    inner = html.escape(text, quote=False) + "".join(
        f'<tool_call id="{_said(call, "id")}" name="{_said(call, "name")}">'
        f"{html.escape(_args(call), quote=False)}</tool_call>"
        for call in calls
    )
    return f'<message type="{html.escape(kind)}"{name}>{inner}</message>'


def _said(call: Any, name: str) -> str:
    return html.escape(call.get(name) or "")


def _args(call: Any) -> str:
    args = call.get("args")
    return (
        args
        if isinstance(args, str)
        else pydantic_core.to_json(args or {}, serialize_unknown=True).decode()
    )
