"""What needs no server: steps, sums, imports; the same lines for headrace and LangChain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from math import log
from time import process_time
from typing import Any

from bench.kits import Kit, same
from bench.replies import SIZE, WORDS, arguments, words
from bench.site import Site

SHORT, LONG, CALLS = 3, 10, 200
INPUTS = 1_000
TEXT = "".join(WORDS)
IMPORTS = {
    "import_messages": "import {0}.messages, {0}.runnables",
    "import_model": "from {1}_openai import ChatOpenAI",
}
TIMED_IMPORT = "import time; s = time.process_time(); {}; print(time.process_time() - s)"


def slope(kit: Kit, site: Site, *, heard: bool = False) -> Callable[[], float]:
    """Seconds that one more step of a sequence costs an `invoke`."""
    short, long, config = kit.sequence(SHORT), kit.sequence(LONG), _config(kit, heard)

    def calls(chain: Any) -> float:
        start = process_time()
        for i in range(CALLS):
            if chain.invoke(i, config) != i:
                raise ValueError("a step lost its value")
        return process_time() - start

    return lambda: (calls(long) - calls(short)) / (CALLS * (LONG - SHORT))


def aslope(kit: Kit, site: Site, *, heard: bool = False) -> Callable[[], Any]:
    """Seconds that one more step of a sequence costs an `ainvoke`."""
    short, long, config = kit.sequence(SHORT), kit.sequence(LONG), _config(kit, heard)

    async def calls(chain: Any) -> float:
        start = process_time()
        for i in range(CALLS):
            if await chain.ainvoke(i, config) != i:
                raise ValueError("a step lost its value")
        return process_time() - start

    async def once() -> float:
        return (await calls(long) - await calls(short)) / (CALLS * (LONG - SHORT))

    return once


def _config(kit: Kit, heard: bool) -> Any:
    return {"callbacks": [kit.handler()]} if heard else None


def step_batch(kit: Kit, site: Site) -> Callable[[], None]:
    chain = kit.sequence(SHORT)

    def once() -> None:
        if chain.batch(list(range(INPUTS))) != list(range(INPUTS)):
            raise ValueError("a batch lost its values")

    return once


def step_abatch(kit: Kit, site: Site) -> Callable[[], Any]:
    chain = kit.sequence(SHORT)

    async def once() -> None:
        if await chain.abatch(list(range(INPUTS))) != list(range(INPUTS)):
            raise ValueError("a batch lost its values")

    return once


def parallel(kit: Kit, site: Site) -> Callable[[], None]:
    branches = kit.take("runnables", "RunnableParallel")({c: kit.step(same) for c in "abcde"})

    def once() -> None:
        for i in range(CALLS):
            if branches.invoke(i) != dict.fromkeys("abcde", i):
                raise ValueError("a branch lost its value")

    return once


def aparallel(kit: Kit, site: Site) -> Callable[[], Any]:
    branches = kit.take("runnables", "RunnableParallel")({c: kit.step(same) for c in "abcde"})

    async def once() -> None:
        for i in range(CALLS):
            if await branches.ainvoke(i) != dict.fromkeys("abcde", i):
                raise ValueError("a branch lost its value")

    return once


def offline(kit: Kit, site: Site) -> Callable[[], float]:
    """Seconds a chunk of a model that streams by itself."""
    model = kit.offline(TEXT, 1_000)

    def once() -> float:
        start = process_time()
        lengths = [len(chunk.text) for chunk in model.stream("hello")]
        return _per_chunk(start, lengths)

    return once


def aoffline(kit: Kit, site: Site) -> Callable[[], Any]:
    """Seconds a chunk of a model that streams by itself, async."""
    model = kit.offline(TEXT, 1_000)

    async def once() -> float:
        start = process_time()
        lengths = [len(chunk.text) async for chunk in model.astream("hello")]
        return _per_chunk(start, lengths)

    return once


def _per_chunk(start: float, lengths: list[int]) -> float:
    took = process_time() - start
    if sum(lengths) != len(TEXT):
        raise ValueError("a stream lost text")
    return took / len(lengths)


def add_text(kit: Kit, site: Site, count: int = 20_000) -> Callable[[], float]:
    new = kit.take("messages", "AIMessageChunk")
    chunks = [new(content=text) for text in words(count)]
    return partial(_added, chunks, lambda total: len(total.content), count * SIZE)


def add_arguments(kit: Kit, site: Site, count: int = 5_000) -> Callable[[], float]:
    new, texts = kit.take("messages", "AIMessageChunk"), arguments(count)
    chunks = []
    for i, text in enumerate(texts):
        named = {"name": None, "id": None} if i else {"name": "write", "id": "call_1"}
        piece = {"type": "tool_call_chunk", "args": text, "index": 0, **named}
        chunks.append(new(content="", tool_call_chunks=[piece]))
    sent = sum(map(len, texts)) - len('{"text": ""}')

    def read(total: Any) -> int:
        return len(total.tool_calls[0]["args"]["text"])

    return partial(_added, chunks, read, sent)


def add_blocks(kit: Kit, site: Site, count: int = 20_000) -> Callable[[], float]:
    new = kit.take("messages", "AIMessageChunk")
    chunks = []
    for i, text in enumerate(words(count)):
        chunks.append(new(content=[{"type": "text", "text": text, "index": i * 10 // count}]))

    def read(total: Any) -> int:
        return sum(len(block["text"]) for block in total.content)

    return partial(_added, chunks, read, count * SIZE)


def growth(kit: Kit, site: Site) -> Callable[[], float]:
    """The greatest exponent by which a sum grows from 10,000 to 100,000 chunks."""
    kinds = (add_text, add_arguments, add_blocks)
    sums = [[add(kit, site, count) for count in (10_000, 100_000)] for add in kinds]
    return lambda: max(log(many() / few(), 10) for few, many in sums)


def _added(chunks: list[Any], read: Callable[[Any], int], sent: int) -> float:
    start = process_time()
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    got = read(total)
    took = process_time() - start
    if got != sent:
        raise ValueError(f"a sum has {got} characters, not {sent}")
    return took


def imported(kit: Kit, statement: str) -> float:
    """CPU seconds of an import in a fresh interpreter."""
    code = TIMED_IMPORT.format(statement.format(kit.core, kit.name))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def import_messages(kit: Kit, site: Site) -> Callable[[], float]:
    return partial(imported, kit, IMPORTS["import_messages"])


def import_model(kit: Kit, site: Site) -> Callable[[], float]:
    return partial(imported, kit, IMPORTS["import_model"])
