"""Every recorded Responses exchange through the real SDK and the decoders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from recorded import FOLDER, REPLAY, differences, load_cases
from replayed import ReplayedTraffic, replaying

from headrace.errors import ModelError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace.transport import StreamReader, status_error
from headrace_openai import ChatOpenAI
from headrace_openai.responses import Decoder, decode_response

__all__ = ["replaying"]
CASES = load_cases("openai-responses")
# `expected` leaves custom tools out of the calls; to us they are calls that somebody here runs.
CUSTOM = "a call of a custom tool counts as a call"
EXEMPT = {"vercel.openai-custom-tool.1": CUSTOM, "vercel.openai-custom-tool.1.chunks": CUSTOM}


class TestResponsesTraffic(ReplayedTraffic):
    dialect = "openai-responses"
    exempt = EXEMPT
    every = 5

    def model_of(self, url: str, case: dict[str, Any], **more: Any) -> ChatOpenAI:
        given = {"use_responses_api": True, "api_key": "sk-secret-key", **more}
        return ChatOpenAI(model="m", base_url=f"{url}/v1", **given)


def decoded(case: dict[str, Any]) -> AIMessage | ModelError:
    """The message of a case, or the error it raises."""
    body = REPLAY.body_of(case)
    try:
        if case["status"] >= 400:
            return status_error(case["status"], json.loads(body), case["headers"])
        if not case["stream"]:
            return decode_response(json.loads(body), provider="test")
        reader = StreamReader(case["headers"].get("content-type"), Decoder(provider="test"))
        last = AIMessageChunk(chunk_position="last")
        message = message_chunk_to_message(sum([*reader.feed(body), *reader.end(), last]))  # type: ignore[arg-type]
    except ModelError as error:
        return error
    assert isinstance(message, AIMessage)
    return message


@pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_response_decodes_as_expected(case: dict[str, Any]) -> None:
    if case["id"] in EXEMPT:
        pytest.skip(EXEMPT[case["id"]])
    assert differences(case, decoded(case)) == {}


@pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")
def test_a_stream_says_what_its_completed_event_says() -> None:
    wrong = {}
    for case in CASES:
        ends = [e for e in events(case) if e.get("type") == "response.completed"]
        if case["stream"] and ends and ends[0]["response"].get("output"):
            whole, total = decode_response(ends[0]["response"], provider="test"), decoded(case)
            assert isinstance(total, AIMessage)
            if said(whole) != said(total):
                wrong[case["id"]] = (said(whole), said(total))
    assert wrong == {}


def events(case: dict[str, Any]) -> list[dict[str, Any]]:
    lines = REPLAY.body_of(case).decode("utf-8", "replace").splitlines()
    data = [line[6:] for line in lines if line.startswith("data: {")]
    return [json.loads(line) for line in data] if case["stream"] else []


def said(message: AIMessage) -> dict[str, Any]:
    """All but what the service encrypts anew each time it says it."""
    blocks: list[Any] = [dict(block) for block in message.content_blocks]
    for block in blocks:
        block.pop("index", None)
        for inner in (block.get("extras") or {}, block.get("value") or {}):
            inner.pop("encrypted_content", None)
    return {"blocks": blocks, "calls": message.tool_calls, "usage": message.usage_metadata}
