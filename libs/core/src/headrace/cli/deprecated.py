"""Names of deprecated models in code and configuration, told by the profiles installed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import walk
from pathlib import Path
from typing import Any

from headrace.errors import ConfigurationError
from headrace.profiles.files import OPENING, provider_data
from headrace.profiles.naming import data_id
from headrace.registry import find_provider, installed_providers

_READ = frozenset(
    {
        ".cfg", ".conf", ".env", ".go", ".ini", ".ipynb", ".java", ".js", ".json", ".kt", ".md",
        ".mjs", ".php", ".py", ".rb", ".rs", ".rst", ".sh", ".swift", ".tf", ".toml", ".ts",
        ".tsx", ".txt", ".xml", ".yaml", ".yml",
    }
)  # fmt: skip
_LEFT_OUT = frozenset({"node_modules", "__pycache__", "venv", "build", "dist", "site-packages"})
_LARGEST = 2_000_000  # bytes
_QUOTED = re.compile(r"""["'`]([\w./:@-]+)["'`]""")
_ASSIGNED = re.compile(r"""[=:]\s*([\w./:@-]+)\s*(?:[,;#]|$)""")


@dataclass(frozen=True)
class Finding:
    """A deprecated model named on a line; `date` and `successor` are None where unknown."""

    path: Path
    line: int
    model: str
    provider: str
    date: str | None
    successor: str | None

    def __str__(self) -> str:
        ends = f", served until {self.date}" if self.date else ""
        instead = f"; use `{self.successor}`" if self.successor else ""
        return (
            f"{self.path}:{self.line}: `{self.model}` of {self.provider} is deprecated"
            f"{ends}{instead}"
        )


def find_deprecated(paths: Iterable[Path]) -> Iterator[Finding]:
    """What is found in files, and in folders with all below them, in order of path."""
    known = _deprecated()
    for path in _files(paths):
        try:
            if path.stat().st_size > _LARGEST:
                continue
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if not text.startswith(OPENING):  # our own data names them all
            yield from _in_text(path, text, known)


def _in_text(path: Path, text: str, known: Mapping[str, tuple[str, Any]]) -> Iterator[Finding]:
    patterns = (_QUOTED,) if path.suffix == ".py" else (_QUOTED, _ASSIGNED)
    for number, line in enumerate(text.splitlines(), 1):
        names = dict.fromkeys(name for pattern in patterns for name in pattern.findall(line))
        for name in names:
            if name in known:
                provider, facts = known[name]
                dates = facts.get("deprecation_date"), facts.get("successor")
                yield Finding(path, number, name, provider, *dates)


def _deprecated() -> dict[str, tuple[str, Any]]:
    """`provider:model`, and the bare name where all who list it deprecate it -> facts."""
    listed: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
    for provider in installed_providers():
        for package in find_provider(provider).profile_packages():
            if (data := provider_data(package, data_id(provider))) is None:
                continue
            for name, model in data.exact_names.items():
                entry = provider, data.models[model]
                listed[name].append(entry)
                listed[f"{provider}:{name}"].append(entry)
    return {
        name: entries[0]
        for name, entries in listed.items()
        if all(_ends(facts) for _, facts in entries)
    }


def _ends(facts: Mapping[str, Any]) -> bool:
    return facts.get("status") == "deprecated" or "deprecation_date" in facts


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
        elif not path.is_dir():
            raise ConfigurationError(f"no file or folder {str(path)!r}")
        for folder, below, names in walk(path):
            below[:] = sorted(
                name for name in below if not name.startswith(".") and name not in _LEFT_OUT
            )
            for name in sorted(names):
                if Path(name).suffix in _READ or name.startswith(".env"):
                    yield Path(folder, name)
