"""Making a provider's data file from models.dev's data and our augmentations.

First all is worked out and checked (`plan_refresh`), then written (`Plan.write`): whatever is
wrong with the input, the files stay as they were.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.errors import suggestion
from headrace.profiles.augmentations import find_augmentations, read_augmentations
from headrace.profiles.differences import differences
from headrace.profiles.errors import ProfileError
from headrace.profiles.families import family_facts
from headrace.profiles.naming import data_id, table
from headrace.profiles.source import Upstream
from headrace.profiles.upstream import map_model, map_provider, unmapped_keys
from headrace.profiles.write import destination, rendered, replace_file

OPEN_WEIGHTS = "open_weights"
_DATE = re.compile(r'^"source": "models\.dev [0-9-]+', re.MULTILINE)

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A data file as it should be: `text`, beside what stands there now (`before`, or None)."""

    provider: str
    path: Path
    text: str
    before: str | None
    models: int
    notes: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether the file there differs."""
        return self.text != self.before

    def differences(self) -> list[str]:
        """What would change, in words."""
        return differences(self.before, self.text) if self.changed else []

    def write(self) -> None:
        """Puts the text in place, whole or not at all."""
        if self.changed:
            replace_file(destination(self.path.parent.parent, self.path.stem), self.text)


def plan_refresh(
    provider: str, data_dir: Path, upstream: Upstream, *, augmentations: Path | None = None
) -> Plan:
    """The data file of a provider, by our id or models.dev's, worked out but not written.

    If nothing but the date of the data changed, the file stays as it is. Raises ProfileError.
    """
    ours, theirs = identify(provider)
    path = destination(data_dir, ours)
    added = find_augmentations(ours, data_dir, augmentations)
    notes = [
        f"augmentations: {_short(added)}" if added else f"augmentations: none found for {ours}"
    ]
    mine = read_augmentations(added)
    theirs = theirs if mine.upstream is None else list(mine.upstream)
    if ours == OPEN_WEIGHTS:
        about, facts = _open_weights(upstream)
        label = f"{upstream.label}, open weights"
    elif not theirs:
        about, facts, label = {}, {}, "augmentations"
    else:
        about, facts, grown = _of_providers(theirs, upstream)
        label = upstream.label
        notes += [f"models.dev has keys we do not know: {', '.join(grown)}"] if grown else []
    models = mine.apply(facts)
    notes += [f"{_short(added)}: `{pattern}` fits no model" for pattern in mine.idle(facts)]
    text = rendered({"id": ours, **about}, label, dict(mine.aliases), models)
    before = _there(path)
    if before is not None and _DATE.sub("", before) == _DATE.sub("", text):
        text = before
    return Plan(ours, path, text, before, len(models), tuple(notes))


def identify(provider: str) -> tuple[str, list[str]]:
    """(our id of the data file, models.dev's ids) from one of ours or theirs."""
    ours = data_id(provider)
    known: Mapping[str, list[str]] = table()["upstream"]
    if is_mapped(provider):
        return ours, list(known.get(ours, ()))
    for name, theirs in known.items():
        if theirs[0] == provider:
            return name, list(theirs)
    return provider, [provider]


def is_mapped(provider: str) -> bool:
    """Whether it is known which models.dev data holds the facts of a provider of ours."""
    ours = data_id(provider)
    return ours in table()["upstream"] or ours == OPEN_WEIGHTS


def _of_providers(
    theirs: list[str], upstream: Upstream
) -> tuple[Facts, dict[str, Facts], list[str]]:
    about: Facts = {}
    models: dict[str, Facts] = {}
    grown: set[str] = set()
    for name in theirs:
        if name not in upstream.providers:
            raise ProfileError(
                f"models.dev has no provider `{name}`{suggestion(name, upstream.providers)}; "
                "the augmentations may say `upstream = [...]`, with its ids there, [] for none"
            )
        entry = upstream.providers[name]
        where = f"models.dev: {name}"
        described = map_provider(entry, where)
        about = about or {**described, "upstream": theirs}
        for model, said in entry["models"].items():
            facts = map_model(said, f"{where}/{model}")
            if name != theirs[0] and "wire" in described:
                facts["wire"] = {**described["wire"], **facts.get("wire", {})}
            models.setdefault(model, facts)
        grown |= unmapped_keys(entry["models"])
    return about, models, sorted(grown)


def _open_weights(upstream: Upstream) -> tuple[Facts, dict[str, Facts]]:
    said: defaultdict[str, list[Facts]] = defaultdict(list)
    for name in table()[OPEN_WEIGHTS]:
        for model, entry in upstream.providers.get(name, {"models": {}})["models"].items():
            facts = map_model(entry, f"models.dev: {name}/{model}")
            if facts.get("open_weights"):
                said[model].append(facts)
    return {"families": True, "name": "Open weights"}, family_facts(said)


def _there(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace") if path.exists() else None
    except OSError as error:
        raise ProfileError(f"{str(path)!r} could not be read: {error}") from error


def _short(path: Path | None) -> str:
    """The end of a path: enough to know the file, the same on every machine."""
    return "/".join(path.parts[-2:]) if path else ""
