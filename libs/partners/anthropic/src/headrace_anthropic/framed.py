"""Bedrock's streams: the events of the Messages API, each in a binary frame.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html
(read 2026-11)
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from headrace.chat_models.frames import Frame
from headrace.chat_models.wire import excerpt, parse
from headrace.errors import ModelAPIError, WireError
from headrace.messages import AIMessageChunk
from headrace.transport import error_in
from headrace_anthropic.decode import Decoder


def is_framed(headers: Mapping[str, str]) -> bool:
    """Whether a body comes in frames."""
    return headers.get("content-type", "").startswith("application/vnd.amazon.eventstream")


class FrameDecoder:
    """A decoder of the events within frames."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Decoder) -> None:
        self._inner = inner

    @property
    def ended(self) -> bool:
        return self._inner.ended

    def read(self, payload: bytes) -> list[AIMessageChunk]:
        """The chunks of one frame; raises ModelError or WireError, nothing else."""
        told: Any = parse(payload)
        if isinstance(payload, Frame) and payload.failed:
            error = {"type": payload.kind, "message": _message(told)}
            raise error_in({"error": error}) or ModelAPIError(excerpt(payload), status=200)
        try:
            event = b64decode(told["bytes"], validate=True)
        except (TypeError, LookupError, ValueError) as exc:
            raise WireError(f"a frame holds no event: {excerpt(payload)!r}") from exc
        return self._inner.read(event)

    def finish(self) -> list[AIMessageChunk]:
        return self._inner.finish()


def _message(told: Any) -> Any:
    return (told.get("message") or told.get("Message")) if isinstance(told, dict) else told
