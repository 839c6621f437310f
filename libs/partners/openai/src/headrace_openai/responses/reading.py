"""The items of one response, whole or as they come in a stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headrace.messages import AIMessageChunk
from headrace_openai.responses.items import (
    CALLS,
    Block,
    annotation,
    call_chunk,
    call_piece,
    escaped,
    is_server_call,
    other_blocks,
    part_place,
    reasoning_blocks,
    reasoning_piece,
    server_blocks,
)

Event = Mapping[str, Any]

# Told again, whole, by the item when it is done; nobody needs to see these on the way.
_SILENT = (
    "response.content_part.", "response.output_text.done", "response.refusal.done",
    "response.reasoning_summary_part.", "response.reasoning_summary_text.done",
    "response.reasoning_text.done", "response.reasoning_part.",
    "response.function_call_arguments.done", "response.custom_tool_call_input.done",
    "response.web_search_call.", "response.file_search_call.", "response.code_interpreter_call",
    "response.image_generation_call.", "response.mcp_", "response.apply_patch_call",
    "response.shell_call", "response.x_search_call", "response.tool_search_call",
    "response.computer_call", "response.local_shell_call", "response.compaction",
    "keepalive",
)  # fmt: skip


class _Seen:
    """What came of one item before it was done."""

    __slots__ = ("annotations", "custom", "done", "indexed", "parts", "phase")

    def __init__(self) -> None:
        self.parts: set[str] = set()
        self.annotations = 0
        self.custom = self.done = self.indexed = False
        self.phase: str | None = None


class ItemReader:
    """`text` and `feed` take events, `whole` an item; each gives chunks.

    `kinds`: the types of items so far. `refused`: there was a refusal.
    """

    __slots__ = ("_blocks", "_hosted", "_items", "kinds", "refused", "skipped")

    def __init__(self) -> None:
        self._items: dict[int, _Seen] = {}
        self._hosted = False  # sources may follow the text, which then needs its place
        self._blocks = False  # there are blocks already, among which calls have their place
        self.kinds: set[str] = set()
        self.refused = False
        self.skipped = 0

    def expect(self, tools: Iterable[Any]) -> None:
        """Takes note of the tools of the request: those that the service runs give sources."""
        self._hosted = any(
            not isinstance(tool, Mapping) or tool.get("type") not in ("function", "custom")
            for tool in tools
        )

    def text(self, event: Event) -> list[AIMessageChunk]:
        """A piece of text; a plain str as long as nothing else is to be said of it."""
        place = event["output_index"]
        seen = self._items.get(place)
        if seen is None:
            seen = self._begin(place, {"type": "message"})
        part = str(event.get("content_index", 0))
        seen.parts.add(part)
        said = event["delta"]
        if not isinstance(said, str):
            raise TypeError(f"a piece of text is {said!r}")
        meta = {"logprobs": {"content": event["logprobs"]}} if event.get("logprobs") else None
        if not seen.indexed and part == "0":
            return [AIMessageChunk(said, response_metadata=meta)]
        return [AIMessageChunk([_text(f"{place}.{part}", said)], response_metadata=meta)]

    def feed(self, kind: str, event: Event) -> list[AIMessageChunk]:
        """The chunks of any other event; unknown ones are counted."""
        read = _READERS.get(kind)
        if read is not None:
            return read(self, event)
        if not kind.startswith(_SILENT):
            self.skipped += 1
        return []

    def whole(self, item: Any, place: int) -> list[AIMessageChunk]:
        """What is still to be said of an item that is done."""
        kind = item["type"]
        seen = self._items.get(place) or self._begin(place, item)
        if seen.done:
            return []
        seen.done = True
        if kind == "message":
            return self._message(item, place, seen)
        if kind in CALLS:
            return self._call(item, place, seen)
        at = str(place)
        if kind == "reasoning":
            blocks = reasoning_blocks(item, at, seen.parts)
        else:
            blocks = (server_blocks if is_server_call(kind) else other_blocks)(item, at)
        self._blocks = True
        return [AIMessageChunk(blocks)]

    def _begin(self, place: int, item: Mapping[str, Any]) -> _Seen:
        if place.__class__ is not int:
            raise TypeError(f"the place of an item is {place!r}")
        kind, seen = item["type"], _Seen()
        self._items[place] = seen
        if kind == "message":
            phase = item.get("phase")
            seen.phase = phase if isinstance(phase, str) else None
            again = kind in self.kinds
            seen.indexed = self._hosted or again or seen.phase not in (None, "final_answer")
        self.kinds.add(kind)
        return seen

    # Events.

    def _added(self, event: Event) -> list[AIMessageChunk]:
        place, item = event["output_index"], event["item"]
        seen = self._begin(place, item)
        if item["type"] == "function_call":
            return [call_chunk(call_piece(item, place, ""), self._blocks)]
        if item["type"] == "custom_tool_call":
            seen.custom = True
            return [call_chunk(call_piece(item, place, '{"input": "'), self._blocks)]
        return []

    def _arguments(self, event: Event) -> list[AIMessageChunk]:
        place = event["output_index"]
        self._items[place].parts.add("args")
        return [_more(place, event["delta"])]

    def _input(self, event: Event) -> list[AIMessageChunk]:
        place = event["output_index"]
        self._items[place].parts.add("args")
        return [_more(place, escaped(event["delta"]))]

    def _summary(self, event: Event) -> list[AIMessageChunk]:
        return self._thought(event, "s", event.get("summary_index", 0))

    def _reasoning(self, event: Event) -> list[AIMessageChunk]:
        return self._thought(event, "c", event.get("content_index", 0))

    def _thought(self, event: Event, letter: str, number: int) -> list[AIMessageChunk]:
        place = event["output_index"]
        seen = self._items.get(place) or self._begin(place, {"type": "reasoning"})
        at = part_place(str(place), letter, number)
        piece = reasoning_piece(at, event["delta"])
        if at not in seen.parts and event.get("item_id"):
            piece["id"] = event["item_id"]  # in a sum an id that comes late begins another block
        seen.parts.add(at)
        self._blocks = True
        return [AIMessageChunk([piece])]

    def _refusal(self, event: Event) -> list[AIMessageChunk]:
        place = event["output_index"]
        self._items[place].parts.add(str(event.get("content_index", 0)))
        self.refused = True
        at = f"{place}.{event.get('content_index', 0)}"
        return [AIMessageChunk([{"type": "refusal", "refusal": event["delta"], "index": at}])]

    def _annotation(self, event: Event) -> list[AIMessageChunk]:
        place = event["output_index"]
        self._items[place].annotations += 1
        at = f"{place}.{event.get('content_index', 0)}"
        return [AIMessageChunk([_text(at, "", annotations=[annotation(event["annotation"])])])]

    def _done(self, event: Event) -> list[AIMessageChunk]:
        return self.whole(event["item"], event["output_index"])

    # Items.

    def _message(self, item: Mapping[str, Any], place: int, seen: _Seen) -> list[AIMessageChunk]:
        parts = item.get("content") or ()
        sources = [a for part in parts for a in part.get("annotations") or ()]
        seen.indexed = seen.indexed or (not seen.parts and bool(sources))
        phase = item.get("phase") or seen.phase
        chunks: list[AIMessageChunk] = []
        for number, part in enumerate(parts):
            chunks += self._part(part, place, number, seen)
        if phase and seen.indexed:
            chunks.append(AIMessageChunk([_text(f"{place}.0", "", extras={"phase": phase})]))
        elif phase:
            chunks.append(AIMessageChunk(response_metadata={"phase": phase}))
        self._blocks = self._blocks or seen.indexed
        return chunks

    def _part(
        self, part: Mapping[str, Any], place: int, number: int, seen: _Seen
    ) -> list[AIMessageChunk]:
        """A part of a message, or of one that streamed what had not come."""
        at, came = f"{place}.{number}", str(number) in seen.parts
        if part.get("type") == "refusal":
            self.refused = True
            if came:
                return []
            block = {"type": "refusal", "refusal": part["refusal"], "index": at}
            return [AIMessageChunk([block])]
        if part.get("type") != "output_text":
            return [AIMessageChunk(other_blocks(part, at))]
        notes = [annotation(a) for a in (part.get("annotations") or ())[seen.annotations :]]
        logprobs = None if came else part.get("logprobs")
        meta = {"logprobs": {"content": logprobs}} if logprobs else None
        said = "" if came else part["text"]
        if not notes and not seen.indexed and number == 0:
            return [AIMessageChunk(said, response_metadata=meta)] if said or meta else []
        return [AIMessageChunk([_text(at, said, annotations=notes)], response_metadata=meta)]

    def _call(self, item: Mapping[str, Any], place: int, seen: _Seen) -> list[AIMessageChunk]:
        if item["type"] == "custom_tool_call":
            text = '{"input": ' + json.dumps(item.get("input") or "", ensure_ascii=False) + "}"
            if seen.custom:  # it has begun
                rest = "" if "args" in seen.parts else escaped(item.get("input") or "")
                return [_more(place, rest + '"}')]
            return [call_chunk(call_piece(item, place, text), self._blocks)]
        arguments = item.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        if "args" in seen.parts:
            return []
        return [call_chunk(call_piece(item, place, arguments), self._blocks)]


def _text(place: str, text: str, **more: Any) -> Block:
    rest = {key: value for key, value in more.items() if value}
    return {"type": "text", "text": text, "index": place, **rest}


def _more(place: int, arguments: str) -> AIMessageChunk:
    piece = {"name": None, "args": arguments, "id": None, "index": place}
    return AIMessageChunk(tool_call_chunks=[piece])


_READERS: dict[str, Callable[[ItemReader, Event], list[AIMessageChunk]]] = {
    "response.output_item.added": ItemReader._added,
    "response.output_item.done": ItemReader._done,
    "response.function_call_arguments.delta": ItemReader._arguments,
    "response.custom_tool_call_input.delta": ItemReader._input,
    "response.reasoning_summary_text.delta": ItemReader._summary,
    "response.reasoning_text.delta": ItemReader._reasoning,
    "response.refusal.delta": ItemReader._refusal,
    "response.output_text.annotation.added": ItemReader._annotation,
}
