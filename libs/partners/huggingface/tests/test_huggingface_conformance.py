"""ChatHuggingFace held to what every chat model must do, over the SDK's HTTP client."""

from __future__ import annotations

from typing import Any

from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_huggingface import ChatHuggingFace
from headrace_openai.codec import ChatCompletionsWire


class TestChatHuggingFace(ChatModelConformance):
    wire = ChatCompletionsWire()
    abilities = DEFAULT | {"json_mode", "image_url"}

    def model_at(self, base_url: str, **params: Any) -> ChatHuggingFace:
        given = {"model": "openai/gpt-oss-120b", "api_key": "none-needed", **params}
        return ChatHuggingFace(base_url=base_url, **given)
