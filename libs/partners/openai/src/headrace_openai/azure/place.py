"""Where requests to Azure go, under which version, with whose key or token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from headrace.credentials import ORDER, Credential, Resolution
from headrace.errors import ConfigurationError, MissingCredentialError
from headrace.transport import clean_url
from headrace_openai.azure.credentials import EntraToken
from headrace_openai.dialects import Dialect

# What may follow an endpoint where people copy it: a version, a deployment, a path of the API.
_TAIL = re.compile(r"/(?:openai|models|anthropic)(?:/.*)?$|/chat/completions.*$|/responses.*$")
_PROJECT = re.compile(r"/api/projects/[^/]+/?$")
_UNDATED = frozenset({"v1", "preview", "latest"})


@dataclass(frozen=True, slots=True)
class AzurePlace:
    """The address, the dialect, the account, the deployment, and where each setting came from."""

    url: str
    dialect: Dialect
    account: Credential
    found: Resolution
    token: Any = None  # a token or a function that gives one, where that was found first
    api_version: str | None = None
    deployment: str | None = None

    @property
    def is_token(self) -> bool:
        """Whether the key is a token of Entra ID."""
        return self.token is not None

    @property
    def key(self) -> Any:
        """The key, or the token in its place; MissingCredentialError if there is neither."""
        if self.token is not None:
            return self.token
        if self.found.values["api_key"] is None and "azure_ad_token" in self.found.values:
            try:
                return self.found.require("api_key", self.account.provider)
            except MissingCredentialError as error:
                raise MissingCredentialError(
                    f"{error}; or pass `azure_ad_token_provider`, or an azure-identity credential "
                    "as `credential`"
                ) from None
        return self.found.require("api_key", self.account.provider)

    def sent(self, name: str) -> str | None:
        """Organization and project are OpenAI's own; Azure has none."""
        return None


def find_azure_place(
    dialect: Dialect,
    account: Credential,
    *,
    base_url: str | None,
    api_key: Any,
    azure_ad_token: Any = None,
    api_version: str | None = None,
    deployment: str | None = None,
) -> AzurePlace:
    """Where requests go, from what was given, the credential, and the environment.

    The endpoint may be given in any form that Azure's pages show: with `/openai/v1`, with a
    deployment's path, with a project. Raises ConfigurationError for a key and a token at once.
    """
    if api_key is not None and azure_ad_token is not None:
        raise ConfigurationError("`api_key` and a token of Entra ID were given; give one of them")
    given = {"api_version": api_version} if "api_version" in type(account).model_fields else {}
    found = account.resolve(
        base_url=base_url, api_key=api_key, azure_ad_token=azure_ad_token, **given
    )
    endpoint = found.values["base_url"]
    if not endpoint:
        names = " or ".join(f"`{name}`" for name in account.variables["base_url"])
        raise ConfigurationError(
            f"`{account.provider}` has no endpoint: pass `azure_endpoint`, or set {names}"
        )
    version = found.values.get("api_version")
    dated = version if version and version not in _UNDATED else None
    root = endpoint_of(endpoint)
    url = root if dated else f"{root}/openai/v1"
    return AzurePlace(url, dialect, account, found, _token(account, found), dated, deployment)


def endpoint_of(url: str) -> str:
    """The resource's address without what people copy behind it."""
    root = clean_url(url.partition("?")[0])
    return _PROJECT.sub("", _TAIL.sub("", root)).rstrip("/")


def _token(account: Credential, found: Resolution) -> Any:
    """The token, if it was found nearer than the key is; a key before a token as near."""
    own: EntraToken | None = getattr(account, "token", None)
    given = found.values.get("azure_ad_token")
    key, token = found.source("api_key"), found.source("azure_ad_token")
    if own is not None and token not in ("argument", "credential"):
        given, token = own, "credential"
    if given is None or ORDER.index(key) <= ORDER.index(token):
        return None
    return given
