"""Every recorded Converse exchange through boto3 and the decoders."""

from __future__ import annotations

import contextlib
import json
import random
from typing import Any

import boto3  # type: ignore[import-untyped]  # boto3 ships no types
import pytest
from recorded import FOLDER, REPLAY, differences, load_cases
from replayed import ReplayedTraffic, replaying, spoiled

from headrace.chat_models.frames import FrameSplitter, write_frame
from headrace.errors import ModelError, WireError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace_aws import ChatBedrockConverse
from headrace_aws.decode import Decoder, decode_response
from headrace_aws.exchange import cites
from headrace_aws.failures import failure

__all__ = ["replaying"]
CASES = load_cases("bedrock-converse")
# A session of its own for each model would cost the suite half a minute.
SESSION = boto3.Session(
    aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret", region_name="us-east-1"
)


class TestTraffic(ReplayedTraffic):
    dialect = "bedrock-converse"
    both_ways = False  # the path says whether an answer is streamed
    every = 2

    def model_of(self, url: str, case: dict[str, Any], **more: Any) -> ChatBedrockConverse:
        return ChatBedrockConverse(
            model="us.amazon.nova-micro-v1:0",
            base_url=url,
            session=SESSION,
            **more,
        )

    def differences(self, case: dict[str, Any], answer: AIMessage | ModelError) -> dict[str, Any]:
        """Those of the corpus; an answer does not say its model, so it is the one asked for."""
        found = differences(case, answer)
        if found.get("model") == (None, "us.amazon.nova-micro-v1:0"):
            del found["model"]
        return found

    def spoil(self, cases: list[dict[str, Any]], rounds: int) -> None:
        """Bytes as everywhere; and values inside of frames, whose checksums are right again."""
        super().spoil(cases, rounds)
        for case in (case for case in cases if case["stream"]):
            chance = random.Random(case["id"])
            for _ in range(rounds):
                with contextlib.suppress(ModelError, WireError):
                    read_spoiled_frames(case, chance)


def read_spoiled_frames(case: dict[str, Any], chance: random.Random) -> None:
    frames: list[Any] = FrameSplitter().feed(REPLAY.body_of(case))
    at = chance.randrange(len(frames))
    body = b""
    for place, frame in enumerate(frames):
        value = json.loads(frame)
        if place == at:
            value = spoiled(value, chance)
        headers = {":message-type": "event", ":event-type": frame.kind}
        body += write_frame(headers, json.dumps(value).encode())
    decoder = Decoder(annotated=chance.random() < 0.5)
    splitter = FrameSplitter()
    chunks = [chunk for frame in splitter.feed(body) for chunk in decoder.read(frame)]
    repr(sum([*chunks, *decoder.finish()]))  # type: ignore[arg-type]  # chunks add up


def stream_of(case: dict[str, Any], size: int | None = None) -> list[AIMessageChunk]:
    """The chunks of a recorded stream, its body cut into pieces of `size` bytes."""
    body = REPLAY.body_of(case)
    splitter, decoder = FrameSplitter(), Decoder(annotated=cites(case["request"] or {}))
    step = size or len(body) or 1
    chunks = [
        chunk
        for start in range(0, len(body), step)
        for frame in splitter.feed(body[start : start + step])
        for chunk in decoder.read(frame)
    ]
    return [*chunks, *decoder.finish(), AIMessageChunk(chunk_position="last")]


def decoded(case: dict[str, Any], size: int | None = None) -> AIMessage | ModelError:
    """The message of a case, or the error it raises."""
    body = REPLAY.body_of(case)
    if case["status"] >= 400:
        return failure(case["status"], None, json.loads(body)["message"], case["headers"])
    if not case["stream"]:
        return decode_response(json.loads(body))
    message = message_chunk_to_message(sum(stream_of(case, size)))  # type: ignore[arg-type]
    assert isinstance(message, AIMessage)
    return message


def kinds(message: AIMessage) -> dict[str, int]:
    """How many blocks there are of each kind, as the corpus counts them."""
    found: dict[str, int] = {}
    for block in message.content_blocks:
        name = {
            "server_tool_call": "server_tool_use",
            "server_tool_result": "toolResult",
            "invalid_tool_call": "tool_call",
        }.get(block["type"], block["type"])
        if name == "reasoning" and "redactedContent" in (block.get("extras") or {}):
            name = "reasoning_redacted"
        found[name] = found.get(name, 0) + 1
    return found


@pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_answer_decodes_as_expected(case: dict[str, Any]) -> None:
    assert differences(case, decoded(case)) == {}
    answer = decoded(case, 7)
    assert differences(case, answer) == {}
    if isinstance(answer, AIMessage):
        expected = case["expected"]["blocks"]
        seen = kinds(answer)
        # Runs of text that touch are one.
        assert {**expected, "text": 0} == {**seen, "text": 0} or expected == seen
