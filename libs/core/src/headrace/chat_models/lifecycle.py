"""Models that age, and answers of another model than the one asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from headrace.profiles.naming import spellings

# Ends of a name that say when, not what: dates, `-latest`, four digits as in `-0613`.
_WHEN = re.compile(
    r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{2}-\d{2}(?:-\d{4})?|\d{4}|latest|default|preview|exp)$"
)


def ageing(model: str, facts: Mapping[str, Any], today: date | None = None) -> str | None:
    """What to tell whoever uses a deprecated model, None for a current one."""
    until = str(facts.get("deprecation_date") or "")
    gone = bool(until) and until.ljust(10, "~") <= (today or date.today()).isoformat()
    if not gone and facts.get("status") != "deprecated":
        return None
    successor = facts.get("successor")
    advice = f"; use `{successor}`" if successor else ""
    if gone:
        return f"`{model}` is no longer served since {until}{advice}"
    when = f" and will be served until {until}" if until else ""
    return f"`{model}` is deprecated{when}{advice}"


def served_other(asked: str, served: Any, known_as: str | None = None) -> bool:
    """Whether another model answered: served model differs, dates, aliases and paths apart.

    `known_as`: the id behind an alias that was asked for.
    """
    if not isinstance(served, str) or not served or not asked:
        return False
    names = {_bare(name) for name in (known_as or asked, *dict(spellings(asked)))}
    return names.isdisjoint(_bare(name) for name, _ in spellings(served))


def _bare(name: str) -> str:
    """A model's name without path, tag `latest`, case and ends that say when."""
    bare = name.lower().rstrip("/").rsplit("/", 1)[-1].removesuffix(":latest")
    while found := _WHEN.search(bare):
        bare = bare[: found.start()]
    return bare
