"""Answers of `generateContent` and the events of its streams as messages. Pure: no SDK, no I/O.

Several candidates (n > 1) stay apart: the first is the message, the others stand in
`response_metadata["choices"]` as message dicts that `AIMessage.model_validate` reads.
Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from headrace.chat_models.wire import ErrorPayload, excerpt, parse
from headrace.errors import ModelAPIError, ModelError, StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message, sum_chunks
from headrace.transport import MALFORMED, malformed
from headrace_google.choice import ChoiceDecoder
from headrace_google.failures import answer_error
from headrace_google.usage import read_usage

_FORM = "`generateContent`"
_PLACED = frozenset({"candidates", "usageMetadata", "modelVersion", "responseId", "error"})
_PLAIN = _PLACED - {"error"}
_NAMES = {
    "promptFeedback": "prompt_feedback", "createTime": "create_time", "modelStatus": "model_status",
}  # fmt: skip
_COUNTED = frozenset(
    {
        "promptTokenCount", "candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount",
        "toolUsePromptTokenCount", "cachedContentTokenCount", "promptTokensDetails",
        "candidatesTokensDetails", "cacheTokensDetails", "toolUsePromptTokensDetails",
    }
)  # fmt: skip
_LIVE = ("serviceTier", "trafficType")


def decode_response(
    body: Any, *, provider: str = "google_genai", request_id: str | None = None
) -> AIMessage:
    """The message in a whole response.

    Raises ModelError for an error in place of an answer, WireError for anything that is not the
    form of `generateContent`.
    """
    decoder = Decoder(provider=provider, request_id=request_id)
    chunks = [*decoder.feed(body), *decoder.finish(whole=True)]
    message = message_chunk_to_message(sum_chunks([*chunks, AIMessageChunk(chunk_position="last")]))
    return cast("AIMessage", message)


class Decoder:
    """One stream: events in, chunks out.

    `feed` takes an event as parsed, `read` the bytes of one payload: an event, or the list of
    all of them. `finish` is called when the stream has ended and raises StreamInterruptedError
    if nothing said that the answer was complete. Events of unknown form are skipped and counted
    in `response_metadata["skipped_events"]`. `grounded`: sources are to be expected at the end.
    """

    __slots__ = (
        "_blocked", "_choices", "_facts", "_grounded", "_provider", "_request_id", "_skipped",
        "_told",
    )  # fmt: skip

    def __init__(
        self,
        *,
        provider: str = "google_genai",
        request_id: str | None = None,
        grounded: bool = False,
    ) -> None:
        self._provider, self._request_id, self._grounded = provider, request_id, grounded
        self._choices: dict[int, ChoiceDecoder] = {}
        self._blocked = False
        self._skipped = 0
        self._told: dict[str, Any] = {}  # facts that are out already
        self._facts: dict[str, Any] = {"model_provider": provider}
        if request_id:
            self._facts["request_id"] = request_id

    @property
    def ended(self) -> bool:
        """Whether the service said why it stopped."""
        first = self._choices.get(0)
        return self._blocked or (first is not None and first.finish is not None)

    def read(self, payload: bytes) -> list[AIMessageChunk]:
        """The chunks of one payload of the stream."""
        if isinstance(payload, ErrorPayload):
            raise answer_error(parse(payload), self._request_id)
        event = parse(payload)
        if event.__class__ is list:
            return [chunk for one in event for chunk in self.feed(one)]
        return self.feed(event)

    def feed(self, event: Any) -> list[AIMessageChunk]:
        """The chunks of one event; none for those that say nothing new.

        Raises ModelError if the event is an error, WireError if its form is broken.
        """
        try:
            return self._feed(event)
        except (ModelError, WireError):
            raise
        except MALFORMED as exc:
            raise malformed(_FORM, "event", event, exc) from exc

    def finish(self, *, whole: bool = False) -> list[AIMessageChunk]:
        """The last chunks of an answer that has ended; `whole`: it did not come in pieces."""
        if not whole and not self.ended:
            told = "without a finish reason" if self._choices else "before it said anything"
            raise StreamInterruptedError(
                f"the stream of `{self._provider}` ended {told}; the answer is not complete",
                request_id=self._request_id,
            )
        if self._skipped and whole:
            raise WireError("the response does not have the form of `generateContent`")
        if whole and not self._choices and not self._blocked:
            raise ModelAPIError(
                f"`{self._provider}` answered without a candidate and does not say why",
                status=200,
                request_id=self._request_id,
            )
        return self._finish()

    def _feed(self, event: Any) -> list[AIMessageChunk]:
        if event.__class__ is not dict:
            raise WireError(f"a stream event is no JSON object: {excerpt(repr(event))!r}")
        if "error" in event:
            raise answer_error(event, self._request_id)
        if not event.keys() & _PLACED and "promptFeedback" not in event:
            self._skipped += 1
            return []
        said: Any = ""
        pieces: list[Any] = []
        meta: dict[str, Any] = {}
        for place, candidate in enumerate(event.get("candidates") or ()):
            index = candidate.get("index", place)
            if index.__class__ is not int:
                raise TypeError(f"the index of a candidate is {index!r}")
            decoder = self._choices.get(index)
            if decoder is None:
                decoder = self._choices[index] = ChoiceDecoder(grounded=self._grounded)
            found = decoder.feed(candidate)
            if index == 0:
                said, pieces, meta = found
            else:
                decoder.kept.append(_chunk(*found))
        meta.update(self._about(event))
        usage = read_usage(event["usageMetadata"]) if "usageMetadata" in event else None
        if not said and not pieces and not meta and usage is None:
            return []
        kind: Literal["delta", "snapshot"] = "delta" if usage is None else "snapshot"
        return [
            AIMessageChunk(
                said,
                tool_call_chunks=pieces,
                usage_metadata=usage,
                usage_kind=kind,
                response_metadata=meta,
                id=event.get("responseId"),
            )
        ]

    def _about(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Facts about the answer: each when it is first said, and when it changes."""
        facts, raw = self._facts, event.get("usageMetadata") or {}
        if (
            not facts
            and event.keys() <= _PLAIN
            and raw.keys() <= _COUNTED
            and event.get("modelVersion") == self._told.get("model_name")
        ):
            return {}  # nearly every event of a stream
        if event.get("modelVersion"):
            facts["model_name"] = event["modelVersion"]
        for theirs, ours in _NAMES.items():
            if event.get(theirs):
                facts[ours] = event[theirs]
        if not raw.keys() <= _COUNTED:
            for name in raw.keys() - _COUNTED:
                key = "service_tier" if name == "serviceTier" else "traffic_type"
                facts[key if name in _LIVE else name] = raw[name]
        feedback = facts.get("prompt_feedback")
        if feedback and feedback.get("blockReason") and not event.get("candidates"):
            self._blocked = True
            facts["finish_reason"] = "content_filter"
            facts["finish_reason_raw"] = feedback["blockReason"]
        new = {k: v for k, v in facts.items() if k not in self._told or self._told[k] != v}
        self._told.update(new)
        self._facts = {}
        return new

    def _finish(self) -> list[AIMessageChunk]:
        chunks: list[AIMessageChunk] = []
        meta = dict(self._facts)
        for index, choice in sorted(self._choices.items()):
            last = choice.close()
            if index == 0:
                chunks.extend([last] if last is not None else [])
                if choice.finish is None:
                    meta["finish_reason"] = "unknown"
                continue
            choice.kept.extend([last] if last is not None else [])
            meta.setdefault("choices", []).append(_kept_choice(index, choice.kept))
        if self._skipped:
            meta["skipped_events"] = self._skipped
        return [*chunks, AIMessageChunk(response_metadata=meta)] if meta else chunks


def _chunk(said: Any, pieces: list[Any], meta: dict[str, Any]) -> AIMessageChunk:
    return AIMessageChunk(said, tool_call_chunks=pieces, response_metadata=meta)


def _kept_choice(index: int, chunks: list[AIMessageChunk]) -> dict[str, Any]:
    last = AIMessageChunk(response_metadata={"index": index}, chunk_position="last")
    return message_chunk_to_message(sum_chunks([*chunks, last])).model_dump()
