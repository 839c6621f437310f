"""The account of Mistral, and where requests in its name go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from headrace.credentials import Credential
from headrace.transport import Place, account_of, clean_url

HOME = "https://api.mistral.ai"
_SUFFIXES = ("/chat/completions", "/v1")  # the SDK's own paths begin with /v1
_COMPATIBLE = "mistral_openai"  # the same account, by its OpenAI-compatible name


class MistralCredential(Credential):
    """An account of Mistral, or of a gateway that stands for it."""

    provider: ClassVar[str] = "mistralai"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {"api_key": ("MISTRAL_API_KEY",)}
    defaults: ClassVar[Mapping[str, str]] = {"base_url": HOME}

    type: Literal["mistral_credential"] = "mistral_credential"


class MistralPlace(Place):
    """Mistral's API, or a gateway that stands for it."""

    __slots__ = ()

    @property
    def owner(self) -> str | None:
        found = super().owner
        return self.account.provider if found == _COMPATIBLE else found


def find_place(
    base_url: str | None = None, credential: Credential | None = None, **arguments: Any
) -> MistralPlace:
    """Where requests go, from what was given, the credential, and the environment.

    A full endpoint is accepted as base URL.
    """
    account = account_of(MistralCredential, credential, "ChatMistralAI")
    found = account.resolve(base_url=base_url, **arguments)
    return MistralPlace(clean_url(found.values["base_url"], _SUFFIXES), account, found)
