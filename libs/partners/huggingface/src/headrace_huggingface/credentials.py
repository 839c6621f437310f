"""The account at Hugging Face, and where requests in its name go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from headrace.credentials import Credential
from headrace.transport import Place, check_key_owner, clean_url

ROUTER = "https://router.huggingface.co/v1"
_ENDPOINT = "/chat/completions"
# Hugging Face's own hosts, and those where it runs what its users deploy.
_OWN = (".huggingface.co", ".huggingface.cloud", ".hf.space", ".hf.co")


class HuggingFaceCredential(Credential):
    """An account at Hugging Face, or the address of a server that speaks its API.

    A token that was found in the environment goes to Hugging Face's hosts alone.
    """

    provider: ClassVar[str] = "huggingface"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("HUGGINGFACEHUB_API_TOKEN", "HF_TOKEN"),
    }
    defaults: ClassVar[Mapping[str, str]] = {"base_url": ROUTER}

    type: Literal["huggingface_credential"] = "huggingface_credential"


class HubPlace(Place):
    """A host of Hugging Face's, or a server of the user's."""

    __slots__ = ()
    credential = HuggingFaceCredential

    @classmethod
    def cleaned(cls, url: str) -> str:
        """The root of the API at an address: endpoints are named without /v1, as their page does.

        Source: `_build_chat_completion_url` of huggingface_hub 2.4 (read 2026-11)
        """
        url = clean_url(url)
        if url.endswith(_ENDPOINT):
            return url.removesuffix(_ENDPOINT)
        return url if url.endswith("/v1") else f"{url}/v1"

    @property
    def key(self) -> Any:
        """The token, or the function that gives it; None where a server of the user's needs none.

        Raises MissingCredentialError without one for Hugging Face's hosts.
        """
        if is_own(self.url):
            return self.found.require("api_key", self.account.provider)
        if self.found.source("api_key") not in ("argument", "credential"):
            return None
        check_key_owner(self.found, self.account.provider, self.owner)
        return self.found.values["api_key"]


def is_own(url: str) -> bool:
    """Whether a URL leads to a host of Hugging Face's."""
    host = (urlsplit(url).hostname or "").lower()
    return urlsplit(url).scheme == "https" and f".{host}".endswith(_OWN)
