"""LiteLLM by its two functions, `completion` and `acompletion`."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any

from bench.contender import AT_ONCE, Contender
from bench.movie import Movie
from bench.site import ASKED, KEY, MAX_TOKENS, Site


class LiteLLM(Contender):
    """Answers in the shape of OpenAI's, whoever gave them."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._litellm: Any = importlib.import_module("litellm")
        self._messages = [{"role": "user", "content": ASKED}]
        self._given: dict[str, Any] = {
            "model": f"{site.wire}/{site.model}",
            "api_key": KEY,
            "api_base": site.url,
            "max_retries": 0,
        }
        if site.wire == "anthropic":
            self._given["max_tokens"] = MAX_TOKENS

    def ask(self) -> Any:
        return self._litellm.completion(messages=self._messages, **self._given)

    async def aask(self) -> Any:
        return await self._litellm.acompletion(messages=self._messages, **self._given)

    def length(self, answer: Any) -> int:
        return len(answer.choices[0].message.content)

    @contextmanager
    def chunks(self) -> Iterator[Any]:
        yield self._litellm.completion(messages=self._messages, stream=True, **self._given)

    @asynccontextmanager
    async def achunks(self) -> AsyncIterator[Any]:
        yield await self._litellm.acompletion(messages=self._messages, stream=True, **self._given)

    @cached_property
    def piece(self) -> Callable[[Any], int]:
        def text(chunk: Any) -> int:
            return len(chunk.choices[0].delta.content or "")

        def tool(chunk: Any) -> int:
            calls = chunk.choices[0].delta.tool_calls or ()
            return sum(len(call.function.arguments or "") for call in calls)

        return tool if self.site.reply.startswith("tools") else text

    def answers(self, items: int) -> list[Any]:
        found: list[Any] = self._litellm.batch_completion(
            messages=[self._messages] * items, max_workers=AT_ONCE, **self._given
        )
        return found

    def parse(self) -> Any:
        """It gives the text, and its page tells to validate that by hand."""
        answer = self._litellm.completion(
            messages=self._messages, response_format=Movie, **self._given
        )
        return Movie.model_validate_json(answer.choices[0].message.content)
