"""ChatMistralAI held to what every chat model must do, over the real SDK."""

from __future__ import annotations

from typing import Any

from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_mistral import ChatMistralAI
from headrace_openai.codec import ChatCompletionsWire


class TestChatMistralAI(ChatModelConformance):
    wire = ChatCompletionsWire()
    # The wire waits for `stream_options`, which Mistral has not: its streams have no usage here.
    abilities = (DEFAULT | {"json_mode", "image_url", "file_data", "audio_data"}) - {
        "streamed_usage"
    }

    def model_at(self, base_url: str, **params: Any) -> ChatMistralAI:
        given = {"model": "mistral-small-latest", "api_key": "none-needed", **params}
        return ChatMistralAI(base_url=base_url, **given)
