"""Answers of `/api/chat` and the lines of its streams as messages. Pure: no SDK, no I/O.

Source: https://docs.ollama.com/api/chat (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic_core import to_json

from headrace.chat_models.wire import excerpt, parse
from headrace.errors import ModelError, StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message, sum_chunks
from headrace.output_parsers.reasoning import TagSplitter
from headrace.transport import MALFORMED, error_in, malformed

_FORM = "Ollama's chat API"
_PLACED = frozenset(
    {"model", "message", "done", "done_reason", "created_at", "prompt_eval_count", "eval_count",
     "logprobs", "error"}
)  # fmt: skip
_REASONS = {"stop": "stop", "length": "length"}
_RAN = "tool_calls"


def decode_response(body: Any, *, extract_reasoning: bool = False) -> AIMessage:
    """The message of a whole answer.

    Raises ModelError for an error in place of an answer, WireError for what is no answer.
    `extract_reasoning`: `<think>` tags in the text are reasoning, as from models that the server
    does not read itself.
    """
    decoder = Decoder(extract_reasoning=extract_reasoning)
    chunks = [*decoder.feed(body), *decoder.finish(), AIMessageChunk(chunk_position="last")]
    return cast("AIMessage", message_chunk_to_message(sum_chunks(chunks)))


class Decoder:
    """One stream: lines in, chunks out; see `headrace.transport.EventDecoder`."""

    __slots__ = ("_calls", "_ended", "_splitter", "_told")

    def __init__(self, *, extract_reasoning: bool = False) -> None:
        self._splitter = TagSplitter() if extract_reasoning else None
        self._calls = 0
        self._ended = self._told = False

    @property
    def ended(self) -> bool:
        return self._ended

    def read(self, payload: bytes) -> list[AIMessageChunk]:
        return self.feed(parse(payload))

    def feed(self, event: Any) -> list[AIMessageChunk]:
        """The chunks of one parsed line, or of a whole answer."""
        try:
            return self._feed(event)
        except (ModelError, WireError):
            raise
        except MALFORMED as exc:
            raise malformed(_FORM, "event", event, exc) from exc

    def finish(self) -> list[AIMessageChunk]:
        if not self._ended:
            raise StreamInterruptedError(
                "the stream of Ollama ended without `done`; the answer is not complete"
            )
        return []

    def _feed(self, event: Any) -> list[AIMessageChunk]:
        if not isinstance(event, dict) or "message" not in event:
            if (error := error_in(event)) is not None:
                raise error
            if isinstance(event, dict) and event.get("done") is True:
                return self._end(event)  # a model that was only loaded
            raise WireError(f"this is no answer of Ollama's chat API: {excerpt(repr(event))!r}")
        message = event["message"]
        chunks = self._begin(event)
        thought = message.get("thinking")
        if thought:
            chunks.append(AIMessageChunk([{"type": "reasoning", "reasoning": _text(thought)}]))
        said = message.get("content")
        if said:
            chunks += self._said(_text(said))
        pieces = [self._call(call) for call in message.get("tool_calls") or ()]
        if pieces:
            chunks.append(AIMessageChunk(tool_call_chunks=pieces))
        if event.get("logprobs"):
            logprobs = {"logprobs": {"content": list(event["logprobs"])}}
            chunks.append(AIMessageChunk(response_metadata=logprobs))
        return [*chunks, *self._end(event)] if event.get("done") else chunks

    def _begin(self, event: Mapping[str, Any]) -> list[AIMessageChunk]:
        if self._told:
            return []
        self._told = True
        meta = {"model_provider": "ollama"}
        if event.get("model"):
            meta["model_name"] = event["model"]
        return [AIMessageChunk(response_metadata=meta)]

    def _said(self, text: str) -> list[AIMessageChunk]:
        if self._splitter is None:
            return [AIMessageChunk(text)]
        return [_run(kind, part) for kind, part in self._splitter.feed(text)]

    def _call(self, call: Mapping[str, Any]) -> dict[str, Any]:
        function, place = call["function"], self._calls
        self._calls += 1
        args = function.get("arguments")
        text = args if isinstance(args, str) else to_json(args or {}).decode()
        return {
            "type": "tool_call_chunk", "name": function["name"], "args": text,
            "id": call.get("id") or None, "index": place,
        }  # fmt: skip

    def _end(self, event: Mapping[str, Any]) -> list[AIMessageChunk]:
        self._ended = True
        chunks = self._begin(event)
        if self._splitter is not None:
            chunks += [_run(kind, part) for kind, part in self._splitter.flush()]
        raw = event.get("done_reason")
        meta = {k: v for k, v in event.items() if k not in _PLACED and v is not None}
        meta["finish_reason"] = _RAN if self._calls else _REASONS.get(str(raw or "stop"), "unknown")
        if raw is not None:
            meta["finish_reason_raw"] = raw
        read, wrote = _count(event, "prompt_eval_count"), _count(event, "eval_count")
        usage: Any = None
        if read is not None or wrote is not None:
            incoming, outgoing = read or 0, wrote or 0
            usage = {
                "input_tokens": incoming, "output_tokens": outgoing,
                "total_tokens": incoming + outgoing,
            }  # fmt: skip
        return [
            *chunks,
            AIMessageChunk(usage_metadata=usage, usage_kind="snapshot", response_metadata=meta),
        ]


def _run(kind: str, text: str) -> AIMessageChunk:
    if kind == "text":
        return AIMessageChunk(text)
    return AIMessageChunk([{"type": "reasoning", "reasoning": text}])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is {value!r}")
    return value


def _count(event: Mapping[str, Any], name: str) -> int | None:
    value = event.get(name)
    return value if value.__class__ is int and value >= 0 else None
