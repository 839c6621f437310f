"""Tool calls as DashScope streams them: by index, the id only in the first piece."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Piece = dict[str, Any]


class Calls:
    """Gives each piece of a call its place, counted from 0.

    Later pieces say `"id": ""`. A new id begins a new call, also at an index that was there
    before; a repeated id or name is given once.
    """

    __slots__ = ("_at", "_ids", "_named")

    def __init__(self) -> None:
        self._at: dict[Any, int] = {}  # index on the wire -> place
        self._ids: list[str | None] = []
        self._named: set[int] = set()

    def sort(self, calls: Iterable[Mapping[str, Any]]) -> list[Piece]:
        """The pieces of one event as tool call chunks."""
        return [self._piece(call) for call in calls]

    def _piece(self, call: Mapping[str, Any]) -> Piece:
        function: Mapping[str, Any] = call.get("function") or {}
        id, name = call.get("id") or None, function.get("name") or None
        place = self._place(call.get("index"), id, name)
        piece: Piece = {
            "type": "tool_call_chunk", "name": None, "args": _args(function.get("arguments")),
            "id": None, "index": place,
        }  # fmt: skip
        if id is not None and self._ids[place] is None:
            piece["id"] = self._ids[place] = id
        if name is not None and place not in self._named:
            self._named.add(place)
            piece["name"] = name
        return piece

    def _place(self, index: Any, id: str | None, name: str | None) -> int:
        if id is not None and id in self._ids:
            return self._ids.index(id)
        if index is None and id is None and name is None and self._ids:
            return len(self._ids) - 1
        place = None if index is None else self._at.get(index)
        if place is not None and (id is None or self._ids[place] is None):
            return place
        self._ids.append(None)
        self._at[index] = len(self._ids) - 1
        return len(self._ids) - 1


def _args(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
