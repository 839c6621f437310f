"""The account of Anthropic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from headrace.credentials import Credential

HOME = "https://api.anthropic.com"


class AnthropicCredential(Credential):
    """An account of Anthropic, or of a gateway that stands for it."""

    provider: ClassVar[str] = "anthropic"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("ANTHROPIC_API_KEY",),
        "base_url": ("ANTHROPIC_BASE_URL",),
    }
    defaults: ClassVar[Mapping[str, str]] = {"base_url": HOME}

    type: Literal["anthropic_credential"] = "anthropic_credential"
