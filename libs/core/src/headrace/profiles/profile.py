"""ModelProfile: what is known about one model, read-only, each fact with its source."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any

from headrace.errors import suggestion
from headrace.profiles.fields import FIELDS, checked

_told: set[str] = set()


class ModelProfile(Mapping[str, Any]):
    """Facts about a model by field name (see `FIELDS`); what is absent is unknown, never False.

    Lists and dicts are handed out as copies. `profile | {...}` gives a plain dict. `model` is the
    id whose facts these are: the base of an alias, a dated or a fine-tuned name.
    """

    __slots__ = ("_facts", "_sources", "model", "provider")

    def __init__(
        self,
        facts: Mapping[str, Any] | None = None,
        sources: Mapping[str, str] | None = None,
        *,
        provider: str = "",
        model: str = "",
    ) -> None:
        self._facts = deepcopy(dict(facts or {}))
        self._sources = dict(sources or {})
        self.provider, self.model = provider, model

    def __getitem__(self, field: str) -> Any:
        value = self._facts[field]
        return deepcopy(value) if isinstance(value, dict | list) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __contains__(self, field: object) -> bool:
        return field in self._facts

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self, **other}

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**other, **self}

    def __repr__(self) -> str:
        name = ":".join(part for part in (self.provider, self.model) if part)
        return f"ModelProfile({name!r}, {len(self)} facts)"

    @property
    def facts(self) -> Mapping[str, Any]:
        """The facts themselves, not copied: for reading only."""
        return MappingProxyType(self._facts)

    @property
    def sources(self) -> dict[str, str]:
        """Field -> where it came from: `models.dev 2026-07-02`, `augmentations`, `user file` …"""
        return dict(self._sources)

    def takes(self, parameter: str) -> bool | None:
        """Whether the model takes this request parameter; None where nothing is known.

        True may hold under a condition only: see `when` in `parameters`.
        """
        limits = self._facts.get("parameters", {}).get(parameter)
        if limits is not None:
            return limits is not False
        if parameter == "temperature":
            return self._facts.get("temperature")
        return None

    def overridden(self, facts: Mapping[str, Any], source: str = "profile=") -> ModelProfile:
        """A profile with these facts over its own; None makes one unknown again.

        A fact outside the vocabulary is kept, with a warning once per process; one of the wrong
        kind is a ProfileError.
        """
        sound: dict[str, Any] = {}
        for field, value in facts.items():
            if field not in FIELDS:
                _tell_unknown(field)
            elif value is not None:
                value = checked(field, value, source)
            sound[field] = value
        merged, sources = dict(self._facts), dict(self._sources)
        lay_over(merged, sources, sound, source)
        return ModelProfile(merged, sources, provider=self.provider, model=self.model)


def lay_over(
    facts: dict[str, Any], sources: dict[str, str], layer: Mapping[str, Any], source: str
) -> None:
    """Puts a layer over `facts` and notes its source; `parameters` merge, parameter by parameter.

    Everything else is replaced whole: half of a price list with half of another is none.
    """
    for field, value in layer.items():
        below = facts.get(field)
        if value is None:
            facts.pop(field, None)
            sources.pop(field, None)
        elif field == "parameters" and isinstance(below, dict) and isinstance(value, dict):
            facts[field] = {**below, **value}
            if sources.get(field, source) != source:
                sources[field] = f"{sources[field]}, {source}"
            else:
                sources[field] = source
        else:
            facts[field], sources[field] = value, source


def _tell_unknown(field: str) -> None:
    if field in _told:
        return
    _told.add(field)
    warnings.warn(
        f"a profile has no field `{field}`{suggestion(field, FIELDS)}; it is kept as given",
        UserWarning,
        stacklevel=4,
    )
