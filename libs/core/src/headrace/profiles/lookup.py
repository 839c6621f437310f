"""From a provider and a model's name to what is known about it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from os import PathLike
from typing import Any

from headrace.profiles.files import (
    Place,
    ProviderData,
    provider_data,
    user_facts,
    user_models,
)
from headrace.profiles.naming import data_id
from headrace.profiles.profile import ModelProfile, lay_over

_unknown: set[tuple[str, str]] = set()


def find_profile(
    provider: str, model: str, *, packages: Place | Iterable[Place] = (), warn: bool = True
) -> ModelProfile:
    """What is known about a model: upstream's facts, ours over them, the user's file over both.

    `packages`: what holds `profiles/<provider>.json`, each an import name (found, not imported) or
    a folder as a path; the first one that has the file counts. A model that the file does not know
    has an empty profile, with one UserWarning per process.
    """
    data = _data(provider, packages)
    found = data.match(model) if data else None
    mine = user_facts(provider, model)
    facts: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if data and found:
        for source, layer in _layers(data, found.model):
            kept = {key: layer[key] for key in layer if key not in found.dropped}
            lay_over(facts, sources, kept, source)
    elif data and mine is None and warn:
        _tell_unknown(provider, model)
    if mine:
        lay_over(facts, sources, mine, "user file")
    return ModelProfile(facts, sources, provider=provider, model=found.model if found else model)


def known_models(provider: str, *, packages: Place | Iterable[Place] = ()) -> list[str]:
    """The models of a provider of which something is known, sorted."""
    data = _data(provider, packages)
    return sorted({*(data.names if data else ()), *user_models(provider)})


def provider_label(provider: str, *, packages: Place | Iterable[Place] = ()) -> str:
    """What people call a provider; its id where no file says it."""
    data = _data(provider, packages)
    return (data.label if data else "") or provider


def _data(provider: str, packages: Place | Iterable[Place]) -> ProviderData | None:
    places = [packages] if isinstance(packages, str | PathLike) else packages
    for place in places:
        if data := provider_data(place, data_id(provider)):
            return data
    return None


def _layers(data: ProviderData, model: str) -> Iterable[tuple[str, dict[str, Any]]]:
    line = data.models[model]
    ours = set(line.get("augmented", ()))
    upstream = {key: line[key] for key in line if key not in ours and key != "augmented"}
    if data.wire or "wire" in upstream:
        upstream["wire"] = {**data.wire, **upstream.get("wire", {})}
    yield data.source, upstream
    yield "augmentations", {key: line[key] for key in line if key in ours}


def _tell_unknown(provider: str, model: str) -> None:
    if (provider, model) in _unknown:
        return
    _unknown.add((provider, model))
    warnings.warn(
        f"nothing is known about model `{model}` of `{provider}`, so nothing is adapted or refused "
        f"for it; pass `profile=` or set HEADRACE_PROFILES to say what it can do",
        UserWarning,
        stacklevel=3,
    )
