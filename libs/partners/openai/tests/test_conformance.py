"""ChatOpenAI held to what every chat model must do, over the real SDK."""

from __future__ import annotations

from typing import Any

from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_openai import AzureChatOpenAI, ChatOpenAI
from headrace_openai.loopback import ChatCompletionsWire
from headrace_openai.responses.loopback import ResponsesWire


class TestChatOpenAI(ChatModelConformance):
    wire = ChatCompletionsWire()
    abilities = DEFAULT | {"names", "json_mode", "image_url", "file_data", "audio_data"}

    def model_at(self, base_url: str, **params: Any) -> ChatOpenAI:
        given = {"model": "gpt-4.1", "api_key": "none-needed", "dialect": "openai", **params}
        return ChatOpenAI(base_url=base_url, **given)


class TestResponses(ChatModelConformance):
    wire = ResponsesWire()
    abilities = (DEFAULT | {"json_mode", "image_url", "file_data", "reasoning", "tool_images"}) - {
        "stop"
    }

    def model_at(self, base_url: str, **params: Any) -> ChatOpenAI:
        given = {"model": "gpt-4.1", "api_key": "none-needed", "dialect": "openai", **params}
        return ChatOpenAI(base_url=base_url, use_responses_api=True, **given)


class TestAzure(ChatModelConformance):
    wire = ChatCompletionsWire()
    abilities = TestChatOpenAI.abilities

    def model_at(self, base_url: str, **params: Any) -> AzureChatOpenAI:
        given = {"model": "gpt-4.1", "api_key": "none-needed", "api_version": "2024-10-21"}
        return AzureChatOpenAI(azure_endpoint=base_url, **{**given, **params})
