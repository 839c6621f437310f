"""The data files of providers: found in a package or a folder, opened once, on first use."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, cast

from headrace.profiles.errors import ProfileError
from headrace.profiles.fields import checked
from headrace.profiles.naming import spellings, tag_parts, undated, unnumbered

FOLDER = "profiles"
OPENING = '{\n"provider": {'  # how every data file begins
USER_FILE = "HEADRACE_PROFILES"

Place = str | os.PathLike[str]

_loaded: dict[tuple[str, str], ProviderData | None] = {}
_user: dict[str, tuple[tuple[int, int], Mapping[str, Any]]] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Match:
    """A model found: its id in the file, and the facts that do not hold for the asked name."""

    model: str
    dropped: frozenset[str] = frozenset()


class ProviderData:
    """One provider's file. A model's line holds its facts; `augmented` names those of ours."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.source: str = content["source"]
        self.label: str = content["provider"].get("name", "")
        self.wire: Mapping[str, str] = content["provider"].get("wire", {})
        self.models: Mapping[str, dict[str, Any]] = content["models"]
        self._families: bool = content["provider"].get("families", False)
        self._aliases: dict[str, str] = {}
        self._dated: dict[str, tuple[str, str]] = {}
        self._numbered: dict[str, tuple[str, str]] = {}
        for model in self.models:
            self._aliases.setdefault(model.lower(), model)
            if parts := undated(model):
                _keep_newest(self._dated, parts[0].lower(), (parts[1], model))
            elif base := unnumbered(model.lower()):
                released = str(self.models[model].get("release_date", ""))
                _keep_newest(self._numbered, base, (released, model))
        named: Mapping[str, str] = content.get("aliases", {})
        self._aliases |= {name.lower(): to for name, to in named.items()}
        self.exact_names = {**named, **{model: model for model in self.models}}

    @property
    def names(self) -> list[str]:
        """The models by their ids; none where the file tells of families alone."""
        return [] if self._families else list(self.models)

    def match(self, name: str) -> Match | None:
        """The model meant by a name, in whatever spelling; None if it is not known."""
        if name in self.models:
            return Match(name)
        if self._families:
            return self._family(name)
        tried = list(spellings(name))
        for spelling, dropped in tried:
            if model := self._aliases.get(spelling.lower()):
                return Match(model, dropped)
        for spelling, dropped in tried:
            if model := self._other_date(spelling.lower()):
                return Match(model, dropped)
        return None

    def _other_date(self, name: str) -> str | None:
        parts = undated(name)
        base = parts[0] if parts else name
        if parts and base in self._aliases:
            return self._aliases[base]
        if parts and parts[1].isdigit():  # another snapshot's facts are not this one's
            return None
        if base in self._dated:
            return self._dated[base][1]
        return self._numbered[name][1] if name in self._numbered else None

    def _family(self, name: str) -> Match | None:
        parts, named = tag_parts(name)
        for length in range(len(parts), max(named, 1) - 1, -1):
            if (key := "-".join(parts[:length])) in self.models:
                return Match(key)
        return None


def _keep_newest(table: dict[str, tuple[str, str]], base: str, entry: tuple[str, str]) -> None:
    table[base] = max(table.get(base, entry), entry)


def provider_data(place: Place, data_id: str) -> ProviderData | None:
    """A provider's data in a package (by name) or a folder, loaded once; None if there is none."""
    key = (os.fspath(place), data_id)
    if key in _loaded:
        return _loaded[key]
    with _lock:
        if key not in _loaded:
            content = _content(place, f"{data_id}.json")
            _loaded[key] = None if content is None else _parsed(content, key)
    return _loaded[key]


def user_facts(provider: str, model: str) -> dict[str, Any] | None:
    """What the file named by HEADRACE_PROFILES says of a model, `"*"` of all; None if nothing.

    TOML, or JSON if it is named so: provider -> model -> facts. Read again when it has changed.
    """
    path = os.environ.get(USER_FILE)
    if not path:
        return None
    of_provider = _user_file(path).get(provider, {})
    if model not in of_provider and "*" not in of_provider:
        return None
    return {**of_provider.get("*", {}), **of_provider.get(model, {})}


def user_models(provider: str) -> list[str]:
    """The models of a provider that the user's file names."""
    path = os.environ.get(USER_FILE)
    return [name for name in _user_file(path).get(provider, {}) if name != "*"] if path else []


def forget() -> None:
    """Drops all that was loaded, so that files written meanwhile are seen."""
    with _lock:
        _loaded.clear()
        _user.clear()


def _content(place: Place, name: str) -> bytes | None:
    """The bytes of a data file; a package is not imported for it, and may be a zip file."""
    if not isinstance(place, str) or os.sep in place:
        path = Path(place, FOLDER, name)
        return path.read_bytes() if path.is_file() else None
    spec = find_spec(place)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, FOLDER, name)
        if path.is_file():
            return path.read_bytes()
        loader = spec.loader if spec else None
        try:
            return cast("bytes", cast("Any", loader).get_data(str(path)))
        except (AttributeError, OSError):
            continue
    return None


def _parsed(content: bytes, key: tuple[str, str]) -> ProviderData:
    try:
        return ProviderData(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProfileError(
            f"the profiles of `{key[1]}` in {key[0]!r} cannot be read ({error}); write them anew "
            f"with `headrace profiles refresh --provider {key[1]} --data-dir …`"
        ) from error


def _user_file(path: str) -> Mapping[str, Any]:
    try:
        state = os.stat(path)
        stamp = (state.st_mtime_ns, state.st_size)
        if path in _user and _user[path][0] == stamp:
            return _user[path][1]
        text = Path(path).read_text("utf-8")
        content = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise ProfileError(f"{USER_FILE}={path!r} cannot be read: {error}") from error
    facts = _checked_user_facts(content, f"{USER_FILE}={path!r}")
    _user[path] = (stamp, facts)
    return facts


def _checked_user_facts(content: Any, where: str) -> dict[str, dict[str, dict[str, Any]]]:
    def table(value: Any, what: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise ProfileError(f"{where}: {what} is a table, not {value!r}")
        return value

    return {
        provider: {
            model: {
                name: None
                if value is None
                else checked(name, value, f"{where}: {provider}:{model}")
                for name, value in table(facts, f"`{provider}.{model}`").items()
            }
            for model, facts in table(models, f"`{provider}`").items()
        }
        for provider, models in table(content, "the file").items()
    }
