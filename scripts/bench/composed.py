"""Requests through headrace and through LangChain: the same lines for both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any, ClassVar

from bench.contender import AT_ONCE, Contender
from bench.kits import KITS
from bench.movie import Movie
from bench.site import ASKED, Site

AT_MOST: Any = {"max_concurrency": AT_ONCE}


class Composed(Contender):
    """A chat model; `transport`: the HTTP client of its async calls, if not the usual one."""

    kit: ClassVar[str]

    def __init__(self, site: Site, *, transport: str = "") -> None:
        super().__init__(site)
        self._kit, self._transport = KITS[self.kit], transport

    @cached_property
    def _model(self) -> Any:
        return self._kit.model(self.site, transport=self._transport)

    @cached_property
    def _parsed(self) -> Any:
        return self._model.with_structured_output(Movie, method="json_schema")

    def ask(self) -> Any:
        return self._model.invoke(ASKED)

    async def aask(self) -> Any:
        return await self._model.ainvoke(ASKED)

    def length(self, answer: Any) -> int:
        return len(answer.text)

    @contextmanager
    def chunks(self) -> Iterator[Any]:
        yield self._model.stream(ASKED)

    @asynccontextmanager
    async def achunks(self) -> AsyncIterator[Any]:
        yield self._model.astream(ASKED)

    @cached_property
    def piece(self) -> Callable[[Any], int]:
        if self.site.reply.startswith("tools"):
            return lambda chunk: sum(len(call["args"] or "") for call in chunk.tool_call_chunks)
        return lambda chunk: len(chunk.text)

    def parse(self) -> Any:
        return self._parsed.invoke(ASKED)

    def answers(self, items: int) -> list[Any]:
        found: list[Any] = self._model.batch([ASKED] * items, config=AT_MOST)
        return found

    async def aanswers(self, items: int) -> list[Any]:
        found: list[Any] = await self._model.abatch([ASKED] * items, config=AT_MOST)
        return found

    def construct(self) -> None:
        for _ in range(100):
            self._kit.model(self.site)


class Headrace(Composed):
    kit = "headrace"


class LangChain(Composed):
    kit = "langchain"
