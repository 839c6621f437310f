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
    from headrace_openai.embeddings import OpenAIEmbeddings

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
    "OpenAIEmbeddings",
    "XAICredential",
    "dialect_of",
]

_LATER = {  # imported when first asked for: who only chats with OpenAI need not load them
    "AzureAICredential": "azure.credentials",
    "AzureChatOpenAI": "azure.chat",
    "AzureOpenAICredential": "azure.credentials",
    "ChatAzureAI": "azure.chat",
    "OpenAIEmbeddings": "embeddings",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"headrace_openai.{_LATER[name]}"), name)
