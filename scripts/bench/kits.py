"""headrace and LangChain as one set of names: their works are the same lines of code."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.site import KEY, MAX_TOKENS, Site

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Kit:
    """Where one library keeps what the other calls by the same name."""

    name: str
    core: str
    callbacks: str

    def take(self, module: str, name: str) -> Any:
        return getattr(importlib.import_module(f"{self.core}.{module}"), name)

    def model(self, site: Site, *, transport: str = "") -> Any:
        """A chat model of the row's provider; `aiohttp`: over the SDK's transport of that name."""
        name = {"openai": "ChatOpenAI", "anthropic": "ChatAnthropic"}[site.wire]
        made = getattr(importlib.import_module(f"{self.name}_{site.wire}"), name)
        given: dict[str, Any] = {} if site.wire == "openai" else {"max_tokens": MAX_TOKENS}
        if transport and self.name == "headrace":
            given["async_transport"] = transport
        elif transport:  # no field for it: a client of the caller's
            given["http_async_client"] = importlib.import_module(site.wire).DefaultAioHttpClient()
        return made(model=site.model, api_key=KEY, base_url=site.url, max_retries=0, **given)

    def step(self, function: Function) -> Any:
        """A step; headrace is told that it is cheap, LangChain has no word for that."""
        inline = {"inline": True} if self.name == "headrace" else {}
        return self.take("runnables", "RunnableLambda")(function, **inline)

    def sequence(self, length: int) -> Any:
        """A sequence of steps that do nothing."""
        chain = self.step(same)
        for _ in range(length - 1):
            chain = chain | self.step(same)
        return chain

    def handler(self) -> Any:
        """A handler that hears of each step and does nothing."""

        def nothing(self: Any, *args: Any, **kwargs: Any) -> None: ...

        base = self.take(self.callbacks, "BaseCallbackHandler")
        return type("Silent", (base,), {"on_chain_start": nothing, "on_chain_end": nothing})()

    def offline(self, text: str, times: int) -> Any:
        """A model that answers with `text`, so many times, without a network."""
        if self.name == "headrace":
            return self.take("testing", "ScriptedChatModel")([text] * times)
        made = self.take("language_models", "GenericFakeChatModel")
        message = self.take("messages", "AIMessage")
        return made(messages=iter([message(content=text) for _ in range(times)]))


def same(value: Any) -> Any:
    return value


KITS = {
    "headrace": Kit("headrace", "headrace", "callbacks"),
    "langchain": Kit("langchain", "langchain_core", "callbacks"),
}
