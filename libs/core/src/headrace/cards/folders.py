"""Cards of your own, one a file, in a folder: .toml, .json, and .yaml where PyYAML is there."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from headrace.cards.card import CARDS, Card, CardError, card_of, facts_said
from headrace.cards.forms import parameter_names
from headrace.chat_models import Specification
from headrace.errors import MissingPackageError, faults, suggestion
from headrace.profiles import ModelProfile, ProfileError, find_profile
from headrace.registry import canonical

Folder = str | os.PathLike[str]
VARIABLE = "HEADRACE_CARDS"
SUFFIXES = (".toml", ".json", ".yaml", ".yml")


def own_folders() -> list[str]:
    """The folders of this process's cards: HEADRACE_CARDS, as PATH is written."""
    found = [one for one in os.environ.get(VARIABLE, "").split(os.pathsep) if one]
    for folder in found:
        if not Path(folder).is_dir():
            raise CardError(f"no folder of cards at {folder!r} ({VARIABLE})")
    return found


def cards_in(folder: Folder, provider: str, cls: type[Specification]) -> dict[str, Card]:
    """The cards of one provider in a folder, by name; others, and of other types, are passed over.

    A card says what differs: over a model we know, what it does not say stays. Raises CardError
    naming file and field.
    """
    root = Path(folder)
    if not root.is_dir():
        raise CardError(f"no folder of cards at {os.fspath(folder)!r}")
    found: dict[str, Card] = {}
    paths: dict[str, Path] = {}
    for path in sorted(one for one in root.iterdir() if one.suffix in SUFFIXES):
        data = _checked(_read(path), path, cls)
        if data.pop("type", "chat_model") != cls.kind:
            continue
        if canonical(data.pop("provider", provider)) != provider:
            continue
        name = data["name"]
        if name in found:
            raise CardError(f"{path}: `name`: {name!r} is the name in {paths[name]} too")
        found[name], paths[name] = _card(data, path, provider, cls), path
    return found


def _card(data: dict[str, Any], path: Path, provider: str, cls: type[Specification]) -> Card:
    known = find_profile(provider, data["name"], packages=cls.profiles, warn=False)
    base = ModelProfile(dict(known), known.sources, provider=provider, model=data["name"])
    try:
        card_of(cls, base, data)  # what is wrong is told by the card's own fields
        return card_of(cls, base.overridden(facts_said(data), f"card {path}"), data)
    except ValidationError as error:
        raise CardError(f"{path}: {faults(error)}") from None
    except ProfileError as error:
        raise CardError(str(error)) from None


def _checked(data: Any, path: Path, cls: type[Specification]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise CardError(f"{path}: a card is a table of fields, not {type(data).__name__}")
    kind = data.get("type", "chat_model")
    if kind not in CARDS:
        raise CardError(f"{path}: `type`: one of {', '.join(CARDS)} is needed, not {kind!r}")
    known = CARDS[kind].model_fields
    for field in data:
        if field not in known:
            near = suggestion(str(field), known)
            raise CardError(f"{path}: `{field}`: a card has no such field{near}")
    for field in ("name", "provider"):
        if field in data or field == "name":
            value = data.get(field)
            if not isinstance(value, str) or not value:
                raise CardError(f"{path}: `{field}`: a text is needed, not {value!r}")
    card: dict[str, Any] = dict(data)
    if "parameter_overrides" in card and kind == cls.kind:
        card["parameter_overrides"] = _overrides(card["parameter_overrides"], path, cls)
    return card


def _overrides(given: Any, path: Path, cls: type[Specification]) -> dict[str, Any]:
    """TOML has no null: false stands for it."""
    if not isinstance(given, Mapping):
        raise CardError(f"{path}: `parameter_overrides`: a table is needed, not {given!r}")
    known = parameter_names(cls)
    overrides: dict[str, Any] = {}
    for name, change in given.items():
        where = f"{path}: `parameter_overrides.{name}`"
        if name not in known:
            raise CardError(
                f"{where}: {cls.__name__} has no such parameter{suggestion(str(name), known)}"
            )
        if change is not None and change is not False and not isinstance(change, Mapping):
            raise CardError(f"{where}: a table, or null (false in TOML), not {change!r}")
        overrides[name] = None if change is False else change
    return overrides


def _read(path: Path) -> Any:
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".toml":
            return tomllib.loads(text)
        if path.suffix == ".json":
            return json.loads(text)
    except (OSError, ValueError) as error:
        raise CardError(f"{path} cannot be read: {error}") from error
    return _read_yaml(path, text)


def _read_yaml(path: Path, text: str) -> Any:
    try:
        yaml = import_module("yaml")
    except ImportError:
        raise MissingPackageError(
            f"{path}: cards in YAML need PyYAML: pip install 'headrace[yaml]'"
        ) from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CardError(f"{path} cannot be read: {error}") from error
