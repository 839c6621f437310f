"""catalog(): providers, credentials, models and forms in one JSON document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from headrace.cards.card import Card
from headrace.cards.folders import Folder
from headrace.cards.listing import list_models
from headrace.credentials import credential_schemas
from headrace.profiles import provider_label
from headrace.registry import Provider, find_provider, installed_providers

VERSION = 1


def catalog(
    providers: Iterable[str] | None = None, *, folders: Folder | Iterable[Folder] = ()
) -> dict[str, Any]:
    """What a front end needs to offer models, JSON-safe; of the installed providers, or of these.

    {"version", "providers": [{id, label, package, credential, families}], "credentials": type ->
    schema, "models": [card with `form`], "forms": id -> schema}. Alike forms are there once.
    """
    forms: dict[str, Any] = {}
    models: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    schemas = credential_schemas()
    used: set[str] = set()
    for name in installed_providers() if providers is None else providers:
        provider = find_provider(name)
        row = _row(provider)
        rows.append(row)
        used |= {row["credential"]} - {None}
        for card in _cards(provider, folders):
            form = _id(card.parameter_schema)
            forms.setdefault(form, card.parameter_schema)
            models.append({**card.model_dump(mode="json"), "form": form})
            row["families"].setdefault(card.type, []).append(card.name)
    return {
        "version": VERSION,
        "providers": rows,
        "credentials": {kind: schemas[kind] for kind in sorted(used)},
        "models": models,
        "forms": forms,
    }


def _cards(provider: Provider, folders: Folder | Iterable[Folder]) -> list[Card]:
    chat: list[Card] = []
    if provider.find_model_class() is not None:
        chat += list_models(provider.name, folders=folders)
    return [*chat, *list_models(provider.name, type="embedding_model", folders=folders)]


def _row(provider: Provider) -> dict[str, Any]:
    credential = provider.find_credential()
    return {
        "id": provider.name,
        "label": provider_label(provider.name, packages=provider.profile_packages()),
        "package": provider.package,
        "credential": credential.type_name() if credential is not None else None,
        "families": {},
    }


def _id(form: dict[str, Any]) -> str:
    text = json.dumps(form, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
