"""What a web search of DashScope found, as blocks of a server's tool and as citations.

Source: https://help.aliyun.com/en/model-studio/web-search (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.messages import AIMessageChunk

Block = dict[str, Any]

_SHOWN = frozenset({"url", "title"})


class Sources:
    """The results of one answer, each once, though events may repeat them.

    `expected`: a search was asked for, so text must be given in blocks that sources can join.
    """

    __slots__ = ("_results", "_runs", "expected")

    def __init__(self, expected: bool) -> None:
        self.expected = expected
        self._results: list[Mapping[str, Any]] = []
        self._runs = 0

    def found(self, info: Any) -> list[AIMessageChunk]:
        """A call and its result for what is new in `search_info`."""
        if not info:
            return []
        results = info.get("search_results") or ()
        new = [dict(result) for result in results if result not in self._results]
        others = info.get("extra_tool_info")
        if not new and not (others and not self._runs):
            return []
        id = f"web_search_{self._runs}"
        self._runs += 1
        self._results += new
        output = {"search_results": new, **({"extra_tool_info": others} if others else {})}
        return [
            AIMessageChunk(
                [
                    {"type": "server_tool_call", "name": "web_search", "args": {}, "id": id},
                    {
                        "type": "server_tool_result", "tool_call_id": id, "status": "success",
                        "output": output,
                    },
                ]
            )
        ]  # fmt: skip

    def close(self) -> list[AIMessageChunk]:
        """The citations, which belong to the text as a whole: `[1]` in it names `index` 1."""
        if not self._results:
            return []
        notes = [_citation(result) for result in self._results]
        return [AIMessageChunk([{"type": "text", "text": "", "index": 0, "annotations": notes}])]


def _citation(result: Mapping[str, Any]) -> Block:
    citation: Block = {"type": "citation"}
    for name in ("url", "title"):
        if isinstance(result.get(name), str):
            citation[name] = result[name]
    extras = {k: v for k, v in result.items() if k not in _SHOWN and v not in (None, "")}
    return {**citation, "extras": extras} if extras else citation
