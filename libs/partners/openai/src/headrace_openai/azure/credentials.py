"""Who asks Azure: a key, a token, a function that gives one, or an azure-identity credential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from headrace.credentials import Credential, Secret

# The audience of tokens for each service.
# https://learn.microsoft.com/azure/ai-foundry/openai/how-to/managed-identity (read 2026-11)
OPENAI_SCOPE = "https://cognitiveservices.azure.com/.default"
FOUNDRY_SCOPE = "https://ai.azure.com/.default"


@dataclass(frozen=True)
class EntraToken:
    """A function that gives a token of an azure-identity credential, sync or async.

    azure-identity keeps a token until it is about to expire, so asking for each request is cheap.
    """

    credential: Any
    scope: str

    def __call__(self) -> Any:
        given = self.credential.get_token(self.scope)
        return given.token if hasattr(given, "token") else self._awaited(given)

    async def _awaited(self, given: Any) -> str:
        return str((await given).token)


@dataclass(frozen=True)
class TokenProviders:
    """Two functions that give tokens: a plain one for sync calls, an async one for async ones."""

    plain: Any
    awaited: Any

    def __call__(self) -> Any:
        return self.plain()


class _AzureCredential(Credential):
    scope: ClassVar[str] = ""

    azure_ad_token: Secret | None = Field(
        default=None, description="An Entra ID token, or a function that gives one."
    )
    token_credential: Any = Field(
        default=None, exclude=True, repr=False,
        description="An azure-identity credential, sync or async: anything with `get_token`.",
    )  # fmt: skip

    @property
    def token(self) -> EntraToken | None:
        """What gives tokens of the azure-identity credential, if there is one."""
        given = self.token_credential
        return None if given is None else EntraToken(given, self.scope)


class AzureOpenAICredential(_AzureCredential):
    """An Azure OpenAI resource: `base_url` is its endpoint, with or without a path."""

    provider: ClassVar[str] = "azure_openai"
    scope: ClassVar[str] = OPENAI_SCOPE
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("AZURE_OPENAI_API_KEY",),
        "azure_ad_token": ("AZURE_OPENAI_AD_TOKEN",),
        "base_url": ("AZURE_OPENAI_ENDPOINT",),
        "api_version": ("OPENAI_API_VERSION",),
    }

    type: Literal["azure_openai_credential"] = "azure_openai_credential"
    api_version: str | None = Field(
        default=None, description='A dated version; "v1", or none, for the v1 endpoint.'
    )


class AzureAICredential(_AzureCredential):
    """An Azure AI Foundry resource or project: `base_url` is its endpoint, in any usual form."""

    provider: ClassVar[str] = "azure_ai"
    scope: ClassVar[str] = FOUNDRY_SCOPE
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("AZURE_AI_API_KEY",),
        "base_url": ("AZURE_AI_ENDPOINT",),
    }

    type: Literal["azure_ai_credential"] = "azure_ai_credential"
