"""The official SDKs by hand, in the way their own pages show."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any

from bench.contender import Contender
from bench.movie import Movie
from bench.site import ASKED, KEY, MAX_TOKENS, Site


def sdk_client(site: Site, is_async: bool) -> Any:
    """A client of the SDK for the row's provider; it tries nothing again."""
    sdk = importlib.import_module(site.wire)
    name = {"openai": "OpenAI", "anthropic": "Anthropic"}[site.wire]
    make = getattr(sdk, f"Async{name}" if is_async else name)
    return make(api_key=KEY, base_url=site.url, max_retries=0)


def text_of(site: Site, answer: Any) -> Any:
    """The text of a typed answer."""
    return answer.choices[0].message.content if site.wire == "openai" else answer.content[0].text


class SDK(Contender):
    """`create` of a client; both are made when they are first asked for."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        messages = [{"role": "user", "content": ASKED}]
        self._given: dict[str, Any] = {"messages": messages, "model": site.model}
        if site.wire == "anthropic":
            self._given["max_tokens"] = MAX_TOKENS

    @cached_property
    def _client(self) -> Any:
        return sdk_client(self.site, is_async=False)

    @cached_property
    def _create(self) -> Any:
        return self._door(self._client).create

    @cached_property
    def _acreate(self) -> Any:
        return self._door(sdk_client(self.site, is_async=True)).create

    def _door(self, client: Any) -> Any:
        return client.chat.completions if self.site.wire == "openai" else client.messages

    def ask(self) -> Any:
        return self._create(**self._given)

    async def aask(self) -> Any:
        return await self._acreate(**self._given)

    def length(self, answer: Any) -> int:
        return len(text_of(self.site, answer))

    @contextmanager
    def chunks(self) -> Iterator[Any]:
        with self._create(stream=True, **self._given) as stream:
            yield stream

    @asynccontextmanager
    async def achunks(self) -> AsyncIterator[Any]:
        async with await self._acreate(stream=True, **self._given) as stream:
            yield stream

    @cached_property
    def piece(self) -> Callable[[Any], int]:
        is_tool = self.site.reply.startswith("tools")

        def chat(chunk: Any) -> int:
            delta = chunk.choices[0].delta
            if is_tool:
                return sum(len(call.function.arguments) for call in delta.tool_calls or ())
            return len(delta.content or "")

        def claude(event: Any) -> int:
            if event.type != "content_block_delta":
                return 0
            return len(event.delta.partial_json if is_tool else event.delta.text)

        return chat if self.site.wire == "openai" else claude

    def parse(self) -> Any:
        door = self._client.chat.completions
        return door.parse(response_format=Movie, **self._given).choices[0].message.parsed
