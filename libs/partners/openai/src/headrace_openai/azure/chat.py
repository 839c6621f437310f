"""AzureChatOpenAI and ChatAzureAI: OpenAI's APIs on deployments in Azure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, field_validator, model_validator

from headrace.chat_models import Key
from headrace.credentials import Credential
from headrace.errors import ConfigurationError
from headrace.profiles import ModelProfile, find_profile
from headrace_openai.azure.credentials import (
    AzureAICredential,
    AzureOpenAICredential,
    TokenProviders,
)
from headrace_openai.azure.place import AzurePlace, find_azure_place
from headrace_openai.azure.rows import AZURE_AI, AZURE_OPENAI
from headrace_openai.chat import ChatOpenAI
from headrace_openai.dialects import Dialect

_NAMES = ("azure_deployment", "deployment_name", "deployment")


class _OnAzure(ChatOpenAI):
    """What both services share: accounts by key or Entra ID, and endpoints in any form."""

    row: ClassVar[Dialect] = AZURE_OPENAI
    account: ClassVar[Any] = AzureOpenAICredential
    plumbing: ClassVar[frozenset[str]] = ChatOpenAI.plumbing | {
        "azure_ad_async_token_provider", "azure_ad_token", "azure_ad_token_provider",
    }  # fmt: skip

    azure_ad_token: Key | None = Field(default=None, description="A token of Entra ID.")
    azure_ad_token_provider: Key | None = Field(
        default=None, description="A function that gives a token for each request.", repr=False
    )
    azure_ad_async_token_provider: Key | None = Field(
        default=None, description="An async function that does; for async calls.", repr=False
    )

    @field_validator("credential", mode="before")
    @classmethod
    def _read_identity(cls, value: Any) -> Any:
        """An azure-identity credential stands for an account that asks with its tokens."""
        if hasattr(value, "get_token") and not isinstance(value, Credential):
            return cls.account(token_credential=value)
        return value

    def _place(self) -> AzurePlace:  # type: ignore[override]  # speaks as a Place does
        account: Any = self.credential or self.account()
        if account.provider != self.row.id:
            raise ConfigurationError(
                f"a `{account.type}` does not open `{self.row.id}`; pass a "
                f"`{self.account.type_name()}`, or an azure-identity credential"
            )
        return find_azure_place(
            self.row,
            account,
            base_url=self.base_url,
            api_key=self.api_key,
            azure_ad_token=self._given_token(),
            **self._named(),
        )

    def _given_token(self) -> Any:
        """The one given as an argument: a token, or a function that gives it."""
        given = [
            value
            for value in (
                self.azure_ad_token,
                self.azure_ad_token_provider,
                self.azure_ad_async_token_provider,
            )
            if value is not None
        ]
        if len(given) == 2 and self.azure_ad_token is None:
            return TokenProviders(self.azure_ad_token_provider, self.azure_ad_async_token_provider)
        if len(given) > 1:
            raise ConfigurationError(
                "`azure_ad_token` and a function that gives tokens were given; give one of them"
            )
        return given[0] if given else None

    def _named(self) -> dict[str, Any]:
        return {}

    def _dialect(self) -> Dialect:
        return self.row

    def _known_facts(self) -> ModelProfile:
        return find_profile(self.row.id, self.model, packages=self.profiles)

    def _key_variable(self) -> str | None:
        return str(self.account.variables["api_key"][0])


class AzureChatOpenAI(_OnAzure):
    """A deployment of an Azure OpenAI resource.

    `azure_deployment` is what you called it, `model` (or `model_of_azure_deployment`) what it is
    a deployment of: that decides the profile. Without `api_version` the v1 endpoint is used.
    Source: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle (2026-11)
    """

    provider: ClassVar[str] = "azure_openai"
    plumbing: ClassVar[frozenset[str]] = _OnAzure.plumbing | {
        "api_version", "azure_deployment", "model_of_azure_deployment",
    }  # fmt: skip

    base_url: str | None = Field(
        default=None, description="Endpoint of the resource (AZURE_OPENAI_ENDPOINT).",
        validation_alias=AliasChoices("base_url", "azure_endpoint", "openai_api_base"),
    )  # fmt: skip
    azure_deployment: str | None = Field(
        default=None, description="Name of the deployment, where it is not the model's.",
        validation_alias=AliasChoices(*_NAMES),
    )  # fmt: skip
    model_of_azure_deployment: str | None = Field(
        default=None, description="The model that is deployed, where `model` is not its name."
    )
    api_version: str | None = Field(
        default=None, description='A dated version, such as "2024-10-21"; none for v1.',
        validation_alias=AliasChoices("api_version", "openai_api_version"),
    )  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _read_model(cls, data: Any) -> Any:
        """The model is the one deployed, else named like its deployment."""
        if not isinstance(data, Mapping) or data.get("model") or data.get("model_name"):
            return data
        names = (data.get(name) for name in ("model_of_azure_deployment", *_NAMES))
        found = next((name for name in names if name), None)
        return {**data, "model": found} if found else data

    def _named(self) -> dict[str, Any]:
        return {"api_version": self.api_version, "deployment": self.azure_deployment}

    def _known_facts(self) -> ModelProfile:
        name = self.model_of_azure_deployment or self.model
        return find_profile(self.row.id, name, packages=self.profiles)


class ChatAzureAI(_OnAzure):
    """A model deployed in Azure AI Foundry, of any maker, on its OpenAI-compatible endpoint.

    The endpoint is taken in any usual form: `https://NAME.services.ai.azure.com`, with `/models`,
    with `/openai/v1`, or of a project. The SDK for `/models` is withdrawn.
    Source: https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/endpoints (2026-11)
    """

    provider: ClassVar[str] = "azure_ai"
    row: ClassVar[Dialect] = AZURE_AI
    account: ClassVar[Any] = AzureAICredential

    base_url: str | None = Field(
        default=None, description="Endpoint of the resource or project (AZURE_AI_ENDPOINT).",
        validation_alias=AliasChoices("base_url", "endpoint", "azure_endpoint"),
    )  # fmt: skip
