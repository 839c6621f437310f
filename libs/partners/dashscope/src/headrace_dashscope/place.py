"""Where requests to DashScope go, and with which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headrace.credentials import Credential, Resolution, host_owner
from headrace.errors import ConfigurationError
from headrace.transport import check_key_owner, clean_url
from headrace_dashscope.credentials import DashScopeCredential

TEXT = "/services/aigc/text-generation/generation"
MULTIMODAL = "/services/aigc/multimodal-generation/generation"
MODELS = "/models"

_ROOT = "/api/v1"
_SUFFIXES = (TEXT, MULTIMODAL, "/chat/completions", "/compatible-mode/v1", _ROOT)
# The same account under the name of its OpenAI mode, whose rows claim the hosts.
_OWN = (None, "dashscope", "dashscope_openai")


@dataclass(frozen=True, slots=True)
class Place:
    """The root of the native API, the account, and where each setting came from."""

    url: str
    account: Credential
    found: Resolution

    @property
    def key(self) -> Any:
        """The key, or the function that gives it; MissingCredentialError if there is none."""
        owner = host_owner(self.url)
        if owner not in _OWN:
            check_key_owner(self.found, self.account.provider, owner)
        return self.found.require("api_key", self.account.provider)


def find_place(
    base_url: str | None = None, credential: Credential | None = None, **arguments: Any
) -> Place:
    """Where requests go, from what was given, the credential, and the environment.

    A URL may be that of the host, of its OpenAI mode, or of an endpoint.
    """
    account = DashScopeCredential() if credential is None else credential
    if account.provider != DashScopeCredential.provider:
        raise ConfigurationError(
            f"a `{account.type}` does not open DashScope; pass a "
            f"`{DashScopeCredential.type_name()}`"
        )
    found = account.resolve(base_url=base_url, **arguments)
    return Place(clean_url(found.values["base_url"], _SUFFIXES) + _ROOT, account, found)
