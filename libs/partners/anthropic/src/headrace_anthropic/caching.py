"""Where `cache_prompt` puts its markers: after the instructions and after the last message.

Claude reads a prompt in the order tools, system, messages; a marker keeps all that is before it.
Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from headrace.chat_models.prompt_caching import MARK, mark_value, put_marks
from headrace_anthropic.incoming import Block

if TYPE_CHECKING:
    from headrace.chat_models import Notes

_UNMARKED = frozenset({"thinking", "redacted_thinking"})  # which cannot have one


def mark_prompt(request: dict[str, Any], asked: bool | str, notes: Notes) -> None:
    """Puts the markers on a request that was just made; none where the caller put his own."""
    taken = sum(MARK in block for block in _blocks(request))
    put_marks(_places(request), taken, (MARK, mark_value(asked)), asked, notes)


def _places(request: dict[str, Any]) -> Iterator[Block]:
    """The last block of the instructions, and that of the last message."""
    if isinstance(request.get("system"), str):
        request["system"] = [{"type": "text", "text": request["system"]}]
    for block in (request.get("system") or request.get("tools") or ())[-1:]:
        yield block
    for turn in request["messages"][-1:]:
        if isinstance(turn["content"], str):
            turn["content"] = [{"type": "text", "text": turn["content"]}]
        for block in turn["content"][-1:]:
            if block["type"] not in _UNMARKED:
                yield block


def _blocks(request: dict[str, Any]) -> Iterator[Block]:
    yield from request.get("tools") or ()
    for content in (request.get("system"), *(turn["content"] for turn in request["messages"])):
        if isinstance(content, list):
            for block in content:
                yield block
                if isinstance(block.get("content"), list):
                    yield from (b for b in block["content"] if isinstance(b, dict))
