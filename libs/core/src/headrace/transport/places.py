"""Where requests go, and in whose name, as found from what was given and the environment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from headrace.credentials import Credential, Resolution, host_owner
from headrace.errors import ConfigurationError
from headrace.transport.urls import check_key_owner


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
        check_key_owner(self.found, self.account.provider, self.owner)
        return key

    @property
    def owner(self) -> str | None:
        """The service that the address belongs to, as far as the installed packages know."""
        return host_owner(self.url)


def account_of(own: type[Credential], given: Credential | None, model: str) -> Credential:
    """The account that was given, else what the environment says of one's own.

    Raises ConfigurationError for that of another provider; `model`: who wants to know.
    """
    if given is None:
        return _unnamed(own)
    if given.provider != own.provider:
        raise ConfigurationError(
            f"a `{given.type}` does not open what {model} speaks to; pass a `{own.type_name()}`"
        )
    return given


@cache  # classes: there are few and they stay
def _unnamed(own: Any) -> Credential:
    account: Credential = own()
    return account
