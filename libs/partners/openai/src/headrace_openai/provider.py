"""The providers this package registers: OpenAI, and each compatible service of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from headrace.registry import Provider
from headrace_openai.dialects import COMPATIBLE, DIALECTS, OPENAI, Dialect, dialect_of


def _provider(row: Dialect) -> Provider:
    def maker(home: str, name: str) -> Callable[..., Any]:
        def make(**params: Any) -> Any:
            # Only now: the class brings pydantic fields that nobody who lists providers needs.
            model_class = getattr(import_module(home), name)
            chosen = {"dialect": row.id} if row is not OPENAI else _named_account(params)
            return model_class(**{**chosen, **params})

        return make

    return Provider(
        row.id,
        maker("headrace_openai.chat", "ChatOpenAI"),
        maker("headrace_openai.embeddings", "OpenAIEmbeddings"),
        credential=f"headrace_openai.credentials:{row.id}",
        hosts=row.hosts,
        package="headrace-openai",
        model_class="headrace_openai.chat:ChatOpenAI",
        embeddings_class="headrace_openai.embeddings:OpenAIEmbeddings",
    )


def _named_account(params: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's account, where a host that is nobody's would stand for none: it was named."""
    url = params.get("base_url")
    if not url or params.get("credential") is not None or dialect_of(url) is not COMPATIBLE:
        return {}
    return {"credential": _credential(OPENAI.id)()}


def _credential(id: str) -> Any:
    return import_module("headrace_openai.credentials").CREDENTIALS[id]


azure_openai = Provider(
    "azure_openai",
    "headrace_openai.azure.chat:AzureChatOpenAI",
    credential="headrace_openai.azure.credentials:AzureOpenAICredential",
    package="headrace-openai",
)
azure_ai = Provider(
    "azure_ai",
    "headrace_openai.azure.chat:ChatAzureAI",
    credential="headrace_openai.azure.credentials:AzureAICredential",
    package="headrace-openai",
)


def __getattr__(name: str) -> Provider:
    """A provider by its id: what the entry points lead to."""
    row = DIALECTS.get(name)
    if row is None:
        raise AttributeError(f"module {__name__!r} has no provider {name!r}")
    return _provider(row)
