"""ChatOllama held to what every chat model must do, over the SDK's client."""

from __future__ import annotations

from typing import Any

from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_ollama import ChatOllama
from headrace_ollama.loopback import OllamaWire


class TestChatOllama(ChatModelConformance):
    wire = OllamaWire()
    # The API has no `tool_choice`: a subset of tools is shown instead (tested in test_ollama.py).
    abilities = (DEFAULT | {"json_mode", "reasoning"}) - {"tool_choice"}

    def model_at(self, base_url: str, **params: Any) -> ChatOllama:
        given = {"model": "qwen3:8b", **params}
        return ChatOllama(base_url=base_url, **given)
