"""The floor: the HTTP client of the SDKs and `json`, written for this one request by hand."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from time import process_time
from typing import Any

from bench.site import ASKED, ITEMS, KEY, LATE_AT_ONCE, MAX_TOKENS, Site

http: Any = importlib.import_module("httpx2")


@cache
def _client() -> Any:
    """One for the whole process, as is usual by hand."""
    return http.Client()


def _request(site: Site, stream: bool) -> tuple[str, dict[str, Any], dict[str, str]]:
    messages = [{"role": "user", "content": ASKED}]
    body: dict[str, Any] = {"model": site.model, "messages": messages, "stream": stream}
    if site.wire == "openai":
        return f"{site.url}/chat/completions", body, {"authorization": f"Bearer {KEY}"}
    headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
    return f"{site.url}/v1/messages", {**body, "max_tokens": MAX_TOKENS}, headers


def _piece(site: Site) -> Callable[[str], int]:
    """Reads how long the text or the arguments of one line are."""
    is_tool = site.reply.startswith("tools")

    def chat(line: str) -> int:
        if not line.startswith("data: {"):
            return 0
        delta = json.loads(line[6:])["choices"][0]["delta"]
        if is_tool:
            return sum(len(c["function"]["arguments"]) for c in delta.get("tool_calls", ()))
        return len(delta.get("content") or "")

    def claude(line: str) -> int:
        if not line.startswith("data: "):
            return 0
        delta = json.loads(line[6:]).get("delta", {})
        return len(delta.get("partial_json" if is_tool else "text", ""))

    return chat if site.wire == "openai" else claude


def _text(site: Site, data: Any) -> str:
    chat = site.wire == "openai"
    text = data["choices"][0]["message"]["content"] if chat else data["content"][0]["text"]
    assert isinstance(text, str)
    return text


def stream(site: Site) -> Callable[[], None]:
    client, piece = _client(), _piece(site)
    url, body, headers = _request(site, stream=True)

    def once() -> None:
        with client.stream("POST", url, json=body, headers=headers) as response:
            site.check(sum(map(piece, response.iter_lines())))

    return once


def astream(site: Site) -> Callable[[], Any]:
    client, piece = http.AsyncClient(), _piece(site)
    url, body, headers = _request(site, stream=True)

    async def once() -> None:
        got = 0
        async with client.stream("POST", url, json=body, headers=headers) as response:
            async for line in response.aiter_lines():
                got += piece(line)
        site.check(got)

    return once


def first_token(site: Site) -> Callable[[], float]:
    client, piece = _client(), _piece(site)
    url, body, headers = _request(site, stream=True)

    def once() -> float:
        start = process_time()
        with client.stream("POST", url, json=body, headers=headers) as response:
            lines = response.iter_lines()
            got = next(filter(None, map(piece, lines)))
            took = process_time() - start
            site.check(got + sum(map(piece, lines)))
        return took

    return once


def invoke(site: Site) -> Callable[[], None]:
    client = _client()
    url, body, headers = _request(site, stream=False)
    return lambda: site.check(len(_text(site, client.post(url, json=body, headers=headers).json())))


def ainvoke(site: Site) -> Callable[[], Any]:
    client = http.AsyncClient()
    url, body, headers = _request(site, stream=False)

    async def once() -> None:
        response = await client.post(url, json=body, headers=headers)
        site.check(len(_text(site, response.json())))

    return once


def abatch(site: Site) -> Callable[[], Any]:
    client = http.AsyncClient(limits=http.Limits(max_connections=LATE_AT_ONCE))
    url, body, headers = _request(site, stream=False)

    async def one(gate: asyncio.Semaphore) -> None:
        async with gate:
            response = await client.post(url, json=body, headers=headers)
            site.check(len(_text(site, response.json())))

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
