"""Answers of Converse and events of ConverseStream as messages. Pure: no SDK, no I/O.

Source: the service model of botocore 1.44, `bedrock-runtime` 2023-09-30 (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.chat_models.frames import Frame
from headrace.chat_models.wire import excerpt, parse
from headrace.errors import ModelError, StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk
from headrace.transport import MALFORMED, malformed
from headrace_aws.arriving import Arriving
from headrace_aws.failures import stream_failure
from headrace_aws.finish import finish_reason
from headrace_aws.incoming import Block, read_block
from headrace_aws.usage import read_usage, uncounted

PROVIDER = "bedrock_converse"
_FORM = "Converse"
# What else an answer may say, kept in the metadata under its own name; `p` is padding.
_FACTS = (
    "metrics", "trace", "performanceConfig", "serviceTier", "additionalModelResponseFields",
)  # fmt: skip


def decode_response(
    body: Any, *, model: str | None = None, request_id: str | None = None
) -> AIMessage:
    """The message in a whole answer; WireError for anything that is none.

    `model`: what was asked for, because an answer does not say who gave it.
    """
    try:
        return _decode(body, _head(model, request_id))
    except (ModelError, WireError):
        raise
    except MALFORMED as exc:
        raise malformed(_FORM, "response", body, exc) from exc


class Decoder:
    """One stream: frames in, chunks out.

    `read` takes the payload of a frame, `feed` an event as parsed; `finish` is called when the
    stream has ended and raises StreamInterruptedError if no `messageStop` came. Events of
    unknown kind are skipped and counted in `response_metadata["skipped_events"]`. `annotated`:
    sources are to be expected on the text. `model`: what was asked for.
    """

    __slots__ = ("_arriving", "_facts", "_request_id", "_skipped", "_stopped", "_told")

    def __init__(
        self,
        *,
        model: str | None = None,
        request_id: str | None = None,
        annotated: bool = False,
    ) -> None:
        self._arriving = Arriving(annotated=annotated)
        self._request_id = request_id
        self._stopped = self._told = False
        self._skipped = 0
        self._facts = _head(model, request_id)

    @property
    def ended(self) -> bool:
        """Whether both `messageStop` and `metadata` were seen, in whatever order."""
        return self._stopped and self._told

    def read(self, payload: bytes) -> list[AIMessageChunk]:
        """The chunks of one frame; raises the error that it holds."""
        if not isinstance(payload, Frame):
            raise WireError(f"a frame was expected, not {excerpt(payload)!r}")
        event = parse(payload) if payload else {}
        if payload.failed:
            raise stream_failure(payload.kind, event, request_id=self._request_id)
        return self.feed(payload.kind, event)

    def feed(self, kind: str, event: Any) -> list[AIMessageChunk]:
        """The chunks of one event; none for those that say nothing new."""
        try:
            return self._led(self._feed(kind, event))
        except (ModelError, WireError):
            raise
        except MALFORMED as exc:
            raise malformed(_FORM, "event", event, exc) from exc

    def finish(self) -> list[AIMessageChunk]:
        """The last chunks of a stream that has ended."""
        if not self._stopped:
            raise StreamInterruptedError(
                "the stream ended without `messageStop`; the answer is not complete",
                request_id=self._request_id,
            )
        try:
            chunks = self._arriving.close()
        except MALFORMED as exc:
            raise malformed(_FORM, "end of the stream", None, exc) from exc
        if self._skipped:
            self._facts["skipped_events"] = self._skipped
        if self._facts:
            chunks.append(AIMessageChunk(response_metadata=self._facts))
            self._facts = {}
        return chunks

    def _feed(self, kind: str, event: dict[str, Any]) -> list[AIMessageChunk]:
        match kind:
            case "contentBlockDelta":
                return self._arriving.delta(_index(event), event["delta"])
            case "contentBlockStart":
                return self._arriving.start(_index(event), event["start"])
            case "contentBlockStop":
                return self._arriving.stop(_index(event))
            case "messageStart":
                return []
            case "messageStop":
                self._stopped = True
                facts = {**_finish(event), **_facts(event)}
                return [AIMessageChunk(response_metadata=facts)]
            case "metadata":
                self._told = True
                return [self._metadata(event)]
        self._skipped += 1
        return []

    def _metadata(self, event: dict[str, Any]) -> AIMessageChunk:
        usage, facts = _usage(event)
        return AIMessageChunk(
            usage_metadata=usage,
            usage_kind="snapshot",
            response_metadata={**facts, **_facts(event)},
        )

    def _led(self, chunks: list[AIMessageChunk]) -> list[AIMessageChunk]:
        """The chunks, the first one of the stream led by what is known from its headers."""
        if chunks and self._facts:
            facts, self._facts = self._facts, {}
            return [AIMessageChunk(response_metadata=facts), *chunks]
        return chunks


def _decode(body: Any, head: Mapping[str, Any]) -> AIMessage:
    message = (body.get("output") or {}).get("message") if isinstance(body, dict) else None
    if not isinstance(message, dict):
        raise WireError(f"the response is no answer of Converse: {excerpt(repr(body))!r}")
    usage, facts = _usage(body)
    meta = {**head, **facts, **_facts(body), **_finish(body)}
    calls: list[Block] = []
    invalid: list[Block] = []
    blocks: list[Block] = []
    for block in message.get("content") or ():
        call = block.get("toolUse")
        if call is None or call.get("type") == "server_tool_use":
            blocks.append(read_block(block))
        elif isinstance(call.get("input"), dict) and call.get("name"):
            calls.append({"name": call["name"], "args": call["input"], "id": call.get("toolUseId")})
        else:
            invalid.append(_invalid(call))
    return AIMessage(
        _content(blocks),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=usage,
        response_metadata=meta,
    )


def _content(blocks: list[Block]) -> str | list[Block]:
    """A lone run of text as str, no blocks as an empty one; runs that touch are one."""
    joined: list[Block] = []
    for block in blocks:
        if block == {"type": "text", "text": ""}:
            continue
        plain = block.keys() == {"type", "text"}
        if plain and joined and joined[-1].keys() == {"type", "text"}:
            joined[-1] = {"type": "text", "text": joined[-1]["text"] + block["text"]}
        else:
            joined.append(block)
    if not joined:
        return ""
    only = joined[0]
    return only["text"] if len(joined) == 1 and only.keys() == {"type", "text"} else joined


def _invalid(call: Mapping[str, Any]) -> Block:
    found = call.get("input")
    return {
        "name": call.get("name"),
        "args": found,
        "id": call.get("toolUseId"),
        "error": f"the arguments must be a JSON object, not {type(found).__name__}",
    }


def _head(model: str | None, request_id: str | None) -> dict[str, Any]:
    """What is known before an answer is read."""
    head = {"model_provider": PROVIDER, "model_name": model, "request_id": request_id}
    return {name: value for name, value in head.items() if value}


def _usage(source: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Usage in headrace's form, and as it came where it says more."""
    raw = source.get("usage")
    if not raw:
        return None, {}
    return read_usage(raw), {"raw_usage": dict(raw)} if uncounted(raw) else {}


def _facts(source: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: source[name] for name in _FACTS if source.get(name)}
    router = (source.get("trace") or {}).get("promptRouter") or {}
    if router.get("invokedModelId"):
        facts["model_name"] = router["invokedModelId"]
    return facts


def _finish(source: Mapping[str, Any]) -> dict[str, Any]:
    raw = source.get("stopReason")
    return {"finish_reason": finish_reason(raw), "finish_reason_raw": raw}


def _index(event: Mapping[str, Any]) -> int:
    index = event["contentBlockIndex"]
    if index.__class__ is not int:
        raise TypeError(f"the index of a block is {index!r}")
    return int(index)
