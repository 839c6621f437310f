"""Every recorded Ollama exchange through the SDK's client and the decoders."""

from __future__ import annotations

from typing import Any

from replayed import ReplayedTraffic, replaying

from headrace_ollama import ChatOllama

__all__ = ["replaying"]


class TestOllamaTraffic(ReplayedTraffic):
    dialect = "ollama"
    every = 1

    def model_of(self, url: str, case: dict[str, Any], **more: Any) -> ChatOllama:
        return ChatOllama(model="m", base_url=url, profile={"name": "m"}, **more)
