"""What a chunk, a step and a request cost, counted: calls, event loop turns, memory kept.

No time is measured. The replies of the benchmark come from a transport in this process, in
pieces of one size, so each count is the same on every machine. Counted are calls of headrace's
own functions and steps of its generators; those of the SDKs and their HTTP client are not.
A bound has the measured figure beside it: whoever adds a call to each chunk sees it fail.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import httpx2
import pytest

from bench.replies import reply
from headrace import BaseCallbackHandler, RunnableLambda
from headrace_anthropic import ChatAnthropic
from headrace_openai import ChatOpenAI

CHUNKS, SKIPPED = 1_000, 500


def calls_in(work: Callable[[], object]) -> int:
    """Calls of headrace's functions, and steps of its generators, while `work()` runs."""
    count = 0

    def told(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        if event == "call" and str(frame.f_globals.get("__name__")).startswith("headrace"):
            count += 1

    before = sys.getprofile()
    sys.setprofile(told)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


class Pieces(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of a reply, in the server's pieces."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def model_of(wire: str, name: str) -> Any:
    """A model whose requests are answered by that reply, through the real SDK."""
    sent = reply(name, wire)

    def answer(request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": sent.kind}
        return httpx2.Response(200, headers=headers, stream=Pieces(sent.pieces), request=request)

    transport = httpx2.MockTransport(answer)
    given: dict[str, Any] = {
        "api_key": "k",
        "max_retries": 0,
        "http_client": httpx2.Client(transport=transport),
        "http_async_client": httpx2.AsyncClient(transport=transport),
    }
    if wire == "openai":
        return ChatOpenAI(model="gpt-4o-mini", **given)
    return ChatAnthropic(model="claude-sonnet-5-5", max_tokens=1024, **given)


def stream_calls(model: Any) -> float:
    """Calls a chunk of a sync stream, from amid it."""
    with model.stream("x") as stream:
        list(islice(stream, SKIPPED))
        return calls_in(lambda: list(islice(stream, CHUNKS))) / CHUNKS


def astream_calls(model: Any) -> float:
    """Calls a chunk of an async stream, from amid it."""

    async def main() -> float:
        async with model.astream("x") as stream:
            for _ in range(SKIPPED):
                await anext(stream)
            many = _many(stream)
            return calls_in(lambda: _finish(many)) / CHUNKS

    return asyncio.run(main())


async def _many(stream: Any) -> None:
    for _ in range(CHUNKS):
        await anext(stream)


def _finish(coro: Any) -> None:
    """Runs what never waits."""
    with pytest.raises(StopIteration):
        coro.send(None)


@pytest.mark.parametrize(
    ("wire", "name", "most", "amost"),
    [
        ("openai", "text-2000", 24.2, 22.2),  # 24.106, 22.090
        ("openai", "tools-2000", 33.2, 31.2),  # 33.127, 31.108
        ("anthropic", "text-2000", 21.1, 19.1),  # 21.057, 19.048
        ("anthropic", "tools-2000", 24.1, 22.1),  # 24.057, 22.048
    ],
    ids=["OpenAI text", "OpenAI arguments", "Anthropic text", "Anthropic arguments"],
)
def test_a_chunk_costs_few_calls(wire: str, name: str, most: float, amost: float) -> None:
    model = model_of(wire, name)
    assert stream_calls(model) <= most
    assert astream_calls(model) <= amost


class Turns:
    """Counts the turns that an event loop takes, and the timers that it is given."""

    def __init__(self, loop: Any) -> None:
        self.turns = self.timers = 0
        run_once, call_at = loop._run_once, loop.call_at

        def once() -> None:
            self.turns += 1
            run_once()

        def at(*args: Any, **kwargs: Any) -> Any:
            self.timers += 1
            return call_at(*args, **kwargs)

        loop._run_once, loop.call_at = once, at


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_a_stream_takes_no_turn_of_the_loop_and_no_timer_for_its_chunks(wire: str) -> None:
    def spent(count: int) -> tuple[int, int]:
        model, found = model_of(wire, f"text-{count}"), []

        async def main() -> None:
            async with model.astream("x") as stream:
                await anext(stream)
                seen = Turns(asyncio.get_running_loop())
                assert sum([len(chunk.text) async for chunk in stream]) == 5 * count
                found.append((seen.turns, seen.timers))

        asyncio.run(main())
        return found[0]

    assert spent(2_000) == spent(100) == (0, 1)  # the one timer guards the first read


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_a_stream_keeps_few_blocks_of_memory_for_each_chunk(wire: str) -> None:
    model = model_of(wire, "text-2000")
    with model.stream("x") as stream:
        list(islice(stream, SKIPPED))
        gc.collect()
        gc.disable()
        try:
            before = sys.getallocatedblocks()
            for _ in islice(stream, CHUNKS):
                pass
            kept = (sys.getallocatedblocks() - before) / CHUNKS
        finally:
            gc.enable()
    assert kept <= 1.1  # 1.024 and 1.018: the chunk itself, for the stream's `result`


class Silent(BaseCallbackHandler):
    """Hears of each step."""

    def on_chain_start(self, *args: Any, **kwargs: Any) -> None: ...
    def on_chain_end(self, *args: Any, **kwargs: Any) -> None: ...


def sequence(length: int) -> Any:
    chain = RunnableLambda(abs, inline=True)
    for _ in range(length - 1):
        chain = chain | RunnableLambda(abs, inline=True)
    return chain


DOORS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda chain, config: chain.invoke(1, config),
    "ainvoke": lambda chain, config: _finish(chain.ainvoke(1, config)),
    "batch": lambda chain, config: chain.batch([1], config),
}


@pytest.mark.parametrize(
    ("door", "heard", "most", "whole"),
    [
        ("invoke", 0, 2, 21),
        ("ainvoke", 0, 2, 19),
        ("batch", 0, 4, 58),
        ("invoke", 1, 42, 192),
        ("ainvoke", 1, 42, 190),
    ],
)
def test_a_step_of_a_sequence_costs_few_calls(
    door: str, heard: int, most: float, whole: int
) -> None:
    """`most`: of a step more, `whole`: of a sequence of three; all as measured."""
    config: Any = {"callbacks": [Silent()]} if heard else None
    found = {}
    for length in (3, 13):
        ask = partial(DOORS[door], sequence(length), config)
        ask()  # what is done once is not meant
        found[length] = calls_in(ask)
    assert (found[13] - found[3]) / 10 <= most
    assert found[3] <= whole


def test_an_input_of_a_batch_of_three_steps_costs_few_calls() -> None:
    chain, found = sequence(3), {}
    for count in (10, 110):
        ask = partial(chain.batch, [1] * count, {"max_concurrency": 1})
        ask()
        found[count] = calls_in(ask)
    assert (found[110] - found[10]) / 100 <= 25  # as measured


@pytest.mark.parametrize(
    ("wire", "most"), [("openai", 300), ("anthropic", 275)], ids=["OpenAI", "Anthropic"]
)
def test_a_request_costs_few_calls(wire: str, most: int) -> None:
    model = model_of(wire, "plain")
    model.invoke("x")  # loads the SDK
    assert calls_in(lambda: model.invoke("x")) <= most
