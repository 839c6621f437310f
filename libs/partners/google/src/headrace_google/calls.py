"""Function calls of an answer as tool call chunks, whole or streamed in pieces.

Source: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling
(streaming of arguments; read 2026-11)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from headrace_google.incoming import SIGNATURE

Piece = dict[str, Any]

_STEP = re.compile(r"\.([^.\[\]]+)|\[(?:(\d+)|'([^']*)'|\"([^\"]*)\")\]")
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


class CallReader:
    """Gives each call its place; arguments that come in pieces are put together first."""

    __slots__ = ("_open", "count")

    def __init__(self) -> None:
        self.count = 0
        self._open: _Partial | None = None

    def piece(self, part: Mapping[str, Any]) -> Piece | None:
        """The chunk of a `functionCall` part; None while its arguments are still to come."""
        call = part["functionCall"]
        if self._open is not None and not call.get("name"):
            self._open.add(call)
        elif call.get("willContinue") or call.get("partialArgs"):
            self._open = _Partial(call, part)
            self._open.add(call)
        else:
            return self._piece(call, call.get("args"), part.get("thoughtSignature"))
        return None if call.get("willContinue") else self.close()

    def close(self) -> Piece | None:
        """The call whose pieces have all come; at the end of a stream, what there is of it."""
        opened, self._open = self._open, None
        if opened is None:
            return None
        return self._piece(opened.call, opened.args, opened.signature)

    def _piece(self, call: Mapping[str, Any], args: Any, signature: Any) -> Piece:
        piece: Piece = {
            "type": "tool_call_chunk",
            "name": call.get("name"),
            "args": json.dumps(args or {}, ensure_ascii=False),
            "id": call.get("id") or None,
            "index": self.count,
        }
        if signature:
            piece["extras"] = {SIGNATURE: signature}
        self.count += 1
        return piece


class _Partial:
    """A call whose arguments come as values at JSON paths."""

    __slots__ = ("args", "call", "signature")

    def __init__(self, call: Mapping[str, Any], part: Mapping[str, Any]) -> None:
        self.call, self.signature = call, part.get("thoughtSignature")
        self.args: Any = dict(call.get("args") or {})

    def add(self, call: Mapping[str, Any]) -> None:
        for piece in call.get("partialArgs") or ():
            name = next((name for name in _VALUES if name in piece), None)
            if name is not None:
                value = None if name == "nullValue" else piece[name]
                _put(self.args, _steps(piece["jsonPath"]), value)


def _steps(path: str) -> list[str | int]:
    return [
        int(index) if index else key or single or double
        for key, index, single, double in _STEP.findall(path)
    ]


def _put(root: Any, steps: list[str | int], value: Any) -> None:
    """Sets what stands at a path; text goes on where there is text already."""
    place = root
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, int):
            if step > len(place):
                raise ValueError(f"item {step} comes before item {len(place)}")
            if step == len(place):
                place.append(None)
        old = place[step] if isinstance(step, int) else place.get(step)
        if after is not None:
            if old is None:
                old = place[step] = [] if isinstance(after, int) else {}
            place = old
        elif isinstance(old, str) and isinstance(value, str):
            place[step] = old + value
        else:
            place[step] = value
