"""Every recorded Chat Completions exchange through the decoders, against `expected`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from recorded_chat import EXEMPT, FOLDER, REPLAY, differences, load_cases

from headrace.chat_models.wire import splitter_for
from headrace.errors import ModelError, StreamInterruptedError, WireError
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace_openai import ChatOpenAI
from headrace_openai.decode import Decoder, decode_response
from headrace_openai.errors import status_error
from headrace_openai.reading import StreamReader

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


@pytest.mark.parametrize("variant", [";split=7", ";gzip"])
def test_transport_does_not_change_an_answer(place: str, variant: str) -> None:
    async def some_of_them() -> dict[str, Any]:
        wrong = {}
        for case in CASES[::9]:
            answer = await ask(model_of(place, case, variant), "stream", "async")
            if case["id"] not in EXEMPT and (found := differences(case, answer)):
                wrong[case["id"]] = found
        return wrong

    assert asyncio.run(some_of_them()) == {}


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_connection_that_breaks_is_never_a_short_answer(place: str, way: str) -> None:
    async def answers() -> list[Any]:
        cases = [case for case in CASES[::9] if case["status"] == 200]
        return [await ask(model_of(place, case, ";cut=60"), way, "sync") for case in cases]

    assert {type(answer) for answer in asyncio.run(answers())} == {StreamInterruptedError}


def test_a_429_is_tried_again_as_often_as_allowed(place: str) -> None:
    case = next(case for case in CASES if case["stream"] and not case["expected"]["error"])
    variant = ";status=429;n=2;after=0"
    url = f"{place}/case{variant}/{case['id']}/v1"
    model = ChatOpenAI(model="m", base_url=url, api_key="k", max_retries=2)
    assert model.invoke("hi").text == case["expected"]["text"]


SCRAPS: tuple[Any, ...] = (None, 0, -1, 1.5, True, "", "x", [], {}, [None], [1], {"a": 1}, 10**30)


def spoiled(value: Any, chance: random.Random) -> Any:
    """`value` with one node in it replaced by something that does not belong there."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.2:
        return chance.choice(SCRAPS)
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = chance.choice(keys)
    copied: Any = dict(value) if isinstance(value, dict) else list(value)
    copied[key] = spoiled(value[key], chance)
    return copied


@pytest.mark.parametrize("case", CASES[::6], ids=lambda case: str(case["id"]))
def test_spoiled_values_give_an_answer_or_an_error_of_ours(case: dict[str, Any]) -> None:
    chance = random.Random(case["id"])
    body = REPLAY.body_of(case)
    if not case["stream"] or case["status"] >= 400:
        whole = json.loads(body)
        for _ in range(60):
            with contextlib.suppress(ModelError, WireError):
                repr(decode_response(spoiled(whole, chance)).content_blocks)
        return
    payloads = [
        json.loads(p) for p in splitter_for("text/event-stream").feed(body) if p[:1] == b"{"
    ]
    for _ in range(60):
        place = chance.randrange(len(payloads))
        events = [*payloads[:place], spoiled(payloads[place], chance), *payloads[place + 1 :]]
        with contextlib.suppress(ModelError, WireError):
            decoder = Decoder()
            chunks = [chunk for event in events for chunk in decoder.feed(event)]
            repr(sum([*chunks, *decoder.finish()]))


@pytest.mark.parametrize("case", CASES[::6], ids=lambda case: str(case["id"]))
def test_spoiled_bytes_give_an_answer_or_an_error_of_ours(case: dict[str, Any]) -> None:
    chance = random.Random(case["id"])
    body = REPLAY.body_of(case)
    for _ in range(15):
        spoiled_body = bytearray(body)
        for _ in range(chance.randrange(1, 6)):
            start = chance.randrange(len(body))
            spoiled_body[start : start + chance.randrange(4)] = chance.randbytes(
                chance.randrange(4)
            )
        reader = StreamReader(case["headers"].get("content-type"), Decoder())
        with contextlib.suppress(ModelError, WireError):
            list(reader.feed(bytes(spoiled_body)))
            reader.end()
