"""The many spellings of one model: aliases, dates, regions, prefixes, tags of open weights."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from headrace.deferred import resources

# The end of a snapshot's or pointer's name. Four digits alone (-0613, -2512) may be a version.
_DATED = re.compile(r"(.+?)(?:-(\d{4}-\d{2}-\d{2}|\d{8}|latest)|@(\d{8}|latest|default))$")
_VERSION = re.compile(r"\d{1,2}(\.\d+)?")
_SIZE = re.compile(r"e?\d+(\.\d+)?[bm]|\d+x\d+b|a\d+(\.\d+)?b")
_LONGEST = 300  # characters of a name that is still looked at


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """Our ids and models.dev's, shared files, and spellings: `providers.toml` beside this file."""
    text = resources.files("headrace").joinpath("profiles", "providers.toml").read_text("utf-8")
    return tomllib.loads(text)


def data_id(provider: str) -> str:
    """The name, without `.json`, of the file that holds a provider's facts."""
    return str(table()["data"].get(provider, provider))


def spellings(model: str) -> Iterator[tuple[str, frozenset[str]]]:
    """(name, facts that do not carry over): the name as it stands, then each rewritten one."""
    if len(model) > _LONGEST:
        return
    found: dict[str, frozenset[str]] = {model: frozenset()}
    for rule in table()["rewrite"]:
        for name, dropped in list(found.items()):
            new = re.sub(rule["match"], rule["put"], name, count=1)
            if new:
                found.setdefault(new, dropped | frozenset(rule.get("drop", ())))
    yield from found.items()


def undated(model: str) -> tuple[str, str] | None:
    """(base, date) of a dated name, the date as 8 digits or a word; None if it has no date."""
    if not (match := _DATED.fullmatch(model)):
        return None
    return match[1], (match[2] or match[3]).replace("-", "")


def unnumbered(model: str) -> str | None:
    """What stands before a version of four digits (`gpt-35-turbo-0125`); None without one."""
    base, dash, version = model.rpartition("-")
    return base if dash and len(version) == 4 and version.isdigit() else None


def tag_parts(name: str) -> tuple[tuple[str, ...], int]:
    """(parts of a tag, how many of them name its family): `Qwen3:8b` -> (("qwen3", "8b"), 1).

    Made alike: the path before the last `/`, case, `:` or `-`, and `llama-3.2` or `llama3.2`.
    """
    parts: list[str] = []
    for part in re.split(r"[-:_]", name.rsplit("/", 1)[-1].lower()):
        if parts and parts[-1].isalpha() and _VERSION.fullmatch(part):
            parts[-1] += part
        elif part and (part != "meta" or parts):
            parts.append(part)
    sized = next((at for at, part in enumerate(parts) if _SIZE.fullmatch(part)), len(parts))
    if ":" in name:  # what stands before the colon is the family, whatever its parts look like
        sized = min(sized, len(tag_parts(name.partition(":")[0])[0]))
    return tuple(parts), sized
