"""Requests through headrace and through LangChain: the same lines for both."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from time import process_time
from typing import Any

from bench.kits import Kit
from bench.movie import Movie
from bench.site import ASKED, ITEMS, LATE_AT_ONCE, Site

AT_ONCE = {"max_concurrency": LATE_AT_ONCE}


def _piece(site: Site) -> Callable[[Any], int]:
    """Reads how long the text or the arguments of one chunk are."""
    if site.reply.startswith("tools"):
        return lambda chunk: sum(len(call["args"] or "") for call in chunk.tool_call_chunks)
    return lambda chunk: len(chunk.text)


def stream(kit: Kit, site: Site) -> Callable[[], None]:
    model, piece = kit.model(site), _piece(site)
    return lambda: site.check(sum(map(piece, model.stream(ASKED))))


def astream(kit: Kit, site: Site) -> Callable[[], Any]:
    model, piece = kit.model(site), _piece(site)

    async def once() -> None:
        got = 0
        async for chunk in model.astream(ASKED):
            got += piece(chunk)
        site.check(got)

    return once


def first_token(kit: Kit, site: Site) -> Callable[[], float]:
    model, piece = kit.model(site), _piece(site)

    def once() -> float:
        start = process_time()
        chunks = iter(model.stream(ASKED))
        got = next(filter(None, map(piece, chunks)))
        took = process_time() - start
        site.check(got + sum(map(piece, chunks)))
        return took

    return once


def invoke(kit: Kit, site: Site) -> Callable[[], None]:
    model = kit.model(site)
    return lambda: site.check(len(model.invoke(ASKED).text))


def ainvoke(kit: Kit, site: Site) -> Callable[[], Any]:
    model = kit.model(site)

    async def once() -> None:
        site.check(len((await model.ainvoke(ASKED)).text))

    return once


def structured(kit: Kit, site: Site) -> Callable[[], None]:
    model = kit.model(site).with_structured_output(Movie, method="json_schema")
    return lambda: model.invoke(ASKED).check()


def abatch(kit: Kit, site: Site, items: int = ITEMS) -> Callable[[], Any]:
    model = kit.model(site)

    async def once() -> None:
        for message in await model.abatch([ASKED] * items, config=AT_ONCE):
            site.check(len(message.text))

    return once


def memory(kit: Kit, site: Site) -> Callable[[], Any]:
    """MB by which ten thousand requests raise the peak of a hundred's."""
    few, many = abatch(kit, site, LATE_AT_ONCE), abatch(kit, site, 10_000)
    unit = 2**20 if sys.platform == "darwin" else 2**10

    async def once() -> float:
        await few()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await many()
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit

    return once


def batch(kit: Kit, site: Site) -> Callable[[], None]:
    model = kit.model(site)

    def once() -> None:
        for message in model.batch([ASKED] * ITEMS, config=AT_ONCE):
            site.check(len(message.text))

    return once


def construct(kit: Kit, site: Site) -> Callable[[], None]:
    def once() -> None:
        for _ in range(100):
            kit.model(site)

    return once
