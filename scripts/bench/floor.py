"""The floor: the HTTP client of the SDKs and `json`, written for this one request by hand."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache, cached_property
from typing import Any

from bench.contender import AT_ONCE, Contender
from bench.site import ASKED, KEY, MAX_TOKENS, Site


@cache
def _client() -> Any:
    """One for the whole process, as is usual by hand."""
    http: Any = importlib.import_module("httpx2")
    return http.Client(limits=http.Limits(max_connections=AT_ONCE))


class Floor(Contender):
    """An answer is its JSON, a chunk a line."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._whole, self._streamed = self._request(stream=False), self._request(stream=True)

    def _request(self, stream: bool) -> dict[str, Any]:
        messages = [{"role": "user", "content": ASKED}]
        body: dict[str, Any] = {"model": self.site.model, "messages": messages, "stream": stream}
        if self.site.wire == "openai":
            headers = {"authorization": f"Bearer {KEY}"}
            return {"url": f"{self.site.url}/chat/completions", "json": body, "headers": headers}
        headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
        body["max_tokens"] = MAX_TOKENS
        return {"url": f"{self.site.url}/v1/messages", "json": body, "headers": headers}

    @cached_property
    def _aclient(self) -> Any:
        http: Any = importlib.import_module("httpx2")
        return http.AsyncClient(limits=http.Limits(max_connections=AT_ONCE))

    def ask(self) -> Any:
        return _client().post(**self._whole).json()

    async def aask(self) -> Any:
        return (await self._aclient.post(**self._whole)).json()

    def length(self, answer: Any) -> int:
        if self.site.wire == "openai":
            return len(answer["choices"][0]["message"]["content"])
        return len(answer["content"][0]["text"])

    @contextmanager
    def chunks(self) -> Iterator[Iterator[str]]:
        with _client().stream("POST", **self._streamed) as response:
            yield response.iter_lines()

    @asynccontextmanager
    async def achunks(self) -> AsyncIterator[AsyncIterator[str]]:
        async with self._aclient.stream("POST", **self._streamed) as response:
            yield response.aiter_lines()

    @cached_property
    def piece(self) -> Callable[[str], int]:
        is_tool = self.site.reply.startswith("tools")

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

        return chat if self.site.wire == "openai" else claude
