"""headrace for Claude: the Messages API of Anthropic, of Amazon Bedrock and of Vertex AI."""

from __future__ import annotations

from headrace_anthropic.chat import ChatAnthropic
from headrace_anthropic.cloud_accounts import AnthropicBedrockCredential, AnthropicVertexCredential
from headrace_anthropic.clouds import ChatAnthropicBedrock, ChatAnthropicVertex
from headrace_anthropic.credentials import AnthropicCredential

__all__ = [
    "AnthropicBedrockCredential",
    "AnthropicCredential",
    "AnthropicVertexCredential",
    "ChatAnthropic",
    "ChatAnthropicBedrock",
    "ChatAnthropicVertex",
]
