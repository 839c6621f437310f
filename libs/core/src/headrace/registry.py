"""The providers of chat models: found by entry point, named, and told apart by model name.

A package registers by an entry point of the group `headrace.providers`, named after the
provider id, that leads to a `Provider`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from typing import Any, cast
from urllib.parse import urlsplit

from headrace.chat_models import Model
from headrace.errors import (
    ConfigurationError,
    MissingPackageError,
    UnknownProviderError,
    suggestion,
)

GROUP = "headrace.providers"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of models: `chat_model` makes one from its parameters, or says where
    ("module:attribute"). `prefixes` claim model names, `hosts` claim base URLs.
    """

    name: str
    chat_model: Callable[..., Model[Any]] | str
    embeddings: Callable[..., Any] | str | None = None
    credential: type[Any] | None = None
    prefixes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    package: str | None = None

    def make(self, **params: Any) -> Model[Any]:
        """A chat model of this provider."""
        maker = self.chat_model
        if isinstance(maker, str):
            module, _, attribute = maker.partition(":")
            maker = getattr(import_module(module), attribute)
        return cast("Callable[..., Model[Any]]", maker)(**params)


OFFLINE = Provider("offline", "headrace.testing.offline:OfflineChatModel", package="headrace")


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """The known providers, aliases and inference rules: `providers.toml` of this package."""
    return tomllib.loads(files("headrace").joinpath("providers.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _installed() -> dict[str, EntryPoint | Provider]:
    found: dict[str, EntryPoint | Provider] = {"offline": OFFLINE}
    for entry in entry_points(group=GROUP):
        found[entry.name] = entry
    return found


def refresh() -> None:
    """Forgets what was found, so that a package installed meanwhile is seen."""
    _installed.cache_clear()
    _loaded.cache_clear()


def installed_providers() -> list[str]:
    """The ids of the providers whose packages are installed, sorted."""
    return sorted(_installed())


@cache
def _loaded(name: str) -> Provider:
    entry = _installed()[name]
    if isinstance(entry, Provider):
        return entry
    provider = entry.load()
    if not isinstance(provider, Provider):
        raise ConfigurationError(
            f"the entry point `{name}` of `{entry.value}` is not a headrace.Provider "
            f"but {provider!r}"
        )
    return provider


def canonical(name: str) -> str:
    """A provider id from an id or alias, in any case and with `-` for `_`."""
    plain = name.lower().replace("-", "_")
    return str(table()["aliases"].get(plain, plain))


def is_provider(name: str) -> bool:
    """Whether a name is a provider, installed or not."""
    known = canonical(name)
    return known in _installed() or known in table()["packages"]


def find_provider(name: str) -> Provider:
    """The provider of this id or alias.

    Raises MissingPackageError with the pip command, or UnknownProviderError with the nearest.
    """
    known = canonical(name)
    if known in _installed():
        return _loaded(known)
    package = table()["packages"].get(known)
    if package is not None:
        raise MissingPackageError(
            f"provider `{known}` needs a package that is not installed: pip install {package}"
        )
    names = {*_installed(), *table()["packages"], *table()["aliases"]}
    raise UnknownProviderError(
        f"no provider named `{name}`; installed: "
        + ", ".join(f"`{one}`" for one in installed_providers())
        + suggestion(known, names)
    )


def infer_provider(model: str) -> str:
    """The provider id that a bare model name belongs to.

    Raises UnknownProviderError, with the candidates, where nobody or several claim it.
    """
    claims = [rule["provider"] for rule in table()["inference"] if re.match(rule["match"], model)]
    if claims and not _is_ambiguous(model):
        return str(claims[0])
    others = sorted(
        name
        for name in _installed()
        if name not in table()["packages"] and model.startswith(_loaded(name).prefixes or "\0")
    )
    if len(others) == 1:
        return others[0]
    candidates = others or _candidates(model)
    told = (
        "it may be any of " + ", ".join(f"`{one}:{model}`" for one in candidates)
        if candidates
        else "say `provider:model`; installed: " + ", ".join(installed_providers())
    )
    raise UnknownProviderError(f"which provider serves model `{model}`? {told}")


def _is_ambiguous(model: str) -> bool:
    return ":" not in model and bool(_candidates(model))


def _candidates(model: str) -> list[str]:
    for rule in table()["ambiguous"]:
        if re.match(rule["match"], model):
            return list(rule["candidates"])
    return []


def provider_of_url(base_url: str) -> str:
    """The provider id whose host this URL has, exactly; a conservative one for others."""
    parts = urlsplit(base_url)
    host = (parts.hostname or "").lower()
    if not host:
        raise ConfigurationError(f"`base_url` is a URL with a host, not {base_url!r}")
    place = parts.netloc.rpartition("@")[2].lower()  # with the port, where there is one
    for name in installed_providers():
        if {host, place} & set(_loaded(name).hosts):
            return name
    return str(table()["unknown_host"])
