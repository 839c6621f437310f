"""Where requests go and with which key."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from headrace.errors import ConfigurationError, MissingCredentialError, suggestion
from headrace_openai.dialects import DIALECTS, OPENAI, Dialect, dialect_of

_SUFFIXES = ("/chat/completions", "/completions", "/responses")
_NO_KEY = "none"  # the SDK insists on a key; a local server does not look at it


def find_place(base_url: str | None, dialect: str | None) -> tuple[str, Dialect]:
    """(base URL, dialect) from what was given, each deciding the other where it is absent.

    A full endpoint is accepted as base URL. OPENAI_BASE_URL counts only where neither is given.
    """
    if dialect is not None and dialect not in DIALECTS:
        known = ", ".join(f"`{name}`" for name in DIALECTS)
        raise ConfigurationError(
            f"no dialect named `{dialect}`; known: {known}{suggestion(dialect, DIALECTS)}"
        )
    if base_url is None and dialect in (None, OPENAI.id):
        base_url = os.environ.get("OPENAI_BASE_URL") or None
    row = dialect_of(base_url) if dialect is None else DIALECTS[dialect]
    url = base_url or row.base_url
    if not url:
        raise ConfigurationError(f"the dialect `{row.id}` has no address; give `base_url`")
    url = url.rstrip("/")
    for suffix in _SUFFIXES:
        url = url.removesuffix(suffix)
    if urlsplit(url).scheme not in ("http", "https"):
        raise ConfigurationError(f"`base_url` must begin with http:// or https://, not {url!r}")
    return url, row


def find_key(given: Any, dialect: Dialect) -> Any:
    """The key, or the function that gives it: what was given, else from the environment."""
    if given is not None:
        return given.get_secret_value() if hasattr(given, "get_secret_value") else given
    for name in dialect.keys:
        if value := os.environ.get(name):
            return value
    if not dialect.key_required:
        return _NO_KEY
    names = " or ".join(f"`{name}`" for name in dialect.keys)
    raise MissingCredentialError(
        f"no key for `{dialect.id}`: pass `api_key`, or set {names} in the environment"
    )


def host_of(url: str) -> str:
    """The host for messages, without any password in the URL."""
    return urlsplit(url).netloc.rpartition("@")[2]
