"""Prompt caching: the portable mark on blocks and tools, and the switch `cache_prompt`.

What a service does about either its `Wire` says. A mark or a switch that it has no use for is left
out, with a record and without an error: the answer is the same, only its price is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from headrace.messages import AIMessage, BaseMessage, DeveloperMessage, SystemMessage, ToolMessage

if TYPE_CHECKING:
    from headrace.chat_models.notes import Notes
    from headrace.chat_models.settings import Settings
    from headrace.chat_models.wires import Wire

MARK = "cache_control"
SWITCH = "cache_prompt"
MOST = 4  # marks that a request may have, wherever there are marks

MarkPlace = Literal["tools", "system", "user", "assistant", "tool"]
EVERYWHERE: frozenset[MarkPlace] = frozenset(get_args(MarkPlace))
_PLACES: Mapping[MarkPlace, str] = {
    "tools": "tools", "system": "instructions", "user": "messages of the user",
    "assistant": "answers", "tool": "results of tools",
}  # fmt: skip


def without_marks(
    messages: Sequence[BaseMessage], settings: Settings, wire: Wire
) -> tuple[list[BaseMessage], Settings]:
    """Messages and settings without the marks that the service takes no notice of, or refuses.

    One record for each kind of place, one in all for a service without marks. What is given stays
    as it is.
    """
    if wire.marks == EVERYWHERE:
        return list(messages), settings
    lost: dict[MarkPlace, Any] = {}
    kept = [
        message if _is_bare(message) else _unmarked_message(message, wire, lost)
        for message in messages
    ]
    if "tools" not in wire.marks and any(_mark_of(tool) for tool in settings.tools):
        lost["tools"] = next(mark for tool in settings.tools if (mark := _mark_of(tool)))
        settings = replace(settings, tools=tuple(map(_unmarked, settings.tools)))
    for place in [*lost] if wire.marks else [*lost][:1]:
        settings.notes.record(MARK, lost[place], None, "left out", _reason(wire, place))
    return kept, settings


def why_idle(wire: Wire) -> str:
    """Why `cache_prompt` changes nothing in a request to a service that has no use for it."""
    if wire.caches_itself:
        return f"`{wire.service}` caches prompts by itself"
    return f"`{wire.service}` is not known to cache prompts on request"


def put_marks(
    places: Iterable[dict[str, Any]], taken: int, mark: tuple[str, Any], asked: Any, notes: Notes
) -> None:
    """Puts a mark, (key, value), on parts that have none; `taken` marks are there already."""
    key, value = mark
    for part in places:
        if key in part:
            continue
        if taken == MOST:
            reason = f"a request has at most {MOST} marks"
            notes.record(SWITCH, asked, None, "left out", reason)
            return
        part[key] = dict(value)
        taken += 1


def mark_value(asked: bool | str) -> dict[str, str]:
    """The mark that `cache_prompt` means, kept for as long as it says."""
    kept = {"ttl": asked} if isinstance(asked, str) else {}
    return {"type": "ephemeral", **kept}


def _reason(wire: Wire, place: MarkPlace) -> str:
    if wire.marks:
        return f"`{wire.service}` takes no cache marks on {_PLACES[place]}"
    return f"{why_idle(wire)}, and takes no marks"


def _place_of(message: BaseMessage) -> MarkPlace:
    match message:
        case SystemMessage() | DeveloperMessage():
            return "system"
        case AIMessage():
            return "assistant"
        case ToolMessage():
            return "tool"
    return "user"


def _is_bare(message: BaseMessage) -> bool:
    """Whether nothing is there that a mark could be on, as in most messages."""
    if message.content.__class__ is not str or message.additional_kwargs:
        return False
    return not (isinstance(message, AIMessage) and message.tool_calls)


def _unmarked_message(message: BaseMessage, wire: Wire, lost: dict[MarkPlace, Any]) -> BaseMessage:
    """The message as it is, or a copy without its marks."""
    items: list[Any] = [] if isinstance(message.content, str) else message.content
    calls = message.tool_calls if isinstance(message, AIMessage) else ()
    own = message.additional_kwargs.get(MARK)
    marks = [mark for item in (*items, *calls) if (mark := _mark_of(item))]
    if not marks and not own:
        return message
    place = _place_of(message)
    if place in wire.marks:
        return message
    lost.setdefault(place, own or marks[0])
    changed = message.model_copy()
    if items:
        changed.content = cast("Any", [_unmarked(item) for item in items])
    if own:
        changed.additional_kwargs = {
            key: value for key, value in message.additional_kwargs.items() if key != MARK
        }
    return changed


def _mark_of(item: Any) -> Any:
    """The mark on a block or a tool, in whose spelling ever; None for none."""
    if not isinstance(item, Mapping):
        return None
    return item.get(MARK) or (item.get("extras") or {}).get(MARK)


def _unmarked(item: Any) -> Any:
    if not _mark_of(item):
        return item
    bare = {key: value for key, value in item.items() if key != MARK}
    if "extras" in bare:
        bare["extras"] = {key: value for key, value in bare["extras"].items() if key != MARK}
    return bare
