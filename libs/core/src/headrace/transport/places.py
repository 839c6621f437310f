"""Where requests go, and in whose name, as found from what was given and the environment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from headrace.credentials import Credential, Resolution, host_owner
from headrace.errors import ConfigurationError
from headrace.transport.urls import check_key_owner, clean_url

if TYPE_CHECKING:
    from headrace.chat_models import Specification


@dataclass(frozen=True, slots=True)
class Place:
    """The address, the account, and where each setting came from.

    A partner says in a subclass which `credential` opens it, by what other provider id the
    account is known `too`, and which `suffixes` of a full endpoint are no part of the address.
    """

    credential: ClassVar[type[Credential]]
    too: ClassVar[str | None] = None
    suffixes: ClassVar[tuple[str, ...]] = ()

    url: str
    account: Credential
    found: Resolution

    @classmethod
    def of(cls, model: Specification) -> Self:
        """A model's, from what it was given, its credential, and the environment."""
        given = model.__dict__
        account = _account_of(cls.credential, given["credential"], type(model).__name__)
        found = account.resolve(base_url=given["base_url"], api_key=given["api_key"])
        return cls(cls.cleaned(found.values["base_url"]), account, found)

    @classmethod
    def cleaned(cls, url: str) -> str:
        """The address in a URL that was given; a full endpoint is accepted."""
        return clean_url(url, cls.suffixes)

    @property
    def key(self) -> Any:
        """The key, or the function that gives it; raises MissingCredentialError without one."""
        key = self.found.require("api_key", self.account.provider)
        check_key_owner(self.found, self.account.provider, self.owner)
        return key

    @property
    def owner(self) -> str | None:
        """The service that the address belongs to, as far as the installed packages know."""
        found = host_owner(self.url)
        return self.account.provider if found is not None and found == self.too else found


def _account_of(own: type[Credential], given: Credential | None, model: str) -> Credential:
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
