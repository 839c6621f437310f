"""Where Ollama is; a key only its cloud needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from headrace.credentials import Credential

HOME = "http://127.0.0.1:11434"
CLOUD = "ollama.com"


class OllamaCredential(Credential):
    """A server of Ollama's, on this machine unless said otherwise.

    OLLAMA_API_KEY is of Ollama's cloud, and goes nowhere else.
    Source: https://docs.ollama.com/api/authentication (read 2026-11)
    """

    provider: ClassVar[str] = "ollama"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("OLLAMA_API_KEY",),
        "base_url": ("OLLAMA_HOST",),
    }
    defaults: ClassVar[Mapping[str, str]] = {"base_url": HOME}

    type: Literal["ollama_credential"] = "ollama_credential"
