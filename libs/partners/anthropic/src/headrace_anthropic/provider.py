"""The providers that this package registers."""

from __future__ import annotations

from headrace.registry import Provider

ANTHROPIC = Provider(
    "anthropic",
    "headrace_anthropic.chat:ChatAnthropic",
    credential="headrace_anthropic.credentials:AnthropicCredential",
    prefixes=("claude-",),
    hosts=("api.anthropic.com",),
    package="headrace-anthropic",
)
BEDROCK = Provider(
    "anthropic_bedrock",
    "headrace_anthropic.clouds:ChatAnthropicBedrock",
    credential="headrace_anthropic.cloud_accounts:AnthropicBedrockCredential",
    package="headrace-anthropic",
)
VERTEX = Provider(
    "anthropic_vertex",
    "headrace_anthropic.clouds:ChatAnthropicVertex",
    credential="headrace_anthropic.cloud_accounts:AnthropicVertexCredential",
    package="headrace-anthropic",
)
