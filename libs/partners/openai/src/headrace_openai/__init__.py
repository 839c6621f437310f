"""headrace for OpenAI, Azure, and every service that speaks Chat Completions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headrace_openai.chat import ChatOpenAI
from headrace_openai.credentials import (
    DeepSeekCredential,
    MoonshotCredential,
    OpenAICredential,
    XAICredential,
)
from headrace_openai.dialects import DIALECTS, Dialect, dialect_of

if TYPE_CHECKING:
    from headrace_openai.azure.chat import AzureChatOpenAI, ChatAzureAI
    from headrace_openai.azure.credentials import AzureAICredential, AzureOpenAICredential

__all__ = [
    "DIALECTS",
    "AzureAICredential",
    "AzureChatOpenAI",
    "AzureOpenAICredential",
    "ChatAzureAI",
    "ChatOpenAI",
    "DeepSeekCredential",
    "Dialect",
    "MoonshotCredential",
    "OpenAICredential",
    "XAICredential",
    "dialect_of",
]
_ON_AZURE = {
    "AzureChatOpenAI": "chat",
    "ChatAzureAI": "chat",
    "AzureAICredential": "credentials",
    "AzureOpenAICredential": "credentials",
}


def __getattr__(name: str) -> Any:
    """Azure's names, imported when first asked for."""
    if name not in _ON_AZURE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"headrace_openai.azure.{_ON_AZURE[name]}"), name)
