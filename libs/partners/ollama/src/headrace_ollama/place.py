"""Where requests to Ollama go, and with which key, if any."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from headrace.credentials import Credential
from headrace.errors import ConfigurationError
from headrace.transport import Place, account_of, clean_url
from headrace_ollama.credentials import CLOUD, OllamaCredential

_SUFFIXES = ("/chat", "/generate", "/api")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
PORT = 11434


class OllamaPlace(Place):
    """A server of Ollama's, or its cloud."""

    __slots__ = ()

    @property
    def key(self) -> Any:
        """The key that was given for this server; one of the environment is the cloud's alone."""
        given = self.found.source("api_key") in ("argument", "credential")
        if given or urlsplit(self.url).hostname == CLOUD:
            return self.found.values["api_key"]
        return None


def find_place(
    base_url: str | None = None, credential: Credential | None = None, **arguments: Any
) -> OllamaPlace:
    """Where requests go, from what was given, the credential, and the environment.

    As Ollama's own tools do it, `base_url` and OLLAMA_HOST may be a host, or a host and a port.
    """
    account = account_of(OllamaCredential, credential, "ChatOllama")
    found = account.resolve(base_url=base_url, **arguments)
    return OllamaPlace(clean_url(_full(found.values["base_url"]), _SUFFIXES), account, found)


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
