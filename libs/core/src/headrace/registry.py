"""The providers of models: found by entry point, named, and told apart by model name.

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
from typing import Any, cast
from urllib.parse import urlsplit

from headrace.chat_models import BaseChatModel, Model
from headrace.credentials import Credential
from headrace.deferred import metadata, resources
from headrace.embeddings import Embeddings
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
    ("module:attribute"), as `embeddings` and `credential` do. `prefixes` claim model names,
    `hosts` claim base URLs. `model_class`, `embeddings_class`: the class whose fields make forms,
    where what makes the model is a function.
    """

    name: str
    chat_model: Callable[..., Model[Any]] | str
    embeddings: Callable[..., Embeddings] | str | None = None
    credential: type[Credential] | str | None = None
    prefixes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    package: str | None = None
    model_class: type[BaseChatModel] | str | None = None
    embeddings_class: type[Embeddings] | str | None = None

    def make(self, **params: Any) -> Model[Any]:
        """A chat model of this provider."""
        return cast("Callable[..., Model[Any]]", _imported(self.chat_model))(**params)

    def make_embeddings(self, **params: Any) -> Embeddings:
        """An embedding model of this provider; ConfigurationError if it has none."""
        make = _imported(self.embeddings)
        if make is None:
            having = [name for name in installed_providers() if _loaded(name).embeddings]
            raise ConfigurationError(
                f"`{self.name}` has no embedding models here; installed and having some: "
                + ", ".join(f"`{name}`" for name in having)
            )
        return cast("Callable[..., Embeddings]", make)(**params)

    def find_embeddings_class(self) -> type[Embeddings] | None:
        """The class of its embedding models; None where it has none, or only a function."""
        found = _imported(self.embeddings_class or self.embeddings)
        return found if isinstance(found, type) and issubclass(found, Embeddings) else None

    def find_model_class(self) -> type[BaseChatModel] | None:
        """The class of its chat models; None where only a function makes them."""
        found = _imported(self.model_class or self.chat_model)
        return found if isinstance(found, type) and issubclass(found, BaseChatModel) else None

    def profile_packages(self) -> tuple[str, ...]:
        """The packages that hold facts about its models, by import name."""
        cls = self.find_model_class()
        if cls is not None:
            return cls.profiles
        return (self.package.replace("-", "_"),) if self.package else ()

    def find_credential(self) -> type[Credential] | None:
        """Its kind of credential, if it has one."""
        return cast("type[Credential] | None", _imported(self.credential))


def _imported(value: Any) -> Any:
    """What "module:attribute" names; anything else as it is."""
    if not isinstance(value, str):
        return value
    module, _, attribute = value.partition(":")
    return getattr(import_module(module), attribute)


OFFLINE = Provider(
    "offline",
    "headrace.testing.offline:OfflineChatModel",
    "headrace.testing.vectors:OfflineEmbeddings",
    package="headrace",
)


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """The known providers, aliases and inference rules: `providers.toml` of this package."""
    return tomllib.loads(resources.files("headrace").joinpath("providers.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _installed() -> dict[str, metadata.EntryPoint | Provider]:
    found: dict[str, metadata.EntryPoint | Provider] = {"offline": OFFLINE}
    for entry in metadata.entry_points(group=GROUP):
        found[entry.name] = entry
    return found


def refresh() -> None:
    """Forgets what was found, so that a package installed meanwhile is seen."""
    _installed.cache_clear()
    _loaded.cache_clear()
    credential_types.cache_clear()
    host_owner.cache_clear()


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


@cache
def credential_types() -> dict[str, type[Credential]]:
    """The kinds of credentials of the installed providers, by their `type`, sorted."""
    found: dict[str, type[Credential]] = {}
    for name in installed_providers():
        kind = _loaded(name).find_credential()
        if kind is not None:
            found.setdefault(kind.type_name(), kind)
    return dict(sorted(found.items()))


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
    claims = _claims(model)
    if claims and claims[0].get("tagged"):
        _refuse_misspelt_provider(model)
    if claims and not _is_ambiguous(model):
        return str(claims[0]["provider"])
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


def _claims(model: str) -> list[Mapping[str, Any]]:
    return [rule for rule in table()["inference"] if re.match(rule["match"], model)]


def _refuse_misspelt_provider(model: str) -> None:
    """UnknownProviderError for `opnai:gpt-5`: no server's tag is named like that."""
    head, _, tail = model.partition(":")
    theirs = _claims(tail)
    if not theirs:
        return
    meant, tagged = f"{theirs[0]['provider']}:{tail}", f"{_claims(model)[0]['provider']}:{model}"
    raise UnknownProviderError(
        f"no provider named `{head}`; say `{meant}`, or `{tagged}` if that is a tag"
    )


def _is_ambiguous(model: str) -> bool:
    return ":" not in model and bool(_candidates(model))


def _candidates(model: str) -> list[str]:
    for rule in table()["ambiguous"]:
        if re.match(rule["match"], model):
            return list(rule["candidates"])
    return []


def provider_of_url(base_url: str) -> str:
    """The provider id whose host this URL has, exactly; a conservative one for others."""
    return host_owner(base_url) or str(table()["unknown_host"])


@lru_cache(maxsize=256)  # each request asks, and a program has few addresses
def host_owner(base_url: str) -> str | None:
    """The provider id whose host this URL has, exactly; None for nobody's."""
    parts = urlsplit(base_url)
    host = (parts.hostname or "").lower()
    if not host:
        raise ConfigurationError(f"`base_url` is a URL with a host, not {base_url!r}")
    place = parts.netloc.rpartition("@")[2].lower()  # with the port, where there is one
    for name in installed_providers():
        if {host, place} & set(_loaded(name).hosts):
            return name
    return cast("str | None", table()["hosts"].get(host))
