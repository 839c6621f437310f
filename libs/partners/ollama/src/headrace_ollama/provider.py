"""The provider that this package registers."""

from __future__ import annotations

from headrace.registry import Provider

OLLAMA = Provider(
    "ollama",
    "headrace_ollama.chat:ChatOllama",
    credential="headrace_ollama.credentials:OllamaCredential",
    hosts=("ollama.com",),
    package="headrace-ollama",
)
