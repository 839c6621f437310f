"""The provider that this package registers."""

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
