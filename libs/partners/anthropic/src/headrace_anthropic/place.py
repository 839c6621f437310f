"""Where requests to Anthropic go, in whose name, and with which key."""

from __future__ import annotations

from typing import Any

from headrace.credentials import ORDER, Credential
from headrace.errors import MissingCredentialError
from headrace.transport import Place, account_of, clean_url, host_of
from headrace_anthropic.credentials import HOME, AnthropicCredential

_SUFFIXES = ("/messages", "/v1")  # the SDK's own paths begin with /v1


class AnthropicPlace(Place):
    """Anthropic's API, or a gateway that speaks like it."""

    __slots__ = ()

    @property
    def own(self) -> bool:
        """Whether it is Anthropic itself."""
        return host_of(self.url) == host_of(HOME)

    @property
    def key(self) -> Any:
        """As of any place; a key of the environment stays with Anthropic, or the address there."""
        key = super().key
        asked, own = self.found.source("base_url"), self.found.source("api_key")
        if not self.own and ORDER.index(own) > ORDER.index(asked):
            raise MissingCredentialError(
                f"`base_url` is a host that is not Anthropic's, and the key found ({own}) may be "
                "meant for Anthropic alone; pass `api_key`"
            )
        return key


def find_place(
    base_url: str | None = None, credential: Credential | None = None, **arguments: Any
) -> AnthropicPlace:
    """Where requests go, from what was given, the credential, and the environment.

    A full endpoint is accepted as base URL.
    """
    account = account_of(AnthropicCredential, credential, "ChatAnthropic")
    found = account.resolve(base_url=base_url, **arguments)
    return AnthropicPlace(clean_url(found.values["base_url"], _SUFFIXES), account, found)
