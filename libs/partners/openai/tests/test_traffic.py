"""Every recorded Chat Completions exchange through the decoders, against `expected`."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from recorded_chat import EXEMPT, FOLDER, REPLAY, differences, load_cases

from headrace.chat_models.wire import splitter_for
from headrace.errors import ModelError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace_openai import ChatOpenAI
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


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """The address of a server that replays the corpus."""
    server, url = REPLAY.start(FOLDER)
    yield url
    server.shutdown()
    server.server_close()


def model_of(place: str, case: dict[str, Any], variant: str = "", **more: Any) -> ChatOpenAI:
    url = f"{place}/case{variant}/{case['id']}/v1"
    return ChatOpenAI(model="m", base_url=url, api_key="sk-secret-key", max_retries=0, **more)


async def ask(model: ChatOpenAI, way: str, world: str) -> AIMessage | ModelError:
    """The answer of a model, or its error; the sync world is asked in a loop too."""
    try:
        if world == "async":
            async with contextlib.aclosing(model):
                if way == "invoke":
                    return await model.ainvoke("hi")
                chunks = [chunk async for chunk in model.astream("hi")]
        else:
            with contextlib.closing(model):
                if way == "invoke":
                    return model.invoke("hi")
                chunks = list(model.stream("hi"))
    except ModelError as error:
        return error
    message = message_chunk_to_message(sum(chunks))  # type: ignore[arg-type]
    assert isinstance(message, AIMessage)
    return message


@pytest.mark.parametrize("world", ["sync", "async"])
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_every_recorded_answer_comes_through_the_model(place: str, way: str, world: str) -> None:
    async def all_of_them() -> dict[str, Any]:
        wrong = {}
        for case in CASES:
            answer = await ask(model_of(place, case), way, world)
            if case["id"] not in EXEMPT and (found := differences(case, answer)):
                wrong[case["id"]] = found
        return wrong

    assert asyncio.run(all_of_them()) == {}
