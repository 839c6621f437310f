"""Who asks Bedrock and where: settings as resolved for one request. Pure: no SDK, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from headrace.credentials import ORDER, Resolution
from headrace.errors import ConfigurationError
from headrace.transport import clean_url, host_of

_SUFFIXES = ("/converse", "/converse-stream")
KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "profile_name")
_GIVEN = ("argument", "credential")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Account:
    """How requests are signed and where they go.

    `token`: the Bedrock API key, or the function that gives it; None where requests are signed
    with access keys. `explicit`: keys or a profile were given, so no key of the environment
    may stand in for them.
    """

    found: Resolution
    token: Any
    explicit: bool

    def given(self, name: str) -> Any:
        """A setting that was given by argument or credential; boto3 finds the others itself."""
        return self.found.values.get(name) if self.found.source(name) in _GIVEN else None

    @property
    def region(self) -> str | None:
        value: str | None = self.found.values.get("region_name")
        return value

    @property
    def url(self) -> str | None:
        """The address that was given, without the endpoint's own path."""
        url = self.given("base_url")
        return None if url is None else clean_url(_root(str(url)))

    @property
    def host(self) -> str:
        """The host for messages."""
        if self.url is not None:
            return host_of(self.url)
        return f"bedrock-runtime.{self.region or '(no region)'}.amazonaws.com"

    def check_token(self) -> None:
        """Raises ConfigurationError where an API key would go out unencrypted."""
        url = urlsplit(self.url or "https:")
        if self.token is not None and url.scheme == "http" and url.hostname not in _LOOPBACK:
            raise ConfigurationError(
                f"a Bedrock API key goes out by https only; `base_url` is http://{url.hostname}"
            )


def find_account(found: Resolution) -> Account:
    """The account that resolved settings name: the nearer of API key and access keys counts."""
    token, near = found.values.get("api_key"), _place(found, ["api_key"])
    keys = _place(found, KEYS)
    if near == keys and near < ORDER.index("environment"):
        raise ConfigurationError(
            "both a Bedrock API key and access keys or a profile were given; give one of them"
        )
    if token is not None and near > keys:
        token = None
    secret, key = found.values.get("aws_secret_access_key"), found.values.get("aws_access_key_id")
    if token is None and keys < ORDER.index("environment") and (secret is None) != (key is None):
        raise ConfigurationError("give `aws_access_key_id` and `aws_secret_access_key` together")
    return Account(found, token, keys < ORDER.index("environment"))


def _place(found: Resolution, names: Iterable[str]) -> int:
    """How near the nearest of these settings was found: a place in ORDER."""
    return min(ORDER.index(found.source(name)) for name in names)


def _root(url: str) -> str:
    """A URL without the path of an endpoint: /model/…/converse."""
    for suffix in _SUFFIXES:
        if url.endswith(suffix) and "/model/" in url:
            return url.rpartition("/model/")[0]
    return url
