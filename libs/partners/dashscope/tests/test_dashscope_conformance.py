"""ChatDashScope held to what every chat model must do, over the SDK's transport."""

from __future__ import annotations

from typing import Any

from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_dashscope import ChatDashScope
from headrace_dashscope.loopback import DashScopeWire


class TestChatDashScope(ChatModelConformance):
    wire = DashScopeWire()
    abilities = DEFAULT | {"json_mode", "image_url", "audio_data", "reasoning", "tool_images"}

    def model_at(self, base_url: str, **params: Any) -> ChatDashScope:
        facts = {"structured_output": True, **params.pop("profile", {})}
        given = {"model": "qwen-plus", "api_key": "none-needed", **params}
        return ChatDashScope(base_url=base_url, profile=facts, **given)

    def native_image(self, data: str) -> dict[str, Any]:
        return {"image": f"data:image/png;base64,{data}"}
