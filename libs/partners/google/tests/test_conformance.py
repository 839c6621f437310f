"""ChatGoogleGenerativeAI held to what every chat model must do, over the real SDK."""

from __future__ import annotations

from typing import Any

from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_google import ChatGoogleGenerativeAI
from headrace_google.loopback import GenerateContentWire


class TestChatGoogleGenerativeAI(ChatModelConformance):
    wire = GenerateContentWire()
    abilities = DEFAULT | {
        "json_mode", "image_url", "file_data", "audio_data", "reasoning", "tool_images",
    }  # fmt: skip

    def model_at(self, base_url: str, **params: Any) -> ChatGoogleGenerativeAI:
        given = {"model": "gemini-2.5-flash", "api_key": "none-needed", **params}
        return ChatGoogleGenerativeAI(base_url=base_url, **given)

    def native_image(self, data: str) -> dict[str, Any] | None:
        return {"inline_data": {"mime_type": "image/png", "data": data}}
