"""Tool calls: the shapes in which services stream them, and the one that goes back out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Piece = dict[str, Any]

_ARGUMENTS = frozenset({"arguments"})
_KNOWN = frozenset({"id", "type", "index", "function", "custom", "name", "arguments"})


class CallSorter:
    """Gives each streamed piece of a tool call its place.

    OpenAI sends id and name once and then only the index. Others repeat id and name in each
    piece (DashScope), leave the index out (Mistral, Gemini), or use one index for all parallel
    calls (vLLM): a piece belongs to the call with its id, else to the one at its index if that
    has no other id, else to the last. A repeated id or name is given once only.
    """

    __slots__ = ("_at", "_calls")

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._at: dict[Any, _Call] = {}  # by index; the newest one there

    def sort(self, deltas: Iterable[Mapping[str, Any]]) -> list[Piece]:
        """The pieces as tool call chunks with places counted from 0."""
        return [self._piece(delta) for delta in deltas]

    def close(self) -> list[Piece]:
        """What ends the calls: the closing quote of the input of each custom tool."""
        return [_chunk(call.place, args='"}') for call in self._calls if call.custom]

    def _piece(self, delta: Mapping[str, Any]) -> Piece:
        id, index = delta.get("id") or None, delta.get("index")
        begun = None if index is None or len(delta) > 2 else self._at.get(index)
        if begun is not None and not begun.custom:
            said = delta.get("function")
            if isinstance(said, dict) and said.keys() == _ARGUMENTS:  # the usual piece
                return _chunk(begun.place, arguments_text(said["arguments"]))
        custom = delta.get("custom") or {}
        is_custom = bool(custom.get("name") or custom.get("input"))
        function: Any = custom if is_custom else delta.get("function") or {}
        name = function.get("name") or None
        call = self._find(id, index, name)
        chunk = _chunk(call.place)
        if call.id is None and id is not None:
            call.id = id
            # In a sum an id that comes late would begin another call.
            chunk["id"] = None if call.begun else id
        call.begun = True
        if call.name is None and name is not None:
            call.name = chunk["name"] = name
        if is_custom or call.custom:
            chunk["args"] = _custom_args(call, custom)
        else:
            chunk["args"] = arguments_text(function.get("arguments"))
        extras = _extras(delta)
        if is_custom and call.id == id:
            extras["type"] = "custom"
        if extras:
            chunk["extras"] = extras
        return chunk

    def _find(self, id: Any, index: Any, name: Any) -> _Call:
        if id is not None:
            for call in self._calls:
                if call.id == id:
                    return call
        if index is not None:
            newest = self._at.get(index)
            if newest is not None and (id is None or newest.id is None) and newest.fits(name):
                return newest
        elif id is None and name is None and self._calls:
            return self._calls[-1]
        call = _Call(len(self._calls))
        self._calls.append(call)
        self._at[index] = call
        return call


class _Call:
    __slots__ = ("begun", "custom", "id", "name", "place")

    def __init__(self, place: int) -> None:
        self.place = place
        self.id: str | None = None
        self.name: str | None = None
        self.begun = self.custom = False

    def fits(self, name: str | None) -> bool:
        return name is None or self.name is None or self.name == name


def whole_calls(message: Mapping[str, Any]) -> list[Piece]:
    """The calls of a whole message as tool call chunks; places counted from 0.

    The retired `function_call` counts as a call without id.
    """
    pieces = []
    for place, call in enumerate(message.get("tool_calls") or ()):
        sorter = CallSorter()
        piece = sorter.sort([call])[0]
        piece["args"] = (piece["args"] or "") + "".join(p["args"] for p in sorter.close())
        piece["index"] = place
        pieces.append(piece)
    retired = message.get("function_call")
    if not pieces and retired and retired.get("name"):
        pieces = CallSorter().sort([{"function": retired}])
    return pieces


def arguments_text(value: Any) -> str | None:
    """Arguments as JSON text; some servers send the object itself."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def wire_call(call: Mapping[str, Any], extras_out: Iterable[str], id: str) -> dict[str, Any]:
    """A tool call, valid or not, as it goes back to the service."""
    extras = call.get("extras") or {}
    args = call.get("args")
    if extras.get("type") == "custom" and isinstance(args, dict):
        custom = {"name": call["name"], "input": args.get("input", "")}
        return {"id": id, "type": "custom", "custom": custom}
    text = args if isinstance(args, str) else _dumps(args)
    wire = {
        "id": id,
        "type": "function",
        "function": {"name": call.get("name") or "", "arguments": text},
    }
    wire.update({key: extras[key] for key in extras_out if key in extras})
    return wire


def _dumps(args: Any) -> str:
    return json.dumps(args or {}, ensure_ascii=False, separators=(",", ":"))


def _chunk(place: int, args: str | None = None) -> Piece:
    return {"type": "tool_call_chunk", "name": None, "args": args, "id": None, "index": place}


def _custom_args(call: _Call, custom: Mapping[str, Any]) -> str:
    """The free text of a custom tool as a stretch of {"input": "…"}."""
    text = custom.get("input")
    opening = "" if call.custom else '{"input": "'
    call.custom = True
    return opening + json.dumps(text or "", ensure_ascii=False)[1:-1]


def _extras(call: Mapping[str, Any]) -> dict[str, Any]:
    if call.keys() <= _KNOWN:
        return {}
    return {k: v for k, v in call.items() if k not in _KNOWN and v not in (None, "", {}, [])}
