"""One choice of an answer: its messages, whole or in pieces, in; chunks out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    message_chunk_to_message,
    sum_chunks,
)
from headrace.messages.foreign import split_data_url
from headrace_dashscope.calls import Calls

Block = dict[str, Any]

_REASONS = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}
_GOES_ON = (None, "", "null")


class Choice:
    """Turns what one choice says into chunks; `kept` is for choices after the first.

    `indexed`: text blocks carry an index, by which the sum finds them again to add sources.
    """

    __slots__ = ("_calls", "_indexed", "finish", "kept")

    def __init__(self, *, indexed: bool = False) -> None:
        self.finish: str | None = None
        self.kept: list[AIMessageChunk] = []
        self._calls = Calls()
        self._indexed = indexed

    def feed(self, choice: Mapping[str, Any]) -> list[AIMessageChunk]:
        """The chunks of one event: none or one."""
        message = choice.get("message") or {}
        content = self._content(message)
        calls = message.get("tool_calls")
        pieces = self._calls.sort(calls) if calls else None
        meta = self._meta(choice)
        if not content and not pieces and not meta:
            return []
        return [AIMessageChunk(content, tool_call_chunks=pieces, response_metadata=meta)]

    def total(self, index: int) -> dict[str, Any]:
        """The message of a choice after the first, as it stands in the metadata."""
        last = AIMessageChunk(response_metadata={"index": index}, chunk_position="last")
        total = message_chunk_to_message(sum_chunks([*self.kept, last]))
        return cast("AIMessage", total).model_dump()

    def _content(self, message: Mapping[str, Any]) -> Any:
        said, thought = message.get("content"), message.get("reasoning_content")
        if not thought and said.__class__ is str and not self._indexed:
            return said
        blocks: list[Block] = []
        if thought:
            blocks.append({"type": "reasoning", "reasoning": _text(thought)})
        if isinstance(said, list):
            blocks.extend(_parts(said))
        elif said:
            blocks.append({"type": "text", "text": _text(said)})
        if self._indexed:
            for block in blocks:
                if block["type"] == "text":
                    block["index"] = 0
        return blocks

    def _meta(self, choice: Mapping[str, Any]) -> dict[str, Any] | None:
        meta: dict[str, Any] = {}
        logprobs = choice.get("logprobs")
        if logprobs and logprobs.get("content"):
            meta["logprobs"] = {"content": list(logprobs["content"])}
        raw = choice.get("finish_reason")
        if raw not in _GOES_ON and raw != self.finish:
            self.finish = _text(raw)
            meta["finish_reason"] = _REASONS.get(self.finish, "unknown")
            meta["finish_reason_raw"] = self.finish
        return meta or None


def _parts(content: Iterable[Any]) -> Iterable[Block]:
    """The blocks of a multimodal answer's content."""
    for part in content:
        if isinstance(part, str):
            part = {"text": part}
        match part:
            case {"text": str(text)} if len(part) == 1:
                if text:
                    yield {"type": "text", "text": text}
            case {"image": str(url)} if len(part) == 1:
                yield {"type": "image", **split_data_url(url)}
            case {"audio": dict(sound)} if len(part) == 1:
                yield from _audio(sound)
            case dict():
                yield {"type": "non_standard", "value": dict(part)}
            case _:
                raise TypeError(f"a part of content is {part!r}")


def _audio(sound: Mapping[str, Any]) -> Iterable[Block]:
    """A piece of sound, or its address at the end; pieces of one sound add up."""
    if sound.get("url"):
        yield {"type": "audio", "url": sound["url"], "id": sound.get("id")}
    elif sound.get("data"):
        yield {"type": "audio", "base64": sound["data"], "index": 0}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is {value!r}")
    return value
