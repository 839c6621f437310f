"""One choice of a stream: its deltas in, chunks out."""

from __future__ import annotations

from typing import Any

from headrace.messages import AIMessageChunk
from headrace_openai.calls import CallSorter
from headrace_openai.finish import finish_reason
from headrace_openai.incoming import (
    annotate,
    audio_block,
    content_parts,
    other_parts,
    read_annotations,
    server_tools,
)
from headrace_openai.reasoning import Block, joined_details, reasoning_text

# Keys of a delta that need no look beyond text, reasoning text and calls.
_PLAIN = frozenset({"role", "content", "tool_calls", "reasoning_content", "reasoning", "channel"})


class ChoiceDecoder:
    """Turns the deltas of one choice into chunks; `kept` is for choices after the first.

    Text and reasoning go out as bare runs. Where something is to be added to a run later
    (sources, signatures), its blocks carry an index, by which the sum finds them again.
    """

    __slots__ = (
        "_annotated",
        "_calls",
        "_details",
        "_given",
        "_refused",
        "_said_empty",
        "_seen_tools",
        "_sources",
        "finish",
        "kept",
    )  # fmt: skip

    def __init__(self, sources: list[Block], *, annotated: bool = False) -> None:
        self.kept: list[AIMessageChunk] = []
        self.finish: str | None = None
        self._sources = sources
        self._annotated = annotated or bool(sources)
        self._details: list[Any] | None = None
        self._given: str | None = None
        self._refused = self._said_empty = False
        self._seen_tools: set[Any] = set()
        self._calls: CallSorter | None = None

    def feed(self, choice: dict[str, Any], id: str | None) -> list[AIMessageChunk]:
        """The chunks of one delta: none or one."""
        delta = choice.get("delta")
        if delta is None:
            delta = choice.get("message") or {}  # a server that does not stream
        content = delta.get("content")
        if content.__class__ is str and len(delta) == 1 and not self._annotated:
            meta = self._meta(choice)  # the usual delta: text and nothing else
            if content or meta is not None:
                return [AIMessageChunk(content, response_metadata=meta, id=id)]
            return []
        if content is None:
            content = ""
        if content.__class__ is not str or self._annotated or not delta.keys() <= _PLAIN:
            blocks: Any = self._blocks(delta, content)
        else:
            said = reasoning_text(delta)
            blocks = content
            if said:
                blocks = [{"type": "reasoning", "reasoning": said}]
                if content:
                    blocks.append({"type": "text", "text": content})
        pieces = self._pieces(delta)
        meta = self._meta(choice)
        kwargs = None
        if delta.get("extra_content"):
            kwargs = {"extra_content": delta["extra_content"]}
        if not blocks and not pieces and meta is None and kwargs is None:
            return []
        return [
            AIMessageChunk(
                blocks,
                tool_call_chunks=pieces,
                response_metadata=meta,
                additional_kwargs=kwargs,
                id=id,
            )
        ]

    def close(self) -> list[AIMessageChunk]:
        """What can be said only at the end."""
        chunks = []
        if self._details:
            extras = {"reasoning_details": joined_details(self._details)}
            block = {"type": "reasoning", "reasoning": "", "index": 0, "extras": extras}
            chunks.append(AIMessageChunk([block]))
        if self._sources:
            block = {"type": "text", "text": "", "index": 0, "annotations": self._sources}
            chunks.append(AIMessageChunk([block]))
        if self._calls is not None and (closing := self._calls.close()):
            chunks.append(AIMessageChunk(tool_call_chunks=closing))
        if self.finish is None:
            meta = {"finish_reason": "unknown"}
            if self._said_empty:
                meta["finish_reason_raw"] = ""
            chunks.append(AIMessageChunk(response_metadata=meta))
        return chunks

    def _blocks(self, delta: dict[str, Any], content: Any) -> list[Block]:
        blocks: list[Block] = []
        details = delta.get("reasoning_details")
        said = reasoning_text(delta)
        if details:
            if self._details is None:
                self._details = []
            self._details.extend(details)
        if said or details:
            blocks.append({"type": "reasoning", "reasoning": said})
            if self._details is not None:
                blocks[-1]["index"] = 0
        blocks.extend(self._server_tools(delta.get("executed_tools")))
        blocks.extend(content_parts(content))
        notes = read_annotations(delta.get("annotations"))
        if notes:
            annotate(blocks, notes)
        if self._annotated:
            for block in blocks:
                if block["type"] == "text":
                    block["index"] = 0
        others = other_parts(delta)
        if others:
            self._refused = self._refused or any(b["type"] == "refusal" for b in others)
            blocks.extend(others)
        if (audio := audio_block(delta.get("audio"), index=0)) is not None:
            blocks.append(audio)
        return blocks

    def _server_tools(self, executed: Any) -> list[Block]:
        """Groq sends each executed tool when it starts and again with its output."""
        if not executed:
            return []
        blocks = []
        for block in server_tools(executed):
            key = (block["type"], block.get("id") or block.get("tool_call_id"))
            if key not in self._seen_tools:
                self._seen_tools.add(key)
                blocks.append(block)
        return blocks

    def _pieces(self, delta: dict[str, Any]) -> list[dict[str, Any]] | None:
        calls = delta.get("tool_calls")
        if not calls:
            retired = delta.get("function_call")
            if not retired or not any(retired.values()):
                return None
            calls = [{"index": 0, "function": retired}]
        if self._calls is None:
            self._calls = CallSorter()
        return self._calls.sort(calls)

    def _meta(self, choice: dict[str, Any]) -> dict[str, Any] | None:
        meta: dict[str, Any] | None = None
        logprobs, raw = choice.get("logprobs"), choice.get("finish_reason")
        if logprobs and any(logprobs.values()):
            meta = {"logprobs": {k: v for k, v in logprobs.items() if v is not None}}
        if raw is None:
            return meta
        if raw == "":
            self._said_empty = True
            return meta
        self.finish = raw
        if raw != self._given:
            self._given = raw
            words = {"finish_reason": finish_reason(raw, refused=self._refused)}
            meta = {**(meta or {}), **words, "finish_reason_raw": raw}
        return meta
