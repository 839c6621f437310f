"""ChatAnthropic held to what every chat model must do, over the real SDK."""

from __future__ import annotations

from typing import Any

from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_anthropic import ChatAnthropic
from headrace_anthropic.loopback import MessagesWire


class TestChatAnthropic(ChatModelConformance):
    wire = MessagesWire()
    abilities = DEFAULT | {"image_url", "file_data", "reasoning", "tool_images"}

    def model_at(self, base_url: str, **params: Any) -> ChatAnthropic:
        given = {"model": "claude-haiku-4-5", "api_key": "none-needed", **params}
        return ChatAnthropic(base_url=base_url, **given)

    def native_image(self, data: str) -> dict[str, Any]:
        source = {"type": "base64", "media_type": "image/png", "data": data}
        return {"type": "image", "source": source}
