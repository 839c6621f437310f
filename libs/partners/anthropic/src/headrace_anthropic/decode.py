"""Messages API responses and stream events as messages. Pure: no SDK, no I/O.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.chat_models.wire import ErrorPayload, excerpt, parse
from headrace.errors import ModelAPIError, ModelError, StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk
from headrace.transport import MALFORMED, error_in, malformed
from headrace_anthropic.finish import finish_reason
from headrace_anthropic.incoming import is_run, read_content
from headrace_anthropic.streaming import BlockDecoder
from headrace_anthropic.usage import read_usage, uncounted

_DONE = b"[DONE]"  # what gateways add that speak Chat Completions too
_FORM = "the Messages API"
# What has a place of its own, or says nothing.
_PLACED = frozenset({"id", "type", "role", "content", "model", "usage", "stop_reason", "error"})


def decode_response(
    body: Any, *, provider: str = "anthropic", request_id: str | None = None, prefix: str = ""
) -> AIMessage:
    """The message in a whole response; `prefix`: text that it goes on from.

    Raises ModelError for an error object in place of an answer, WireError for anything that is
    not a message.
    """
    try:
        if (error := error_in(body, request_id=request_id)) is not None:
            raise error
        return _decode_response(body, provider, request_id, prefix)
    except (ModelError, WireError):
        raise
    except MALFORMED as exc:
        raise malformed(_FORM, "response", body, exc) from exc


def _decode_response(body: Any, provider: str, request_id: str | None, prefix: str) -> AIMessage:
    content = body.get("content") if isinstance(body, dict) else None
    if not isinstance(content, list):
        raise WireError(f"the response is no message: {excerpt(repr(body))!r}")
    meta: dict[str, Any] = {"model_provider": provider, **_facts(body)}
    if body.get("model"):
        meta["model_name"] = body["model"]
    if request_id:
        meta["request_id"] = request_id
    raw = body.get("stop_reason")
    meta["finish_reason"] = finish_reason(raw)
    if raw is not None:
        meta["finish_reason_raw"] = raw
    usage = None
    if isinstance(body.get("usage"), dict):
        usage = read_usage(body["usage"])
        if uncounted(body["usage"]):
            meta["raw_usage"] = body["usage"]
    opening = [{"type": "text", "text": prefix}] if prefix else []
    blocks = read_content([*opening, *content])
    plain = not blocks or (len(blocks) == 1 and is_run(blocks[0]))
    return AIMessage(
        (blocks[0]["text"] if blocks else "") if plain else blocks,
        usage_metadata=usage,
        response_metadata=meta,
        id=body.get("id") or None,
    )


class Decoder:
    """One stream: events in, chunks out.

    `feed` takes an event as parsed, `read` the bytes of one payload; `finish` is called when the
    stream has ended and raises StreamInterruptedError if it ended before it said why Claude
    stopped. Unknown events are skipped and counted in `response_metadata["skipped_events"]`.
    """

    __slots__ = (
        "_blocks", "_ended", "_prefix", "_provider", "_request_id", "_skipped", "_stopped",
        "_usage",
    )  # fmt: skip

    def __init__(
        self, *, provider: str = "anthropic", request_id: str | None = None, prefix: str = ""
    ) -> None:
        self._provider, self._request_id, self._prefix = provider, request_id, prefix
        self._blocks = BlockDecoder()
        self._usage: dict[str, Any] = {}
        self._ended = self._stopped = False
        self._skipped = 0

    @property
    def ended(self) -> bool:
        """Whether `message_stop` was seen."""
        return self._ended

    def read(self, payload: bytes) -> list[AIMessageChunk]:
        """The chunks of one payload of the stream."""
        if isinstance(payload, ErrorPayload):
            raise self._error_event(payload)
        try:
            event = parse(payload)
        except WireError:
            if payload.strip() == _DONE:
                return []
            raise
        return self.feed(event)

    def feed(self, event: Any) -> list[AIMessageChunk]:
        """The chunks of one event; none for pings and for those that say nothing new.

        Raises ModelError if the event is an error, WireError if its form is broken.
        """
        try:
            kind = event["type"]
            if kind == "content_block_delta":
                chunk = self._blocks.delta(event["index"], event["delta"])
                return [] if chunk is None else [chunk]
            return self._feed_other(kind, event)
        except (ModelError, WireError):
            raise
        except MALFORMED as exc:
            if (error := error_in(event, request_id=self._request_id)) is not None:
                raise error from None
            raise malformed(_FORM, "event", event, exc) from exc

    def finish(self) -> list[AIMessageChunk]:
        """The last chunks of a stream that has ended."""
        if not self._ended and not self._stopped:
            raise StreamInterruptedError(
                f"the stream of `{self._provider}` ended without `message_stop`; the answer is "
                "not complete",
                request_id=self._request_id,
            )
        skipped = self._skipped + self._blocks.skipped
        if not skipped:
            return []
        return [AIMessageChunk(response_metadata={"skipped_events": skipped})]

    def _feed_other(self, kind: Any, event: dict[str, Any]) -> list[AIMessageChunk]:
        match kind:
            case "content_block_start":
                return self._blocks.start(event["index"], event["content_block"])
            case "content_block_stop":
                return self._blocks.stop(event["index"])
            case "message_start":
                return self._start(event["message"])
            case "message_delta":
                return self._end(event)
            case "message_stop":
                self._ended = True
                told = _facts(event)  # Bedrock adds its metrics
                return [AIMessageChunk(response_metadata=told)] if told else []
            case "ping":
                pass
            case "message":  # a server that does not stream has said it all
                return self._whole(event)
            case _:
                if (error := error_in(event, request_id=self._request_id)) is not None:
                    raise error
                self._skipped += 1
        return []

    def _start(self, message: dict[str, Any]) -> list[AIMessageChunk]:
        meta: dict[str, Any] = {"model_provider": self._provider, **_facts(message)}
        if message.get("model"):
            meta["model_name"] = message["model"]
        if self._request_id:
            meta["request_id"] = self._request_id
        chunks = [self._told(message.get("usage"), meta, message.get("id") or None)]
        if self._prefix:
            chunks.append(AIMessageChunk(self._prefix))
        for index, block in enumerate(message.get("content") or ()):
            chunks.extend(self._blocks.start(index, block))
        return chunks

    def _end(self, event: dict[str, Any]) -> list[AIMessageChunk]:
        delta = event["delta"]
        meta: dict[str, Any] = {**_facts(delta), **_facts(event, {"delta"})}
        raw = delta.get("stop_reason")
        if raw is not None:
            self._stopped = True
            meta["finish_reason"] = finish_reason(raw)
            meta["finish_reason_raw"] = raw
        return [self._told(event.get("usage"), meta, None)]

    def _told(self, usage: Any, meta: dict[str, Any], id: str | None) -> AIMessageChunk:
        """A chunk of facts; figures that a later event leaves out keep their value."""
        if not isinstance(usage, dict):
            return AIMessageChunk(response_metadata=meta, id=id)
        self._usage.update({k: v for k, v in usage.items() if v is not None})
        if uncounted(self._usage):
            meta["raw_usage"] = dict(self._usage)
        return AIMessageChunk(
            usage_metadata=read_usage(self._usage),
            usage_kind="snapshot",
            response_metadata=meta,
            id=id,
        )

    def _whole(self, body: dict[str, Any]) -> list[AIMessageChunk]:
        message = decode_response(
            body, provider=self._provider, request_id=self._request_id, prefix=self._prefix
        )
        self._ended = True
        return [
            AIMessageChunk(
                message.content,
                usage_metadata=message.usage_metadata,
                usage_kind="snapshot",
                response_metadata=message.response_metadata,
                id=message.id,
            )
        ]

    def _error_event(self, payload: bytes) -> ModelError:
        try:
            event = parse(payload)
        except WireError:
            event = payload.decode("utf-8", "replace")
        if not isinstance(event, dict) or not event.get("error"):
            event = {"error": event}
        found = error_in(event, request_id=event.get("request_id") or self._request_id)
        return found or ModelAPIError(f"the stream broke off with {excerpt(payload)!r}", status=200)


def _facts(source: Mapping[str, Any], placed: Any = frozenset()) -> dict[str, Any]:
    """What else the service says, under its own names; nothing that is empty."""
    return {
        key: value
        for key, value in source.items()
        if key not in _PLACED
        and key not in placed
        and value is not None
        and value != ""
        and value != []
        and value != {}
    }
