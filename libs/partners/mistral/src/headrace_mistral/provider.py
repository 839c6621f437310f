"""The provider that this package registers."""

from __future__ import annotations

from headrace.registry import Provider

MISTRALAI = Provider(
    "mistralai",
    "headrace_mistral.chat:ChatMistralAI",
    credential="headrace_mistral.credentials:MistralCredential",
    prefixes=("mistral-", "magistral-", "codestral-", "ministral-"),
    package="headrace-mistral",
)
