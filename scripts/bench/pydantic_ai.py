"""pydantic-ai by its direct door, the one nearest to a chat model; structured calls by an Agent.

It is async inside: its sync calls drive an event loop, and have none in other threads.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any

from bench.contender import Contender
from bench.movie import Movie
from bench.sdk import sdk_client
from bench.site import ASKED, MAX_TOKENS, Site


def take(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"pydantic_ai.{module}"), name)


class PydanticAI(Contender):
    """Its models around the SDK's own client, as it has no other setting for retries."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        asked = take("messages", "ModelRequest").user_text_prompt(ASKED)
        self._given: dict[str, Any] = {"messages": [asked]}
        if site.wire == "anthropic":
            self._given["model_settings"] = {"max_tokens": MAX_TOKENS}
        direct = importlib.import_module("pydantic_ai.direct")
        self._ask, self._aask = direct.model_request_sync, direct.model_request
        self._stream, self._astream = direct.model_request_stream_sync, direct.model_request_stream

    @cached_property
    def _model(self) -> Any:
        client = sdk_client(self.site, is_async=True)
        name = {"openai": "OpenAIChatModel", "anthropic": "AnthropicModel"}[self.site.wire]
        provider = {"openai": "OpenAIProvider", "anthropic": "AnthropicProvider"}[self.site.wire]
        made = take(f"providers.{self.site.wire}", provider)(**{f"{self.site.wire}_client": client})
        return take(f"models.{self.site.wire}", name)(self.site.model, provider=made)

    def ask(self) -> Any:
        return self._ask(self._model, **self._given)

    async def aask(self) -> Any:
        return await self._aask(self._model, **self._given)

    def length(self, answer: Any) -> int:
        return len(answer.text)

    @contextmanager
    def chunks(self) -> Iterator[Any]:
        with self._stream(self._model, **self._given) as stream:
            yield stream

    @asynccontextmanager
    async def achunks(self) -> AsyncIterator[Any]:
        async with self._astream(self._model, **self._given) as stream:
            yield stream

    @cached_property
    def piece(self) -> Callable[[Any], int]:
        is_tool = self.site.reply.startswith("tools")
        whole, delta = ("args", "args_delta") if is_tool else ("content", "content_delta")

        def piece(event: Any) -> int:
            kind = event.event_kind
            if kind == "part_delta":
                return len(getattr(event.delta, delta) or "")
            return len(getattr(event.part, whole) or "") if kind == "part_start" else 0

        return piece

    @cached_property
    def _agent(self) -> Any:
        agent = importlib.import_module("pydantic_ai").Agent
        return agent(self._model, output_type=take("output", "NativeOutput")(Movie))

    def parse(self) -> Any:
        return self._agent.run_sync(ASKED).output
