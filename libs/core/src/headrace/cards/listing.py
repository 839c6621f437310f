"""The models of a provider as cards: those we know, those it serves now, those a user adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from os import PathLike
from typing import Any, Literal, overload

from headrace.cards.card import Card, EmbeddingModelCard, Kind, ModelCard, card_of
from headrace.cards.folders import Folder, cards_in, own_folders
from headrace.chat_models import Specification
from headrace.credentials import Credential
from headrace.engine.drive import drive
from headrace.engine.worlds import World, async_world, sync_world
from headrace.errors import ConfigurationError, InputError, suggestion
from headrace.profiles import FIELDS, ModelProfile, find_profile, known_models
from headrace.registry import Provider, find_provider

_TEXTS = ("name", "label", "family", "status", "successor", "deprecated_at")
_SIZES = ("context_size", "output_size", "dimensions")
_TYPES = ("input_types", "output_types")
_FILTERS = (*_TEXTS, *_SIZES, *_TYPES)


@overload
def list_models(
    provider: str, *, type: Literal["embedding_model"], **options: Any
) -> list[EmbeddingModelCard]: ...
@overload
def list_models(provider: str, *, type: Kind = ..., **options: Any) -> list[ModelCard]: ...
def list_models(
    provider: str,
    *,
    type: Kind = "chat_model",
    live: bool = False,
    folders: Folder | Iterable[Folder] = (),
    credential: Credential | Mapping[str, Any] | None = None,
    **filters: Any,
) -> Any:
    """The cards of a provider's chat models, or of its embedding models, sorted by name.

    `live` asks the provider which it serves. `folders`: cards of your own, over those of
    HEADRACE_CARDS. Filters are fields of a card (sizes: at least; types: one that is taken, such
    as image/png; texts may hold `*`) or of a profile (`tool_calling=True`).
    """
    return drive(_listed(provider, sync_world(), type, live, folders, credential, filters))


@overload
async def alist_models(
    provider: str, *, type: Literal["embedding_model"], **options: Any
) -> list[EmbeddingModelCard]: ...
@overload
async def alist_models(provider: str, *, type: Kind = ..., **options: Any) -> list[ModelCard]: ...
async def alist_models(
    provider: str,
    *,
    type: Kind = "chat_model",
    live: bool = False,
    folders: Folder | Iterable[Folder] = (),
    credential: Credential | Mapping[str, Any] | None = None,
    **filters: Any,
) -> Any:
    """As `list_models`, for async callers."""
    return await _listed(provider, async_world(), type, live, folders, credential, filters)


async def _listed(
    provider: str,
    io: World,
    kind: Kind,
    live: bool,
    folders: Folder | Iterable[Folder],
    credential: Credential | Mapping[str, Any] | None,
    filters: Mapping[str, Any],
) -> list[Card]:
    checks = [_check(name, wanted) for name, wanted in filters.items()]
    found = find_provider(provider)
    cls = _class_of(found, kind)
    if cls is None:
        return []
    if live:
        names = await _served(_any_model(found, kind, credential), io)
    else:
        names = known_models(found.name, packages=cls.profiles)
    cards = {name: card for name in names if (card := _card(cls, found.name, name))}
    given = [folders] if isinstance(folders, str | PathLike) else folders
    for folder in (*own_folders(), *given):
        cards |= cards_in(folder, found.name, cls)
    chosen = [card for card in cards.values() if all(check(card) for check in checks)]
    return sorted(chosen, key=lambda card: card.name)


def _class_of(provider: Provider, kind: Kind) -> type[Specification] | None:
    """The class of a provider's models of a kind; None if it has no such models."""
    if kind == "embedding_model":
        return provider.find_embeddings_class()
    if kind != "chat_model":
        raise InputError(f"models are of type `chat_model` or `embedding_model`, not {kind!r}")
    cls = provider.find_model_class()
    if cls is None:
        raise ConfigurationError(
            f"`{provider.name}` does not say of which class its models are; "
            "its package must give `Provider(model_class=...)`"
        )
    return cls


def _any_model(provider: Provider, kind: Kind, credential: Any) -> Specification:
    if kind == "embedding_model":
        return provider.make_embeddings(model="any", credential=credential)
    spec = provider.make(model="any", credential=credential).spec
    assert spec is not None
    return spec


async def _served(model: Specification, io: World) -> list[str]:
    try:
        return await model.served_models(io)
    finally:
        if io.is_async:
            await model.aclose()
        else:
            model.close()


def _card(cls: type[Specification], provider: str, name: str) -> Card | None:
    """The card of a model, None if it is known to be of another kind."""
    profile = find_profile(provider, name, packages=cls.profiles, warn=False)
    makes_vectors = "embedding_dimensions" in profile
    if cls.kind == "embedding_model" and not makes_vectors:
        return None
    if cls.kind == "chat_model" and (profile.get("text_outputs") is False or makes_vectors):
        return None
    if profile.model != name:
        profile = ModelProfile(dict(profile), profile.sources, provider=provider, model=name)
    return card_of(cls, profile)


def _check(name: str, wanted: Any) -> Callable[[Card], bool]:
    """The test that a filter makes of each card."""
    if name in _TEXTS:
        pattern = str(wanted)
        return lambda card: fnmatchcase(str(getattr(card, name) or ""), pattern)
    if name in _SIZES:
        return lambda card: (getattr(card, name, None) or 0) >= wanted
    if name in _TYPES:
        asked = [wanted] if isinstance(wanted, str) else list(wanted)
        return lambda card: all(_takes(getattr(card, name), one) for one in asked)
    if name in FIELDS:
        if FIELDS[name].kind == "count":
            return lambda card: (card.profile.get(name) or 0) >= wanted
        return lambda card: bool(card.profile.get(name) == wanted)
    known = (*_FILTERS, *FIELDS)
    raise InputError(f"models are not listed by `{name}`{suggestion(name, known)}")


def _takes(types: tuple[str, ...], asked: str) -> bool:
    return any(fnmatchcase(asked, one) or fnmatchcase(one, asked) for one in types)
