"""Addresses of services: cleaned, and held to the account that they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from headrace.credentials import ORDER, Resolution, masked
from headrace.errors import ConfigurationError

_HOSTILE = re.compile(r"[\s\\\x00-\x1f\x7f]")  # where parsers of URLs see different hosts


def clean_url(url: str, suffixes: Iterable[str] = ()) -> str:
    """A base URL without slash at its end, and without the first of these endpoints that it has.

    Raises ConfigurationError for what is no HTTP URL, or reads differently to different parsers.
    """
    if _HOSTILE.search(url) or urlsplit(url).scheme not in ("http", "https"):
        raise ConfigurationError(
            "`base_url` must begin with http:// or https:// and have no spaces; "
            f"found {masked(url)!r}"
        )
    url = url.rstrip("/")
    for suffix in suffixes:
        url = url.removesuffix(suffix)
    return url


def host_of(url: str) -> str:
    """The host for messages, without any password in the URL."""
    return urlsplit(url).netloc.rpartition("@")[2]


def check_key_owner(found: Resolution, account: str, owner: str | None) -> None:
    """Raises ConfigurationError if the key found belongs to another than the host's `owner`.

    Whoever gave the URL may have given the key with it; one found further away is not his.
    """
    asked, own = found.source("base_url"), found.source("api_key")
    if ORDER.index(own) <= ORDER.index(asked) or owner in (None, account):
        return
    raise ConfigurationError(
        f"`base_url` is a host of `{owner}`, and the key found ({own}) is that of "
        f"`{account}`; pass `api_key`, or the credential of `{owner}`"
    )
