"""Where requests to Ollama go, and with which key, if any."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from headrace.credentials import Credential, Resolution
from headrace.errors import ConfigurationError
from headrace.transport import clean_url
from headrace_ollama.credentials import CLOUD, OllamaCredential

_SUFFIXES = ("/chat", "/generate", "/api")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
PORT = 11434


@dataclass(frozen=True, slots=True)
class Place:
    """The address, the account, and where each setting came from."""

    url: str
    account: Credential
    found: Resolution

    @property
    def key(self) -> Any:
        """The key that was given for this server; one of the environment is the cloud's alone."""
        given = self.found.source("api_key") in ("argument", "credential")
        if given or urlsplit(self.url).hostname == CLOUD:
            return self.found.values["api_key"]
        return None


def find_place(
    base_url: str | None = None, credential: Credential | None = None, **arguments: Any
) -> Place:
    """Where requests go, from what was given, the credential, and the environment.

    As Ollama's own tools do it, `base_url` and OLLAMA_HOST may be a host, or a host and a port.
    """
    account = OllamaCredential() if credential is None else credential
    if account.provider != OllamaCredential.provider:
        raise ConfigurationError(
            f"a `{account.type}` does not open Ollama; pass an `{OllamaCredential.type_name()}`"
        )
    found = account.resolve(base_url=base_url, **arguments)
    return Place(clean_url(_full(found.values["base_url"]), _SUFFIXES), account, found)


def _full(url: str) -> str:
    """A URL with scheme, host and port, of what may be less."""
    if not _SCHEME.match(url):
        url = f"http://{url}"
        parts = urlsplit(url)
        try:
            if parts.port is None:
                url = url.replace(parts.netloc, f"{parts.netloc}:{PORT}", 1)
        except ValueError:
            raise ConfigurationError(f"`base_url` has no port that can be read: {url!r}") from None
    # A server listens on all addresses; a client asks its own machine.
    return url.replace("//0.0.0.0", "//127.0.0.1", 1)
