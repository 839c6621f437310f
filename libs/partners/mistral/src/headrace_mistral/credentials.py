"""The account of Mistral, and where requests in its name go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from headrace.credentials import Credential
from headrace.transport import Place

HOME = "https://api.mistral.ai"


class MistralCredential(Credential):
    """An account of Mistral, or of a gateway that stands for it."""

    provider: ClassVar[str] = "mistralai"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {"api_key": ("MISTRAL_API_KEY",)}
    defaults: ClassVar[Mapping[str, str]] = {"base_url": HOME}

    type: Literal["mistral_credential"] = "mistral_credential"


class MistralPlace(Place):
    """Mistral's API, or a gateway that stands for it."""

    __slots__ = ()
    credential = MistralCredential
    too = "mistral_openai"
    suffixes = ("/chat/completions", "/v1")  # the SDK's own paths begin with /v1
