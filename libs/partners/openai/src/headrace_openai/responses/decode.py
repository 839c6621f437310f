"""Responses and their streams as messages.

Both go through one reading of items, so that a stream adds up to what an invoke gives.
Source: https://developers.openai.com/api/reference/resources/responses (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from headrace.chat_models.wire import ErrorPayload, excerpt, parse
from headrace.errors import ModelAPIError, ModelError, StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message, sum_chunks
from headrace.transport import MALFORMED, error_in, malformed
from headrace_openai.responses.items import CALLS
from headrace_openai.responses.reading import ItemReader
from headrace_openai.usage import read_usage

_FORM = "the Responses API"
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_BEGINS = frozenset({"response.created", "response.in_progress", "response.queued"})
# What a response repeats of its request, or has a place of its own.
_PLACED = frozenset(
    {
        "id", "object", "model", "output", "usage", "error", "status", "tools", "tool_choice",
        "text", "instructions", "input", "parallel_tool_calls", "temperature", "top_p",
        "max_output_tokens", "max_tool_calls", "previous_response_id", "reasoning", "truncation",
        "prompt", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options",
        "safety_identifier", "user", "store", "background", "top_logprobs", "presence_penalty",
        "frequency_penalty", "created_at", "completed_at", "output_text", "metadata",
    }
)  # fmt: skip
_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def decode_response(
    body: Any, *, provider: str = "openai", request_id: str | None = None
) -> AIMessage:
    """The message in a whole response.

    Raises ModelError for an error in place of an answer, WireError for what is no response.
    """
    try:
        reading = _Reading(provider, request_id)
        chunks = reading.whole(body)
        chunks.append(AIMessageChunk(chunk_position="last"))
        return cast("AIMessage", message_chunk_to_message(sum_chunks(chunks)))
    except (ModelError, WireError):
        raise
    except MALFORMED as exc:
        raise malformed(_FORM, "response", body, exc) from exc


class Decoder:
    """One stream: payloads in, chunks out; see `headrace.transport.EventDecoder`.

    Events of unknown type are skipped and counted in `response_metadata["skipped_events"]`.
    """

    __slots__ = ("_ended", "_reading")

    def __init__(self, *, provider: str = "openai", request_id: str | None = None) -> None:
        self._reading = _Reading(provider, request_id)
        self._ended = False

    @property
    def ended(self) -> bool:
        return self._ended

    def read(self, payload: bytes) -> list[AIMessageChunk]:
        if payload[:6] == b"[DONE]":
            return []
        event = parse(payload)
        try:
            if isinstance(payload, ErrorPayload) and isinstance(event, dict):
                event.setdefault("type", "error")
            return self._feed(event)
        except (ModelError, WireError):
            raise
        except MALFORMED as exc:
            raise malformed(_FORM, "event", event, exc) from exc

    def finish(self) -> list[AIMessageChunk]:
        if self._ended:
            return []
        raise StreamInterruptedError(
            f"the stream of `{self._reading.provider}` ended without `response.completed`; the "
            "answer is not complete",
            request_id=self._reading.request_id,
        )

    def _feed(self, event: Any) -> list[AIMessageChunk]:
        kind = event.get("type")
        if kind == "response.output_text.delta":  # nearly every event
            return self._reading.items.text(event)
        if kind in _BEGINS:
            return self._reading.begin(event["response"])
        if kind in _ENDS:
            self._ended = True
            return self._reading.end(event["response"])
        if kind == "error":
            raise _error({**event, **(event.get("error") or {})}, self._reading.request_id)
        if kind is None and event.get("object") == "response":  # a server that does not stream
            self._ended = True
            return self._reading.whole(event)
        if kind is None and (error := error_in(event, request_id=self._reading.request_id)):
            raise error
        return self._reading.items.feed(str(kind), event)


class _Reading:
    """What is known of one response so far."""

    __slots__ = ("_told", "items", "provider", "request_id")

    def __init__(self, provider: str, request_id: str | None) -> None:
        self.provider, self.request_id = provider, request_id
        self.items = ItemReader()
        self._told = False

    def begin(self, response: Mapping[str, Any]) -> list[AIMessageChunk]:
        """The first chunk: whose answer this is. Said once."""
        if self._told:
            return []
        self._told = True
        self.items.expect(response.get("tools") or ())
        meta: dict[str, Any] = {"model_provider": self.provider}
        if response.get("model"):
            meta["model_name"] = response["model"]
        if self.request_id:
            meta["request_id"] = self.request_id
        return [AIMessageChunk(id=response.get("id") or None, response_metadata=meta)]

    def whole(self, body: Any) -> list[AIMessageChunk]:
        """All chunks of a response that came at once."""
        if not isinstance(body, dict) or not isinstance(body.get("output"), list):
            if (error := error_in(body, request_id=self.request_id)) is not None:
                raise error
            raise WireError(f"this is no response: {excerpt(repr(body))!r}")
        return [*self.begin(body), *self.end(body)]

    def end(self, response: Mapping[str, Any]) -> list[AIMessageChunk]:
        """Items that did not come before, and what is said at the end."""
        error = response.get("error")
        if response.get("status") == "failed" or error:
            raise _error(error or {}, self.request_id)
        chunks = self.begin(response)
        output = response.get("output") or ()
        for place, item in enumerate(output):
            chunks += self.items.whole(item, place)
        raw = response.get("status")
        meta = {k: v for k, v in response.items() if k not in _PLACED and v not in (None, {}, [])}
        meta["finish_reason"] = self._finish(response)
        if raw is not None:
            meta["finish_reason_raw"] = raw
        if self.items.skipped:
            meta["skipped_events"] = self.items.skipped
        used = response.get("usage")
        usage = read_usage(used) if isinstance(used, dict) else None
        chunks.append(
            AIMessageChunk(usage_metadata=usage, usage_kind="snapshot", response_metadata=meta)
        )
        return chunks

    def _finish(self, response: Mapping[str, Any]) -> str:
        status = response.get("status")
        if status == "incomplete":
            reason = (response.get("incomplete_details") or {}).get("reason")
            return _REASONS.get(str(reason), "unknown")
        if status in ("queued", "in_progress"):
            return "pause"
        if status == "cancelled":
            return "unknown"
        if self.items.kinds & CALLS:
            return "tool_calls"
        return "refusal" if self.items.refused else "stop"


def _error(error: Mapping[str, Any], request_id: str | None) -> ModelError:
    found = error_in({"error": dict(error)}, request_id=request_id) if error else None
    return found or ModelAPIError("the response failed without a reason", status=200)
