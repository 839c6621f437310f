"""What `cache_prompt` does to a request of Chat Completions or Responses.

A service has marks for the end of what shall be cached, or a key that brings alike prompts to one
machine, or both: OpenAI since GPT-5.6, whose automatic breakpoint stands at the newest message, so
that instructions are found again only if one stands behind them too.
Sources: https://developers.openai.com/api/docs/guides/prompt-caching,
https://openrouter.ai/docs/features/prompt-caching,
https://docs.mistral.ai/studio-api/conversations/advanced/prompt-caching (read 2026-11)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from headrace.chat_models.prompt_caching import MARK, SWITCH, mark_value, put_marks

if TYPE_CHECKING:
    from headrace.chat_models import Notes, Settings
    from headrace_openai.dialects import Dialect

Turn = dict[str, Any]

BREAKPOINT = "prompt_cache_breakpoint"
KEY = "prompt_cache_key"
EXPLICIT = {"mode": "explicit"}
_FIRST = (5, 6)  # the version of GPT since which there are breakpoints
_VERSION = re.compile(r"(?:^|[/:])gpt-(\d)(?:\.(\d+))?(?![\w.])")
_TOLD = ("system", "developer")


def has_breakpoints(model: str) -> bool:
    """Whether a model of OpenAI's takes breakpoints, by the version in its name."""
    found = _VERSION.search(model)
    return found is not None and (int(found[1]), int(found[2] or 0)) >= _FIRST


def as_breakpoint(mark: Any, notes: Notes) -> dict[str, str]:
    """The breakpoint that stands for a portable mark; OpenAI keeps it for half an hour or more."""
    reason = "OpenAI calls it so, and keeps what it marks for 30 minutes or longer"
    notes.record(MARK, mark, {BREAKPOINT: EXPLICIT}, "translated", reason)
    return dict(EXPLICIT)


def cache_prompt(request: dict[str, Any], settings: Settings, dialect: Dialect) -> None:
    """Does in a request that was just made what `cache_prompt` asks for, if it does."""
    asked, notes = settings.params.get(SWITCH), settings.notes
    if not asked:
        return
    if dialect.cache_mark == BREAKPOINT and has_breakpoints(str(request.get("model"))):
        places = _ends(_kind(request), _instructions(request))
        put_marks(places, _taken(request, BREAKPOINT), (BREAKPOINT, EXPLICIT), asked, notes)
    elif dialect.cache_mark == MARK:
        places = _ends(_kind(request), _instructions(request), _last_said(request))
        put_marks(places, _taken(request, MARK), (MARK, mark_value(asked)), asked, notes)
        return
    _add_key(request, asked, dialect, notes)


def _add_key(request: dict[str, Any], asked: Any, dialect: Dialect, notes: Notes) -> None:
    """A key for all prompts that begin with these tools and instructions.

    Without any the conversation's first message stands in, if it is sent again each time.
    """
    if KEY in request:
        return
    head = [*_instructions(request)]
    stored = any(request.get(name) for name in ("previous_response_id", "conversation"))
    if not head and not request.get("tools") and stored:
        notes.record(SWITCH, asked, None, "left out", f"`{dialect.id}` stores what came before")
        return
    first = head or _turns(request)[:1]
    text = json.dumps([request.get("tools"), first], sort_keys=True, default=str)
    request[KEY] = f"headrace-{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"
    reason = f"`{dialect.id}` caches prompts by itself, and finds them better by a key"
    notes.record(SWITCH, asked, {KEY: request[KEY]}, "translated", reason)


def _kind(request: Mapping[str, Any]) -> str:
    return "text" if "messages" in request else "input_text"


def _turns(request: Mapping[str, Any]) -> list[Turn]:
    found: list[Turn] = request.get("messages") or request.get("input") or []
    return found


def _instructions(request: Mapping[str, Any]) -> list[Turn]:
    """The messages at the beginning that instruct the model."""
    return list(takewhile(lambda turn: turn.get("role") in _TOLD, _turns(request)))


def _last_said(request: Mapping[str, Any]) -> list[Turn]:
    """What the user or a tool said last."""
    said = [turn for turn in _turns(request) if turn.get("role") in ("user", "tool")]
    return said[-1:]


def _ends(kind: str, *groups: Sequence[Turn]) -> Iterator[dict[str, Any]]:
    """The last part of the last turn of each group; a plain text becomes a part of this kind."""
    for group in groups:
        for turn in group[-1:]:
            if isinstance(turn["content"], str) and turn["content"]:
                turn["content"] = [{"type": kind, "text": turn["content"]}]
            if not isinstance(turn["content"], str):
                yield from turn["content"][-1:]


def _taken(request: Mapping[str, Any], key: str) -> int:
    """How many marks there are already."""
    contents = [turn.get("content") for turn in _turns(request)]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return sum(key in part for part in (*parts, *(request.get("tools") or ())))
