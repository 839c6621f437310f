"""The account of Mistral, and where requests in its name go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from headrace.credentials import Credential, Resolution, host_owner
from headrace.errors import ConfigurationError
from headrace.transport import check_key_owner, clean_url

HOME = "https://api.mistral.ai"
_SUFFIXES = ("/chat/completions", "/v1")  # the SDK's own paths begin with /v1
_COMPATIBLE = "mistral_openai"  # the same account, by its OpenAI-compatible name


class MistralCredential(Credential):
    """An account of Mistral, or of a gateway that stands for it."""

    provider: ClassVar[str] = "mistralai"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {"api_key": ("MISTRAL_API_KEY",)}
    defaults: ClassVar[Mapping[str, str]] = {"base_url": HOME}

    type: Literal["mistral_credential"] = "mistral_credential"


@dataclass(frozen=True, slots=True)
class Place:
    """The address, the account, and where each setting came from."""

    url: str
    account: Credential
    found: Resolution

    @property
    def key(self) -> Any:
        """The key, or the function that gives it; raises MissingCredentialError without one."""
        key = self.found.require("api_key", self.account.provider)
        owner = host_owner(self.url)
        mine = self.account.provider
        check_key_owner(self.found, mine, mine if owner == _COMPATIBLE else owner)
        return key


def find_place(
    base_url: str | None = None, credential: Credential | None = None, **arguments: Any
) -> Place:
    """Where requests go, from what was given, the credential, and the environment.

    A full endpoint is accepted as base URL.
    """
    account = MistralCredential() if credential is None else credential
    if account.provider != MistralCredential.provider:
        raise ConfigurationError(
            f"a `{account.type}` does not open what ChatMistralAI speaks to; pass a "
            f"`{MistralCredential.type_name()}`"
        )
    found = account.resolve(base_url=base_url, **arguments)
    return Place(clean_url(found.values["base_url"], _SUFFIXES), account, found)
