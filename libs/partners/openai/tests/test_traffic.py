"""Every recorded Chat Completions exchange through the real SDK and the decoders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from recorded import FOLDER, REPLAY, differences, load_cases
from replayed import ReplayedTraffic, replaying

from headrace.chat_models.wire import splitter_for
from headrace.errors import ModelError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace.transport import status_error
from headrace_openai import ChatOpenAI
from headrace_openai.decode import Decoder, decode_response

__all__ = ["replaying"]
CASES = load_cases("openai-chat")


class TestTraffic(ReplayedTraffic):
    dialect = "openai-chat"

    def model_of(self, url: str, case: dict[str, Any], **more: Any) -> ChatOpenAI:
        return ChatOpenAI(model="m", base_url=f"{url}/v1", api_key="sk-secret-key", **more)


def stream_of(case: dict[str, Any], size: int | None = None) -> list[AIMessageChunk]:
    """The chunks of a recorded stream, its body cut into pieces of `size` bytes."""
    body = REPLAY.body_of(case)
    splitter = splitter_for(case["headers"].get("content-type"))
    decoder = Decoder(provider="test")
    chunks: list[AIMessageChunk] = []
    step = size or len(body) or 1
    for start in range(0, len(body), step):
        for payload in splitter.feed(body[start : start + step]):
            chunks.extend(decoder.read(payload))
    for payload in splitter.flush():
        chunks.extend(decoder.read(payload))
    return [*chunks, *decoder.finish(), AIMessageChunk(chunk_position="last")]


def decoded(case: dict[str, Any]) -> AIMessage | ModelError:
    """The message of a case, or the error it raises."""
    body = REPLAY.body_of(case)
    try:
        if case["status"] >= 400:
            return status_error(case["status"], json.loads(body), case["headers"])
        if not case["stream"]:
            return decode_response(json.loads(body), provider="test")
        message = message_chunk_to_message(sum(stream_of(case)))  # type: ignore[arg-type]
    except ModelError as error:
        return error
    assert isinstance(message, AIMessage)
    return message


@pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_answer_decodes_as_expected(case: dict[str, Any]) -> None:
    assert differences(case, decoded(case)) == {}
