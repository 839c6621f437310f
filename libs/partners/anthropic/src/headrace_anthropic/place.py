"""Where requests to Anthropic go, in whose name, and with which key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from headrace.credentials import ORDER, Credential, Resolution, host_owner
from headrace.errors import ConfigurationError, MissingCredentialError
from headrace.transport import check_key_owner, clean_url, host_of
from headrace_anthropic.credentials import HOME, AnthropicCredential

_SUFFIXES = ("/messages", "/v1")  # the SDK's own paths begin with /v1


@dataclass(frozen=True, slots=True)
class Place:
    """The address, the account, and where each setting came from."""

    url: str
    account: Credential
    found: Resolution

    @property
    def own(self) -> bool:
        """Whether it is Anthropic itself."""
        return host_of(self.url) == host_of(HOME)

    @property
    def key(self) -> Any:
        """The key, or the function that gives it; raises MissingCredentialError without one.

        A key of the environment stays with Anthropic, or with the address beside it there.
        """
        key = self.found.require("api_key", self.account.provider)
        check_key_owner(self.found, self.account.provider, host_owner(self.url))
        asked, own = self.found.source("base_url"), self.found.source("api_key")
        if not self.own and ORDER.index(own) > ORDER.index(asked):
            raise MissingCredentialError(
                f"`base_url` is a host that is not Anthropic's, and the key found ({own}) may be "
                "meant for Anthropic alone; pass `api_key`"
            )
        return key


def find_place(
    base_url: str | None = None, credential: Credential | None = None, **arguments: Any
) -> Place:
    """Where requests go, from what was given, the credential, and the environment.

    A full endpoint is accepted as base URL.
    """
    account = own_account() if credential is None else credential
    if account.provider != AnthropicCredential.provider:
        raise ConfigurationError(
            f"a `{account.type}` does not open what ChatAnthropic speaks to; pass an "
            f"`{AnthropicCredential.type_name()}`"
        )
    found = account.resolve(base_url=base_url, **arguments)
    return Place(clean_url(found.values["base_url"], _SUFFIXES), account, found)


@cache
def own_account() -> Credential:
    """What the environment says of an account."""
    return AnthropicCredential()
