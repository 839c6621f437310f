"""ChatBedrockConverse held to what every chat model must do, over boto3."""

from __future__ import annotations

import base64
from typing import Any

from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_aws import ChatBedrockConverse
from headrace_aws.loopback import ConverseWire


class TestChatBedrockConverse(ChatModelConformance):
    wire = ConverseWire()
    abilities = (DEFAULT | {"file_data", "audio_data", "reasoning", "tool_images"}) - {
        "parallel_tool_calls"
    }

    def model_at(self, base_url: str, **params: Any) -> ChatBedrockConverse:
        given = {
            "model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "api_key": "key-of-nobody",
            "region_name": "us-east-1",
            **params,
        }
        return ChatBedrockConverse(base_url=base_url, **given)

    def native_image(self, data: str) -> dict[str, Any]:
        return {"image": {"format": "png", "source": {"bytes": base64.b64decode(data)}}}
