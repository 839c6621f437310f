"""Every recorded Chat Completions exchange through the decoders, against `expected`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from recorded_chat import EXEMPT, FOLDER, REPLAY, differences, load_cases

from headrace.chat_models.wire import splitter_for
from headrace.errors import ModelError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace_openai.decode import Decoder, decode_response
from headrace_openai.errors import status_error

CASES = load_cases()
pytestmark = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")


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


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_answer_decodes_as_expected(case: dict[str, Any]) -> None:
    if case["id"] in EXEMPT:
        pytest.skip(EXEMPT[case["id"]])
    assert differences(case, decoded(case)) == {}


def test_at_most_two_percent_are_exempt() -> None:
    assert len(EXEMPT) <= 0.02 * len(CASES)
    assert EXEMPT.keys() <= {case["id"] for case in CASES}
