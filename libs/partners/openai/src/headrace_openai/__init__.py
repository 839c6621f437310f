"""headrace for OpenAI and every service that speaks Chat Completions."""

from __future__ import annotations

from headrace_openai.chat import ChatOpenAI
from headrace_openai.credentials import (
    DeepSeekCredential,
    MoonshotCredential,
    OpenAICredential,
    XAICredential,
)
from headrace_openai.dialects import DIALECTS, Dialect, dialect_of

__all__ = [
    "DIALECTS",
    "ChatOpenAI",
    "DeepSeekCredential",
    "Dialect",
    "MoonshotCredential",
    "OpenAICredential",
    "XAICredential",
    "dialect_of",
]
