"""Chat Completions responses and stream events as messages. Pure: no SDK, no I/O.

Several choices (n > 1) stay apart: the first is the message, the others stand in
`response_metadata["choices"]` as message dicts that `AIMessage.model_validate` reads, each with
its `response_metadata["index"]`.
Source: https://developers.openai.com/api/reference/resources/chat (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from headrace.chat_models.wire import ErrorPayload, excerpt, parse
from headrace.errors import ModelAPIError, ModelError, StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace.transport import MALFORMED, error_in, malformed
from headrace_openai.calls import whole_calls
from headrace_openai.choice import ChoiceDecoder
from headrace_openai.finish import finish_reason
from headrace_openai.incoming import annotate, citations, content_of, plain
from headrace_openai.usage import read_usage, uncounted, usage_of

_DONE = b"[DONE]"
_FORM = "Chat Completions"
# What has a place of its own, or says nothing: `p` and `obfuscation` are padding.
_PLACED = frozenset(
    {
        "id", "object", "model", "choices", "usage", "error", "citations", "obfuscation", "p",
    }
)  # fmt: skip
_PLACED_IN_CHOICE = frozenset({"index", "message", "delta", "finish_reason", "logprobs", "usage"})


def decode_response(
    body: Any, *, provider: str = "openai", request_id: str | None = None
) -> AIMessage:
    """The message in a whole response.

    Raises ModelError for an error object in place of an answer, WireError for anything that is
    not a chat completion.
    """
    try:
        if (error := error_in(body, request_id=request_id)) is not None:
            raise error
        return _decode_response(body, provider, request_id)
    except (ModelError, WireError):
        raise
    except MALFORMED as exc:
        raise malformed(_FORM, "response", body, exc) from exc


class Decoder:
    """One stream: events in, chunks out.

    `feed` takes an event as parsed, `read` the bytes of one payload; `finish` is called when the
    stream has ended and raises StreamInterruptedError if it ended too early: without a finish
    reason and without `[DONE]`. Events of unknown form are skipped and counted in
    `response_metadata["skipped_events"]`. `annotated`: sources are to be expected after the text.
    """

    __slots__ = (
        "_annotated", "_choices", "_ended", "_facts", "_model", "_provider", "_request_id",
        "_skipped",
    )  # fmt: skip

    def __init__(
        self, *, provider: str = "openai", request_id: str | None = None, annotated: bool = False
    ) -> None:
        self._provider, self._request_id, self._annotated = provider, request_id, annotated
        self._choices: dict[int, ChoiceDecoder] = {}
        self._ended = False
        self._skipped = 0
        self._model: str | None = None
        self._facts: dict[str, Any] = {"model_provider": provider}
        if request_id:
            self._facts["request_id"] = request_id

    @property
    def ended(self) -> bool:
        """Whether `[DONE]` was seen."""
        return self._ended

    def read(self, payload: bytes) -> list[AIMessageChunk]:
        """The chunks of one payload of the stream."""
        if payload[:6] == _DONE:
            self._ended = True
            return []
        if isinstance(payload, ErrorPayload):
            raise self._error_event(payload)
        return self.feed(parse(payload))

    def feed(self, event: Any) -> list[AIMessageChunk]:
        """The chunks of one event; none for those that say nothing new.

        Raises ModelError if the event is an error, WireError if its form is broken.
        """
        try:
            if event.__class__ is not dict or "choices" not in event or event.get("error"):
                return self._feed_other(event)
            return self._feed(event)
        except (ModelError, WireError):
            raise
        except MALFORMED as exc:
            raise malformed(_FORM, "event", event, exc) from exc

    def finish(self) -> list[AIMessageChunk]:
        """The last chunks of a stream that has ended."""
        if not self._choices:
            raise self._interrupted("before it said anything")
        if not self._ended and not any(c.finish for c in self._choices.values()):
            raise self._interrupted("without a finish reason and without `[DONE]`")
        try:
            return self._finish()
        except MALFORMED as exc:
            raise malformed(_FORM, "end of the stream", None, exc) from exc

    def _finish(self) -> list[AIMessageChunk]:
        first = self._choices.get(0)
        chunks: list[AIMessageChunk] = []
        meta: dict[str, Any] = {}
        for index, choice in sorted(self._choices.items()):
            last = choice.close()
            if choice is first:
                chunks.extend(last)
            else:
                choice.kept.extend(last)
                meta.setdefault("choices", []).append(_kept_choice(index, choice.kept))
        if self._skipped:
            meta["skipped_events"] = self._skipped
        if meta or self._facts:
            chunks.append(AIMessageChunk(response_metadata={**self._facts, **meta}))
            self._facts = {}
        return chunks

    def _feed(self, event: dict[str, Any]) -> list[AIMessageChunk]:
        chunks: list[AIMessageChunk] = []
        id = event.get("id") or None
        choices = event["choices"] or ()
        for place, choice in enumerate(choices):
            index = choice.get("index", place) or 0
            if index.__class__ is not int:
                raise TypeError(f"the index of a choice is {index!r}")
            decoder = self._choices.get(index)
            if decoder is None:
                notes = citations(event) if index == 0 else []
                decoder = ChoiceDecoder(notes, annotated=self._annotated)
                self._choices[index] = decoder
            if "message" in choice:
                self._ended = True  # a server that does not stream has said it all
            if index != 0:
                decoder.kept.extend(decoder.feed(choice, id))
                continue
            chunks.extend(decoder.feed(choice, id))
            if len(choice) > 4:
                self._facts.update(_facts(choice, _PLACED_IN_CHOICE))
        raw = usage_of(event)
        if raw is not None or event.get("model") != self._model or self._model is None:
            chunks.extend(self._about(event, raw, id))
        return chunks

    def _about(
        self, event: dict[str, Any], raw: Mapping[str, Any] | None, id: str | None
    ) -> list[AIMessageChunk]:
        """Usage and facts about the answer: at its beginning, at its end, when they change."""
        model = event.get("model")
        if model:
            self._model = model
            self._facts["model_name"] = model
        self._facts.update(_facts(event, _PLACED))
        usage = None
        if raw is not None:
            usage = read_usage(raw)
            if uncounted(raw):
                self._facts["raw_usage"] = dict(raw)
        facts, self._facts = self._facts, {}
        if usage is None and not facts:
            return []
        kind: Literal["delta", "snapshot"] = "delta" if usage is None else "snapshot"
        return [
            AIMessageChunk(usage_metadata=usage, usage_kind=kind, response_metadata=facts, id=id)
        ]

    def _feed_other(self, event: Any) -> list[AIMessageChunk]:
        """An error, a whole completion from a server that does not stream, or unknown."""
        if (error := error_in(event, request_id=self._request_id)) is not None:
            raise error
        if not isinstance(event, dict):
            raise WireError(f"a stream event is no JSON object: {excerpt(repr(event))!r}")
        if "choices" in event:
            return self._feed(event)
        self._skipped += 1
        raw = usage_of(event)
        usage = read_usage(raw) if raw is not None else None
        if usage is None:
            return []
        return [AIMessageChunk(usage_metadata=usage, usage_kind="snapshot")]

    def _error_event(self, payload: bytes) -> ModelError:
        try:
            event = parse(payload)
        except WireError:
            event = payload.decode("utf-8", "replace")
        error = error_in({"error": event}, request_id=self._request_id)
        if isinstance(event, dict):
            error = error_in(event, request_id=self._request_id) or error
        return error or ModelAPIError(f"the stream broke off with {excerpt(payload)!r}", status=200)

    def _interrupted(self, how: str) -> StreamInterruptedError:
        return StreamInterruptedError(
            f"the stream of `{self._provider}` ended {how}; the answer is not complete",
            request_id=self._request_id,
        )


def _decode_response(body: Any, provider: str, request_id: str | None) -> AIMessage:
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list):
        raise WireError(f"the response is no chat completion: {excerpt(repr(body))!r}")
    if not choices:
        raise ModelAPIError(
            f"`{provider}` answered without a choice: {excerpt(repr(body))}",
            status=200,
            request_id=request_id,
        )
    meta: dict[str, Any] = {"model_provider": provider}
    if body.get("model"):
        meta["model_name"] = body["model"]
    meta.update(_facts(body, _PLACED))
    if request_id:
        meta["request_id"] = request_id
    meta.update(_choice_facts(choices[0]))
    raw = usage_of(body)
    usage = None
    if raw is not None:
        usage = read_usage(raw)
        if uncounted(raw):
            meta["raw_usage"] = dict(raw)
    if len(choices) > 1:
        meta["choices"] = [_other_choice(c, i) for i, c in enumerate(choices[1:], 1)]
    return _message(choices[0], meta, usage, body.get("id") or None, citations(body))


def _message(
    choice: dict[str, Any], meta: dict[str, Any], usage: Any, id: str | None, sources: list[Any]
) -> AIMessage:
    message = choice.get("message") or {}
    content = content_of(message)
    if sources:
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        annotate(blocks, sources)
        content = plain(blocks)
    kwargs = {"extra_content": message["extra_content"]} if message.get("extra_content") else None
    calls = whole_calls(message)
    if not calls:
        return AIMessage(
            content, usage_metadata=usage, response_metadata=meta, id=id, additional_kwargs=kwargs
        )
    # By way of a chunk, so that arguments are read by the same rule as in a stream.
    total = AIMessageChunk(
        content,
        tool_call_chunks=calls,
        usage_metadata=usage,
        response_metadata=meta,
        id=id,
        additional_kwargs=kwargs,
        chunk_position="last",
    )
    return cast("AIMessage", message_chunk_to_message(total))


def _other_choice(choice: dict[str, Any], place: int) -> dict[str, Any]:
    meta = {"index": choice.get("index", place), **_choice_facts(choice)}
    return _message(choice, meta, None, None, []).model_dump()


def _kept_choice(index: int, chunks: list[AIMessageChunk]) -> dict[str, Any]:
    last = AIMessageChunk(response_metadata={"index": index}, chunk_position="last")
    total = cast("AIMessageChunk", sum([*chunks, last]))
    message = message_chunk_to_message(total)
    message.id = None  # the response's, given to the message
    return message.model_dump()


def _choice_facts(choice: Mapping[str, Any]) -> dict[str, Any]:
    raw = choice.get("finish_reason")
    message = choice.get("message") or {}
    facts = _facts(choice, _PLACED_IN_CHOICE)
    facts["finish_reason"] = finish_reason(raw, refused=bool(message.get("refusal")))
    if raw is not None:
        facts["finish_reason_raw"] = raw
    logprobs = choice.get("logprobs")
    if logprobs and any(logprobs.values()):
        facts["logprobs"] = {k: v for k, v in logprobs.items() if v is not None}
    return facts


def _facts(source: Mapping[str, Any], placed: frozenset[str]) -> dict[str, Any]:
    """What else the service says, under its own names; nothing that is empty."""
    return {
        key: value
        for key, value in source.items()
        if key not in placed and value is not None and value != "" and value != [] and value != {}
    }
