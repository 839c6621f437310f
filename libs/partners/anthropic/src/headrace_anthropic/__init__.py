"""headrace for Claude: the Messages API of Anthropic."""

from __future__ import annotations

from headrace_anthropic.chat import ChatAnthropic
from headrace_anthropic.credentials import AnthropicCredential

__all__ = ["AnthropicCredential", "ChatAnthropic"]
