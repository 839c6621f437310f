"""What every partner's recorded traffic must show: the real SDK, served byte for byte.

    class TestTraffic(ReplayedTraffic):
        dialect = "anthropic"
        def model_of(self, url, case, **more): return ChatAnthropic(model="m", base_url=url, ...)

Without the corpus all of it skips.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from recorded import FOLDER, REPLAY, differences, load_cases

from headrace.errors import ModelError, StreamInterruptedError, WireError
from headrace.messages import AIMessage, message_chunk_to_message
from headrace.transport import StreamReader

Case = dict[str, Any]


@pytest.fixture(scope="session")
def replaying() -> Iterator[str]:
    """The address of a server that replays the corpus; import it where a suite is."""
    if REPLAY is None:
        pytest.skip(f"no recorded traffic in {FOLDER}")
    server, url = REPLAY.start(FOLDER)
    yield url
    server.shutdown()
    server.server_close()


async def ask(model: Any, way: str, world: str, message: Any = "hi") -> AIMessage | ModelError:
    """The answer of a model, or its error; the sync world is asked in a loop too."""
    try:
        if world == "async":
            async with contextlib.aclosing(model):
                if way == "invoke":
                    return await model.ainvoke(message)
                chunks = [chunk async for chunk in model.astream(message)]
        else:
            with contextlib.closing(model):
                if way == "invoke":
                    return model.invoke(message)
                chunks = list(model.stream(message))
    except ModelError as error:
        return error
    total = message_chunk_to_message(sum(chunks))  # type: ignore[arg-type]
    assert isinstance(total, AIMessage)
    return total


class ReplayedTraffic:
    """All recorded cases of one dialect through a partner's model.

    `exempt`: ids of cases whose `expected` says something else than headrace means, each with
    the reason; at most two in a hundred. `both_ways`: whether a recorded stream also answers an
    invoke and the reverse (it does where a request names its form in the body alone).
    `every`: for variants of the transport, one case in so many.
    """

    dialect: ClassVar[str]
    exempt: ClassVar[dict[str, str]] = {}
    both_ways: ClassVar[bool] = True
    every: ClassVar[int] = 9

    def model_of(self, url: str, case: Case, **more: Any) -> Any:
        """The model whose requests go below `url`; without retries unless `more` says so."""
        raise NotImplementedError

    def differences(self, case: Case, answer: AIMessage | ModelError) -> dict[str, Any]:
        return differences(case, answer)

    @pytest.fixture(autouse=True)
    def _needs_the_corpus(self) -> None:
        if not load_cases(self.dialect):
            pytest.skip(f"no recorded traffic in {FOLDER}")

    def cases(self, way: str) -> list[Case]:
        """Those that answer an invoke, or a stream."""
        every = load_cases(self.dialect)
        return [c for c in every if self.both_ways or c["stream"] == (way == "stream")]

    def wrong(
        self, cases: list[Case], place: str, way: str, world: str, variant: str = ""
    ) -> dict[str, Any]:
        """{case id: differences} of those that do not come through as expected."""

        async def all_of_them() -> dict[str, Any]:
            found = {}
            for case in cases:
                model = self.model_of(f"{place}/case{variant}/{case['id']}", case, max_retries=0)
                told = self.differences(case, await ask(model, way, world))
                if told and case["id"] not in self.exempt:
                    found[case["id"]] = told
            return found

        return asyncio.run(all_of_them())

    def test_at_most_two_percent_are_exempt(self) -> None:
        cases = load_cases(self.dialect)
        assert len(self.exempt) <= 0.02 * len(cases)
        assert self.exempt.keys() <= {case["id"] for case in cases}

    @pytest.mark.parametrize("world", ["sync", "async"])
    @pytest.mark.parametrize("way", ["invoke", "stream"])
    def test_every_recorded_answer_comes_through_the_model(
        self, replaying: str, way: str, world: str
    ) -> None:
        assert self.wrong(self.cases(way), replaying, way, world) == {}

    @pytest.mark.parametrize("variant", [";split=7", ";gzip"])
    def test_transport_does_not_change_an_answer(self, replaying: str, variant: str) -> None:
        cases = self.cases("stream")[:: self.every]
        assert self.wrong(cases, replaying, "stream", "async", variant) == {}

    @pytest.mark.parametrize("way", ["invoke", "stream"])
    def test_a_connection_that_breaks_is_never_a_short_answer(
        self, replaying: str, way: str
    ) -> None:
        async def answers() -> list[Any]:
            cases = [case for case in self.cases(way)[:: self.every] if case["status"] == 200]
            found = []
            for case in cases:
                url = f"{replaying}/case;cut=60/{case['id']}"
                found.append(await ask(self.model_of(url, case, max_retries=0), way, "sync"))
            return found

        assert {type(answer) for answer in asyncio.run(answers())} == {StreamInterruptedError}

    def test_a_429_is_tried_again_as_often_as_allowed(self, replaying: str) -> None:
        case = next(c for c in self.cases("stream") if c["stream"] and not c["expected"]["error"])
        url = f"{replaying}/case;status=429;n=2;after=0/{case['id']}"
        chunks = list(self.model_of(url, case, max_retries=2).stream("hi"))
        assert sum(chunks).text == case["expected"]["text"]  # type: ignore[attr-defined]

    # Spoiled answers, without network: decoders return or raise an error of ours, nothing else.

    def spoil(self, cases: list[Case], rounds: int) -> None:
        for case in cases:
            chance = random.Random(case["id"])
            exchange = self.model_of("http://127.0.0.1:9", case)._exchange()
            for _ in range(rounds):
                with contextlib.suppress(ModelError, WireError):
                    read_spoiled(exchange, case, chance)

    def test_spoiled_answers_give_an_answer_or_an_error_of_ours(self) -> None:
        self.spoil(load_cases(self.dialect)[:: self.every], 30)

    @pytest.mark.soak
    def test_very_many_spoiled_answers(self) -> None:
        cases = load_cases(self.dialect)
        self.spoil(cases, 150_000 // len(cases) + 1)


class BorrowedCodec(ReplayedTraffic):
    """The exchanges of some services in Chat Completions, whose codec has its own long run."""

    dialect = "openai-chat"
    every = 1
    served_by: ClassVar[tuple[str, ...]] = ()

    def cases(self, way: str) -> list[Case]:
        return [case for case in load_cases(self.dialect) if case["provider"] in self.served_by]

    def test_very_many_spoiled_answers(self) -> None:
        pytest.skip("the codec is that of headrace-openai, which has the long run")

    def test_spoiled_answers_give_an_answer_or_an_error_of_ours(self) -> None:
        cases = self.cases("invoke")
        assert cases
        self.spoil(cases, 20)


def read_spoiled(exchange: Any, case: Case, chance: random.Random) -> None:
    """Decodes a recorded body in which values, or bytes, are not what they were."""
    body, headers = REPLAY.body_of(case), case["headers"]
    spoil = spoiled_values if chance.random() < 0.5 else spoiled_bytes
    if not case["stream"] or case["status"] >= 400:
        try:
            value = json.loads(spoil(body, chance))
        except (ValueError, RecursionError):
            return
        repr(exchange.decode(value, headers))
        return
    reader = StreamReader(headers.get("content-type"), exchange.decoder({}, headers))
    chunks = [*reader.feed(spoil(body, chance)), *reader.end()]
    repr(sum(chunks))  # type: ignore[arg-type]


def spoiled_bytes(body: bytes, chance: random.Random) -> bytes:
    """A few stretches of bytes replaced by others."""
    found = bytearray(body)
    for _ in range(chance.randrange(1, 6)):
        start = chance.randrange(len(body) or 1)
        found[start : start + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
    return bytes(found)


def spoiled_values(body: bytes, chance: random.Random) -> bytes:
    """One JSON value of one line of a body replaced by something that does not belong there."""
    lines = body.split(b"\n")
    places = [i for i, line in enumerate(lines) if line.lstrip(b"data: ")[:1] in (b"{", b"[")]
    if not places:
        return spoiled_bytes(body, chance)
    at = chance.choice(places)
    start = min(lines[at].find(c) for c in (b"{", b"[") if c in lines[at])
    try:
        value = json.loads(lines[at][start:])
    except ValueError:  # one value over several lines
        start, lines, at = 0, [body], 0
        try:
            value = json.loads(body)
        except ValueError:
            return spoiled_bytes(body, chance)
    lines[at] = lines[at][:start] + json.dumps(spoiled(value, chance)).encode()
    return b"\n".join(lines)


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
