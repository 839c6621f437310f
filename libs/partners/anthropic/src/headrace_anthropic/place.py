"""Where requests to Anthropic go, in whose name, and with which key."""

from __future__ import annotations

from typing import Any

from headrace.credentials import ORDER
from headrace.errors import MissingCredentialError
from headrace.transport import Place, host_of
from headrace_anthropic.credentials import HOME, AnthropicCredential


class AnthropicPlace(Place):
    """Anthropic's API, or a gateway that speaks like it."""

    __slots__ = ()
    credential = AnthropicCredential
    suffixes = ("/messages", "/v1")  # the SDK's own paths begin with /v1

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
