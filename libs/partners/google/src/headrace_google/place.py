"""Where requests go and in whose name: the Gemini API, or a project of Vertex AI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from headrace.credentials import Credential, Resolution, host_owner
from headrace.errors import ConfigurationError
from headrace.transport import check_key_owner, clean_url, host_of
from headrace_google.credentials import KINDS

VERTEX = "google_vertexai"
# What may follow the host in a base URL that somebody copied from an example.
_VERSION = re.compile(
    r"/(v\d+(?:(?:alpha|beta)\d*)?)(?:/(?:models|tunedModels|projects|publishers)/.*)?$"
)
_SETTINGS = ("api_key", "base_url", "api_version", "project", "location", "credentials")


@dataclass(frozen=True, slots=True)
class Place:
    """The account, and where each of its settings came from."""

    provider: str
    found: Resolution

    @property
    def vertex(self) -> bool:
        return self.provider == VERTEX

    @property
    def url(self) -> str | None:
        """The address without its version; None where Vertex AI's follows from the location."""
        url = self.found.values.get("base_url")
        return _VERSION.sub("", clean_url(url)) if url else None

    @property
    def version(self) -> str | None:
        """The version of the API that was asked for; None for the SDK's own choice."""
        given: str | None = self.found.values.get("api_version")
        said = _VERSION.search((self.found.values.get("base_url") or "").rstrip("/"))
        return given or (said[1] if said else None)

    @property
    def host(self) -> str:
        """For messages."""
        if self.url:
            return host_of(self.url)
        location = self.location or "global"
        at = "" if location == "global" or self.key is not None else f"{location}-"
        return f"{at}aiplatform.googleapis.com"

    @property
    def project(self) -> str | None:
        """What was given, else that of credentials that know theirs, such as a service account."""
        found: str | None = self.found.values.get("project")
        return found or getattr(self.credentials, "project_id", None)

    @property
    def location(self) -> str | None:
        found: str | None = self.found.values.get("location")
        return found

    @property
    def credentials(self) -> Any:
        """The google-auth credentials that were given; None for those of the environment."""
        return self.found.values.get("credentials")

    @property
    def key(self) -> Any:
        """The key, or the function that gives it; None for Vertex AI with credentials.

        Raises MissingCredentialError for the Gemini API without one.
        """
        key = self.found.values.get("api_key")
        if self.vertex:
            return key if self._express() else None
        if key is None:
            return self.found.require("api_key", self.provider)
        self._check_owner()
        return key

    def _express(self) -> bool:
        """Whether the key stands for the project: it was given, or there is nothing else."""
        if self.found.values.get("api_key") is None:
            return False
        given = self.found.source("api_key") in ("argument", "credential")
        return given or (self.project is None and self.credentials is None)

    def _check_owner(self) -> None:
        url = self.url or ""
        owner = None if "googleapis.com" in host_of(url) else host_owner(url)
        check_key_owner(self.found, self.provider, owner)


def find_place(provider: str, credential: Credential | None = None, **arguments: Any) -> Place:
    """Where requests go, from what was given, the credential, and the environment."""
    account = credential or own_credential(provider)
    if account.provider != provider:
        wanted = KINDS[provider].type_name()
        raise ConfigurationError(
            f"a `{account.type}` does not open `{provider}`; it takes a `{wanted}`"
        )
    known = {name: arguments[name] for name in _SETTINGS if arguments.get(name) is not None}
    return Place(provider, account.resolve(**known))


@cache
def own_credential(provider: str) -> Credential:
    """What the environment says of an account."""
    kind: Any = KINDS[provider]
    credential: Credential = kind()
    return credential
