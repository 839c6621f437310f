"""The models of a provider as cards: those we know, those it serves now, those a user adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from os import PathLike
from typing import Any

from headrace.cards.card import ModelCard, card_of
from headrace.cards.folders import Folder, cards_in, own_folders
from headrace.chat_models import BaseChatModel, Model
from headrace.credentials import Credential
from headrace.engine.drive import drive
from headrace.engine.worlds import World, async_world, sync_world
from headrace.errors import ConfigurationError, InputError, suggestion
from headrace.profiles import FIELDS, ModelProfile, find_profile, known_models
from headrace.registry import find_provider

_TEXTS = ("name", "label", "family", "status", "successor", "deprecated_at")
_SIZES = ("context_size", "output_size")
_TYPES = ("input_types", "output_types")
_FILTERS = (*_TEXTS, *_SIZES, *_TYPES)


def list_models(
    provider: str,
    *,
    live: bool = False,
    folders: Folder | Iterable[Folder] = (),
    credential: Credential | Mapping[str, Any] | None = None,
    **filters: Any,
) -> list[ModelCard]:
    """The cards of a provider's chat models, sorted by name.

    `live` asks the provider which it serves. `folders`: cards of your own, over those of
    HEADRACE_CARDS. Filters are fields of a card (sizes: at least; types: one that is taken, such
    as image/png; texts may hold `*`) or of a profile (`tool_calling=True`).
    """
    return drive(_listed(provider, sync_world(), live, folders, credential, filters))


async def alist_models(
    provider: str,
    *,
    live: bool = False,
    folders: Folder | Iterable[Folder] = (),
    credential: Credential | Mapping[str, Any] | None = None,
    **filters: Any,
) -> list[ModelCard]:
    """As `list_models`, for async callers."""
    return await _listed(provider, async_world(), live, folders, credential, filters)


async def _listed(
    provider: str,
    io: World,
    live: bool,
    folders: Folder | Iterable[Folder],
    credential: Credential | Mapping[str, Any] | None,
    filters: Mapping[str, Any],
) -> list[ModelCard]:
    checks = [_check(name, wanted) for name, wanted in filters.items()]
    found = find_provider(provider)
    cls = found.find_model_class()
    if cls is None:
        raise ConfigurationError(
            f"`{found.name}` does not say of which class its models are; "
            "its package must give `Provider(model_class=...)`"
        )
    if live:
        names = await _served(found.make(model="any", credential=credential), io)
    else:
        names = known_models(found.name, packages=cls.profiles)
    cards = {name: card for name in names if (card := _card(cls, found.name, name))}
    given = [folders] if isinstance(folders, str | PathLike) else folders
    for folder in (*own_folders(), *given):
        cards |= cards_in(folder, found.name, cls)
    chosen = [card for card in cards.values() if all(check(card) for check in checks)]
    return sorted(chosen, key=lambda card: card.name)


async def _served(model: Model[Any], io: World) -> list[str]:
    assert model.spec is not None
    try:
        return await model.spec.served_models(io)
    finally:
        if io.is_async:
            await model.aclose()
        else:
            model.close()


def _card(cls: type[BaseChatModel], provider: str, name: str) -> ModelCard | None:
    """The card of a model, None if it is known to be no chat model."""
    profile = find_profile(provider, name, packages=cls.profiles, warn=False)
    if profile.get("text_outputs") is False or "embedding_dimensions" in profile:
        return None
    if profile.model != name:
        profile = ModelProfile(dict(profile), profile.sources, provider=provider, model=name)
    return card_of(cls, profile)


def _check(name: str, wanted: Any) -> Callable[[ModelCard], bool]:
    """The test that a filter makes of each card."""
    if name in _TEXTS:
        pattern = str(wanted)
        return lambda card: fnmatchcase(str(getattr(card, name) or ""), pattern)
    if name in _SIZES:
        return lambda card: (getattr(card, name) or 0) >= wanted
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
