"""What every contender of a request does, and the works measured with it, written once.

A contender says how it asks and how long what came is; so each is timed over the same lines.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import tracemalloc
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from time import process_time
from typing import Any

from bench.site import Site

ITEMS, MANY, AT_ONCE = 1_000, 10_000, 100


class Contender(ABC):
    """One way of asking the models of a row's provider. Each work checks what it got."""

    def __init__(self, site: Site) -> None:
        self.site = site

    @abstractmethod
    def ask(self) -> Any:
        """A whole answer."""

    @abstractmethod
    async def aask(self) -> Any: ...

    @abstractmethod
    def length(self, answer: Any) -> int:
        """How many characters of text an answer has."""

    @abstractmethod
    def chunks(self) -> AbstractContextManager[Iterable[Any]]:
        """A stream, open inside the block."""

    @abstractmethod
    def achunks(self) -> AbstractAsyncContextManager[AsyncIterable[Any]]: ...

    @property
    @abstractmethod
    def piece(self) -> Callable[[Any], int]:
        """Says how many characters of text, or of a tool's arguments, a chunk carries."""

    def parse(self) -> Any:
        """The film of a structured call."""
        raise NotImplementedError

    def answers(self, items: int) -> list[Any]:
        """So many whole answers, from a pool of threads."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda _: self.ask(), range(items)))

    async def aanswers(self, items: int) -> list[Any]:
        """So many whole answers, a fixed number of them in flight."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one() -> Any:
            async with gate:
                return await self.aask()

        return await asyncio.gather(*(one() for _ in range(items)))

    # The works, each by the name that a row calls it.

    def invoke(self) -> None:
        self.site.check(self.length(self.ask()))

    async def ainvoke(self) -> None:
        self.site.check(self.length(await self.aask()))

    def stream(self) -> None:
        with self.chunks() as chunks:
            self.site.check(sum(map(self.piece, chunks)))

    async def astream(self) -> None:
        got, piece = 0, self.piece
        async with self.achunks() as chunks:
            async for chunk in chunks:
                got += piece(chunk)
        self.site.check(got)

    def first_token(self) -> float:
        """CPU seconds until there is text."""
        piece = self.piece
        start = process_time()
        with self.chunks() as opened:
            chunks = iter(opened)
            got = next(filter(None, map(piece, chunks)))
            took = process_time() - start
            self.site.check(got + sum(map(piece, chunks)))
        return took

    def structured(self) -> None:
        self.parse().check()

    def batch(self) -> None:
        self._check(self.answers(ITEMS))

    async def abatch(self) -> None:
        self._check(await self.aanswers(ITEMS))

    async def memory(self) -> float:
        """MB by which 10,000 calls raise the peak of the process, beyond what their answers hold.

        Not traced, which would take many minutes: only the size of an answer is.
        """
        self._check(await self.aanswers(AT_ONCE))  # connections, caches and imports are there then
        before = _peak()
        self._check(await self.aanswers(MANY))
        grown = _peak() - before
        return (grown - await self._held() * MANY) / 2**20

    async def kept(self) -> float:
        """KB of Python's own memory that one answer holds, after its call."""
        self._check(await self.aanswers(AT_ONCE))
        return await self._held() / 2**10

    async def _held(self) -> float:
        """Bytes that an answer holds, by `tracemalloc`."""
        gc.collect()
        tracemalloc.start()
        try:
            answers = await self.aanswers(AT_ONCE)
            gc.collect()  # what is garbage by now is not held
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        self._check(answers)
        return held / AT_ONCE

    def _check(self, answers: Iterable[Any]) -> None:
        for answer in answers:
            self.site.check(self.length(answer))


def _peak() -> int:
    """Bytes of memory that this process had at most."""
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
