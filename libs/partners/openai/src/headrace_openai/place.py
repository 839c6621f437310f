"""Where requests go, in whose name, with which key, and how the service there speaks.

The account decides which environment variables count, and is never guessed from a part of a
URL: a credential names it, or a dialect, or the URL's exact host. Nobody's host is no account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from headrace.credentials import Credential, Resolution, host_owner
from headrace.errors import ConfigurationError, suggestion
from headrace.transport import check_key_owner, clean_url
from headrace_openai.credentials import CREDENTIALS, own_credential
from headrace_openai.dialects import COMPATIBLE, DIALECTS, OPENAI, Dialect, dialect_of

_SUFFIXES = ("/chat/completions", "/embeddings", "/completions", "/responses")
NO_KEY = "none"  # the SDK insists on a key; a local server does not look at it


@dataclass(frozen=True, slots=True)
class Place:
    """The address, the dialect spoken there, the account, and where each setting came from."""

    url: str
    dialect: Dialect
    account: Credential
    found: Resolution
    # What deployments in Azure have besides.
    api_version: ClassVar[str | None] = None
    deployment: ClassVar[str | None] = None
    is_token: ClassVar[bool] = False

    @property
    def key(self) -> Any:
        """The key, or the function that gives it; raises MissingCredentialError if needed."""
        origin = self.found.origins["api_key"]
        if self.found.values["api_key"] is not None:
            check_key_owner(self.found, self.account.provider, _owner(self.url))
            return self.found.values["api_key"]
        needed = self.dialect.key_required or "variable" in origin
        return self.found.require("api_key", self.account.provider) if needed else NO_KEY

    def sent(self, name: str) -> str | None:
        """A setting that belongs to OpenAI's account: told to others only if given for them."""
        if self.dialect is OPENAI or self.found.source(name) in ("argument", "credential"):
            value: str | None = self.found.values.get(name)
            return value
        return None


def find_place(
    base_url: str | None = None,
    dialect: str | None = None,
    credential: Credential | None = None,
    **arguments: Any,
) -> Place:
    """Where requests go, from what was given, the credential, and the environment.

    A full endpoint is accepted as base URL. OPENAI_BASE_URL counts for OpenAI's account only.
    """
    named = _named(dialect)
    account = _account(base_url, named, credential)
    found = account.resolve(base_url=base_url, **arguments)
    url = found.values["base_url"]
    if not url:
        raise ConfigurationError(f"`{account.provider}` has no address; give `base_url`")
    return Place(clean_url(url, _SUFFIXES), named or _spoken(account, url), account, found)


def find_dialect(
    base_url: str | None = None,
    dialect: str | None = None,
    credential: Credential | None = None,
    **_: Any,
) -> Dialect:
    """The dialect of `find_place`, without a look at the other settings: a request asks often."""
    named = _named(dialect)
    account = _account(base_url, named, credential)
    return named or _spoken(account, account.look_up("base_url", base_url))


def _named(dialect: str | None) -> Dialect | None:
    if dialect is None or dialect in DIALECTS:
        return None if dialect is None else DIALECTS[dialect]
    known = ", ".join(f"`{name}`" for name in DIALECTS)
    raise ConfigurationError(
        f"no dialect named `{dialect}`; known: {known}{suggestion(dialect, DIALECTS)}"
    )


def _account(
    base_url: str | None, row: Dialect | None, credential: Credential | None
) -> Credential:
    if credential is None:
        return own_credential(row or dialect_of(base_url))
    whose = credential.provider
    if whose not in CREDENTIALS:
        raise ConfigurationError(
            f"a `{credential.type}` does not open what ChatOpenAI speaks to; it takes: "
            + ", ".join(f"`{kind.type_name()}`" for kind in CREDENTIALS.values())
        )
    if row is not None and row.key_required and row.id != whose and whose != COMPATIBLE.id:
        raise ConfigurationError(
            f"a `{credential.type}` does not open `{row.id}`; pass a "
            f"`{CREDENTIALS[row.id].type_name()}`"
        )
    return credential


def _spoken(account: Credential, url: str | None) -> Dialect:
    """The dialect where none is named: by the exact host, or as the account's service does."""
    if account.provider in (OPENAI.id, COMPATIBLE.id):
        return dialect_of(url)
    return DIALECTS[account.provider]


def _owner(url: str) -> str | None:
    """The service that a URL's host belongs to, here or in another installed package."""
    row = dialect_of(url)
    return host_owner(url) if row is COMPATIBLE else row.id


def key_variable(arguments: Mapping[str, Any]) -> str | None:
    """The environment variable in which the key of such a model is looked for."""
    try:
        account = find_place(**arguments).account
    except ConfigurationError:
        return None
    return next(iter(account.variables.get("api_key", ())), None)
