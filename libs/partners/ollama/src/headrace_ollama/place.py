"""Where requests to Ollama go, and with which key, if any."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from headrace.errors import ConfigurationError
from headrace.transport import Place
from headrace_ollama.credentials import CLOUD, OllamaCredential

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
PORT = 11434


class OllamaPlace(Place):
    """A server of Ollama's, or its cloud."""

    __slots__ = ()
    credential = OllamaCredential
    suffixes = ("/chat", "/generate", "/api")

    @classmethod
    def cleaned(cls, url: str) -> str:
        """As Ollama's own tools do it, an address may be a host, or a host and a port."""
        return super().cleaned(_full(url))

    @property
    def key(self) -> Any:
        """The key that was given for this server; one of the environment is the cloud's alone."""
        given = self.found.source("api_key") in ("argument", "credential")
        if given or urlsplit(self.url).hostname == CLOUD:
            return self.found.values["api_key"]
        return None


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
