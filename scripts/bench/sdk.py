"""The official SDKs by hand, in the way their own pages show."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import process_time
from typing import Any

from bench.movie import Movie
from bench.site import ASKED, ITEMS, KEY, LATE_AT_ONCE, MAX_TOKENS, Site


def _create(site: Site, is_async: bool = False) -> Callable[..., Any]:
    """`create` of a client of the SDK, with the request's own arguments."""
    sdk = importlib.import_module(site.wire)
    name = {"openai": "OpenAI", "anthropic": "Anthropic"}[site.wire]
    make = getattr(sdk, f"Async{name}" if is_async else name)
    client = make(api_key=KEY, base_url=site.url, max_retries=0)
    given: dict[str, Any] = {"messages": [{"role": "user", "content": ASKED}], "model": site.model}
    if site.wire == "openai":
        return partial(client.chat.completions.create, **given)
    return partial(client.messages.create, max_tokens=MAX_TOKENS, **given)


def _piece(site: Site) -> Callable[[Any], int]:
    """Reads how long the text or the arguments of one chunk are."""
    is_tool = site.reply.startswith("tools")

    def chat(chunk: Any) -> int:
        delta = chunk.choices[0].delta
        if is_tool:
            return sum(len(call.function.arguments) for call in delta.tool_calls or ())
        return len(delta.content or "")

    def claude(event: Any) -> int:
        if event.type != "content_block_delta":
            return 0
        return len(event.delta.partial_json if is_tool else event.delta.text)

    return chat if site.wire == "openai" else claude


def _length(site: Site, answer: Any) -> int:
    if site.wire == "openai":
        return len(answer.choices[0].message.content)
    return len(answer.content[0].text)


def stream(site: Site) -> Callable[[], None]:
    create, piece = _create(site), _piece(site)
    return lambda: site.check(sum(map(piece, create(stream=True))))


def astream(site: Site) -> Callable[[], Any]:
    create, piece = _create(site, is_async=True), _piece(site)

    async def once() -> None:
        got = 0
        async for chunk in await create(stream=True):
            got += piece(chunk)
        site.check(got)

    return once


def first_token(site: Site) -> Callable[[], float]:
    create, piece = _create(site), _piece(site)

    def once() -> float:
        start = process_time()
        chunks = iter(create(stream=True))
        got = next(filter(None, map(piece, chunks)))
        took = process_time() - start
        site.check(got + sum(map(piece, chunks)))
        return took

    return once


def invoke(site: Site) -> Callable[[], None]:
    create = _create(site)
    return lambda: site.check(_length(site, create()))


def ainvoke(site: Site) -> Callable[[], Any]:
    create = _create(site, is_async=True)

    async def once() -> None:
        site.check(_length(site, await create()))

    return once


def structured(site: Site) -> Callable[[], None]:
    client = importlib.import_module("openai").OpenAI(api_key=KEY, base_url=site.url, max_retries=0)
    messages = [{"role": "user", "content": ASKED}]
    parse = partial(client.chat.completions.parse, model=site.model, messages=messages)

    def once() -> None:
        parse(response_format=Movie).choices[0].message.parsed.check()

    return once


def abatch(site: Site) -> Callable[[], Any]:
    create = _create(site, is_async=True)

    async def one(gate: asyncio.Semaphore) -> None:
        async with gate:
            site.check(_length(site, await create()))

    async def once() -> None:
        gate = asyncio.Semaphore(LATE_AT_ONCE)
        await asyncio.gather(*(one(gate) for _ in range(ITEMS)))

    return once


def batch(site: Site) -> Callable[[], None]:
    one = invoke(site)

    def once() -> None:
        with ThreadPoolExecutor(LATE_AT_ONCE) as pool:
            list(pool.map(lambda _: one(), range(ITEMS)))

    return once
