"""Our own facts, over upstream's: `profiles/augmentations/<provider>.toml`.

`[provider]`: of every model. `[[groups]]`, in order: `facts` of the models whose id fits `match`
(shell patterns) and not `except`, and of which the facts in `when` hold. `[models."id"]`: of one;
where upstream lacks it, it needs a `name`, or a `base` whose facts hold for it too. `unset` lists
what upstream says but is not so. `[aliases]`: another name = an id. Later ones win. `upstream`:
the ids of a provider of your own at models.dev; [] where it has none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from headrace.errors import suggestion
from headrace.profiles.errors import ProfileError
from headrace.profiles.fields import checked
from headrace.profiles.profile import lay_over

IN_DATA_DIR = "profile_augmentations.toml"
IN_REPOSITORY = Path("profiles", "augmentations")

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Facts of the models that it fits."""

    match: tuple[str, ...]
    but: tuple[str, ...]
    when: Mapping[str, Any]
    facts: Facts

    def fits(self, model: str, facts: Facts) -> bool:
        """Whether a model, with the facts found so far, belongs to it."""
        return (
            any(fnmatchcase(model, pattern) for pattern in self.match)
            and not any(fnmatchcase(model, pattern) for pattern in self.but)
            and all(facts.get(name) == value for name, value in self.when.items())
        )


@dataclass(frozen=True, slots=True)
class Augmentations:
    """What one file adds; `apply` puts it over upstream's facts."""

    path: Path | None = None
    provider: Facts = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    models: Mapping[str, Facts] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    upstream: tuple[str, ...] | None = None

    def apply(self, upstream: Mapping[str, Facts]) -> dict[str, Facts]:
        """Facts of all models, each with `augmented`: the sorted names of those that are ours."""
        unnamed = [
            model
            for model, facts in self.models.items()
            if model not in upstream and "name" not in facts and facts.get("base") not in upstream
        ]
        if unnamed:
            listed = ", ".join(f"`{model}`{suggestion(model, upstream)}" for model in unnamed)
            raise ProfileError(
                f"{self.path}: not in models.dev's data: {listed}; remove it, correct the id, or "
                f"give it a `name`, or a `base` that is there, if models.dev lacks it"
            )
        found = {
            model: self._facts(model, upstream)
            for model in sorted(upstream.keys() | self.models.keys())
        }
        astray = [f"`{to}`" for to in self.aliases.values() if to not in found]
        if astray:
            raise ProfileError(f"{self.path}: aliases of no model: {', '.join(astray)}")
        return found

    def idle(self, upstream: Mapping[str, Facts]) -> list[str]:
        """The patterns that fit no model: something has gone, or is misspelt."""
        names = upstream.keys() | self.models.keys()
        return [
            pattern
            for group in self.groups
            for pattern in (*group.match, *group.but)
            if not any(fnmatchcase(name, pattern) for name in names)
        ]

    def _facts(self, model: str, upstream: Mapping[str, Facts]) -> Facts:
        own = self.models.get(model, {})
        facts = dict(upstream.get(model) or upstream.get(own.get("base", ""), {}))
        sources = dict.fromkeys(facts, "upstream")
        for name in (*self.provider.get("unset", ()), *own.get("unset", ())):
            facts.pop(name, None)
        lay_over(facts, sources, _plain(self.provider), "ours")
        for group in self.groups:
            if group.fits(model, {**facts, **own}):
                for name in group.facts.get("unset", ()):
                    facts.pop(name, None)
                lay_over(facts, sources, _plain(group.facts), "ours")
        lay_over(facts, sources, _plain(own), "ours")
        ours = sorted(name for name in facts if sources[name] != "upstream")
        return facts | ({"augmented": ours} if ours else {})


def find_augmentations(provider: str, data_dir: Path, given: Path | None) -> Path | None:
    """The file given; else that of the data folder; else the nearest in a folder above; else None.

    Raises ProfileError if one was given and is not there.
    """
    if given is not None:
        if not given.is_file():
            raise ProfileError(f"no file {str(given)!r} (given as --augmentations)")
        return given
    if (own := data_dir / IN_DATA_DIR).is_file():
        return own
    for folder in data_dir.resolve().parents:
        if (ours := folder / IN_REPOSITORY / f"{provider}.toml").is_file():
            return ours
    return None


def read_augmentations(path: Path | None) -> Augmentations:
    """The content of a file, checked; empty for None. Raises ProfileError naming file and key."""
    if path is None:
        return Augmentations()
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ProfileError(f"{path}: cannot be read: {error}") from error
    _known(content, ("provider", "groups", "models", "aliases", "upstream"), f"{path}")
    groups = content.get("groups", [])
    if not isinstance(groups, list):
        raise ProfileError(f"{path}: `groups` is a list of tables: [[groups]]")
    models = _table(content.get("models", {}), f"{path}: `models`")
    aliases = _table(content.get("aliases", {}), f"{path}: `aliases`")
    if not all(isinstance(to, str) for to in aliases.values()):
        raise ProfileError(f'{path}: `aliases` names models: "another name" = "its id"')
    theirs = content.get("upstream")
    return Augmentations(
        path,
        _facts(content.get("provider", {}), f"{path}: provider"),
        tuple(_group(entry, f"{path}: groups[{at}]") for at, entry in enumerate(groups)),
        {model: _facts(facts, f"{path}: models.{model!r}") for model, facts in models.items()},
        aliases,
        None if theirs is None else _patterns(theirs, f"{path}: `upstream`"),
    )


def _group(entry: Any, where: str) -> Group:
    group = _table(entry, where)
    _known(group, ("match", "except", "when", "facts"), where)
    when = _facts(group.get("when", {}), f"{where}: when")
    return Group(
        _patterns(group.get("match", ["*"]), f"{where}: `match`"),
        _patterns(group.get("except", []), f"{where}: `except`"),
        when,
        _facts(group.get("facts", {}), f"{where}: facts"),
    )


def _patterns(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ProfileError(f"{where} is a list of texts, not {value!r}")
    return tuple(value)


def _facts(value: Any, where: str) -> Facts:
    facts: Facts = {}
    for name, fact in _table(value, where).items():
        if name == "unset":
            facts[name] = list(_patterns(fact, f"{where}: `unset`"))
        elif name == "base" and isinstance(fact, str):
            facts[name] = fact
        else:
            facts[name] = checked(name, fact, where)
    return facts


def _plain(facts: Facts) -> Facts:
    return {name: fact for name, fact in facts.items() if name not in ("unset", "base")}


def _known(content: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in content:
        if key not in keys:
            raise ProfileError(f"{where}: no key `{key}`{suggestion(key, keys)}")


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProfileError(f"{where} is a table, not {value!r}")
    return value
