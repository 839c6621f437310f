"""Who does the rows' works: contenders of requests, and the two kits of what needs no server."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from bench.kits import KITS
from bench.rows import Row
from bench.site import Site

CONTENDERS = {
    "sdk": "sdk:SDK",
    "floor": "floor:Floor",
    "langchain": "composed:LangChain",
    "pydantic-ai": "pydantic_ai:PydanticAI",
    "litellm": "litellm:LiteLLM",
    "headrace": "composed:Headrace",
}
# What a contender loads before its first row, so that no row pays for it.
SDKS = ("openai", "anthropic")
LOADED = {
    "sdk": SDKS,
    "floor": ("httpx2",),
    "langchain": (*SDKS, "langchain_openai", "langchain_anthropic"),
    "pydantic-ai": (*SDKS, "pydantic_ai.models.openai", "pydantic_ai.models.anthropic"),
    "litellm": (*SDKS, "litellm"),
    "headrace": (*SDKS, "headrace_openai", "headrace_anthropic"),
}


def load(who: str) -> None:
    """Imports what a contender's rows need."""
    for module in LOADED[who]:
        importlib.import_module(module)


def find(who: str, row: Row, site: Site) -> Callable[[], Any]:
    """The contender's work, set up; a call of it does and checks it once."""
    local = importlib.import_module("bench.local")
    if who in KITS and hasattr(local, row.work):
        made: Callable[[], Any] = getattr(local, row.work)(KITS[who], site, **row.options)
        return made
    module, _, name = CONTENDERS[who].partition(":")
    options = row.options if who in KITS else {}
    contender = getattr(importlib.import_module(f"bench.{module}"), name)(site, **options)
    ready: Callable[[], Any] = getattr(contender, row.work)
    return ready
