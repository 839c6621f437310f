"""Answers of DashScope and the events of its streams as messages. Pure: no SDK, no I/O.

Source: https://help.aliyun.com/en/model-studio/qwen-api-via-dashscope (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from headrace.chat_models.wire import excerpt, parse
from headrace.errors import ModelError, StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message, sum_chunks
from headrace.transport import MALFORMED, malformed
from headrace_dashscope.choice import Choice
from headrace_dashscope.failures import error_event
from headrace_dashscope.search import Sources
from headrace_dashscope.usage import read_usage

_FORM = "DashScope's API"
_PLACED = frozenset({"choices", "text", "finish_reason", "search_info"})


def decode_response(body: Any, *, model: str | None = None) -> AIMessage:
    """The message of a whole answer; `model`: the one asked, which no answer names.

    Raises ModelError for an error in place of an answer, WireError for what is no answer.
    """
    decoder = Decoder(model=model)
    chunks = [*decoder.feed(body), *decoder.finish(), AIMessageChunk(chunk_position="last")]
    return cast("AIMessage", message_chunk_to_message(sum_chunks(chunks)))


class Decoder:
    """One stream: events in, chunks out; see `headrace.transport.EventDecoder`.

    Usage is a snapshot in each event. Events without an `output` are skipped and counted in
    `response_metadata["skipped_events"]`. `annotated`: sources are to be expected with the text.
    """

    __slots__ = ("_choices", "_facts", "_model", "_skipped", "_sources", "_told", "_usage")

    def __init__(self, *, annotated: bool = False, model: str | None = None) -> None:
        self._model = model
        self._sources = Sources(annotated)
        self._choices: dict[int, Choice] = {}
        self._facts: dict[str, Any] = {}
        self._usage: Any = None
        self._told, self._skipped = False, 0

    @property
    def ended(self) -> bool:
        return bool(self._choices) and all(one.finish for one in self._choices.values())

    def read(self, payload: bytes) -> list[AIMessageChunk]:
        return self.feed(parse(payload))

    def feed(self, event: Any) -> list[AIMessageChunk]:
        """The chunks of one parsed event, or of a whole answer."""
        try:
            return self._feed(event)
        except (ModelError, WireError):
            raise
        except MALFORMED as exc:
            raise malformed(_FORM, "event", event, exc) from exc

    def finish(self) -> list[AIMessageChunk]:
        """What can be said only at the end; StreamInterruptedError if that did not come."""
        if not self.ended:
            raise StreamInterruptedError(
                "DashScope's stream ended without a `finish_reason`; the answer is not complete"
            )
        meta = dict(self._facts)
        others = [one.total(at) for at, one in sorted(self._choices.items()) if at]
        if others:
            meta["choices"] = others
        if self._skipped:
            meta["skipped_events"] = self._skipped
        return [*self._sources.close(), *([AIMessageChunk(response_metadata=meta)] if meta else ())]

    def _feed(self, event: Any) -> list[AIMessageChunk]:
        if not isinstance(event, dict):
            raise WireError(f"this is no answer of DashScope: {excerpt(repr(event))!r}")
        if (error := error_event(event)) is not None:
            raise error
        output = event.get("output")
        if not isinstance(output, dict):
            if "output" in event:
                raise WireError(f"this is no answer of DashScope: {excerpt(repr(event))!r}")
            self._skipped += 1
            return []
        chunks = self._begin(event)
        chunks += self._sources.found(output.get("search_info"))
        choices = output.get("choices")
        if choices is None and "text" in output:
            said = {"content": output["text"]}
            choices = [{"message": said, "finish_reason": output.get("finish_reason")}]
        for choice in choices or ():
            chunks += self._choice(choice)
        self._facts.update(
            {k: v for k, v in output.items() if k not in _PLACED and v not in (None, "", [], {})}
        )
        used = event.get("usage")
        if used and used != self._usage:
            self._usage = used
            usage: Any = read_usage(used)
            if usage is not None:
                chunks.append(AIMessageChunk(usage_metadata=usage, usage_kind="snapshot"))
        return chunks

    def _begin(self, event: Mapping[str, Any]) -> list[AIMessageChunk]:
        if self._told:
            return []
        self._told = True
        meta: dict[str, Any] = {"model_provider": "dashscope"}
        if self._model:
            meta["model_name"] = self._model
        id = event.get("request_id")
        if not isinstance(id, str) or not id:
            return [AIMessageChunk(response_metadata=meta)]
        return [AIMessageChunk(response_metadata={**meta, "request_id": id}, id=id)]

    def _choice(self, choice: Mapping[str, Any]) -> list[AIMessageChunk]:
        index = choice.get("index") or 0
        if index not in self._choices:
            if not isinstance(index, int):
                raise TypeError(f"the index of a choice is {index!r}")
            self._choices[index] = Choice(indexed=self._sources.expected and not index)
        chunks = self._choices[index].feed(choice)
        if index == 0:
            return chunks
        self._choices[index].kept.extend(chunks)
        return []
