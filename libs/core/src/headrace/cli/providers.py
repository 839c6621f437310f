"""`headrace providers`: who can be asked, and what to install for the others."""

from __future__ import annotations

import argparse
from typing import Any

from headrace.cli.ending import told
from headrace.cli.output import as_json, put
from headrace.cli.table import room, table
from headrace.errors import HeadraceError
from headrace.registry import find_provider, installed_providers
from headrace.registry import table as known


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("--json", action="store_true", help="JSON on stdout")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    rows = providers()
    if chosen.json:
        put(as_json(rows) + "\n")
        return 0
    cells = [
        [row["id"], ", ".join(row["aliases"]), row["package"] or "", _state(row)] for row in rows
    ]
    put(table(["PROVIDER", "ALIASES", "PACKAGE", "STATE"], cells, width=room()) + "\n")
    return 0


def providers() -> list[dict[str, Any]]:
    """All providers known by name, installed ones first: id, aliases, package, how to get it."""
    packages, aliases = known()["packages"], known()["aliases"]
    installed = installed_providers()
    missing = sorted(packages.keys() - set(installed))
    rows = []
    for name in (*installed, *missing):
        package, fault = packages.get(name), None
        if package is None:
            package, fault = _told_by_entry(name)
        there = name in installed
        rows.append(
            {
                "id": name,
                "aliases": sorted(alias for alias, of in aliases.items() if of == name),
                "package": package,
                "installed": there,
                "install": None if there else f"pip install {package}",
                "error": fault,
            }
        )
    return rows


def _told_by_entry(name: str) -> tuple[str | None, str | None]:
    """(package, what is wrong) of a provider that only its own entry point knows."""
    try:
        return find_provider(name).package, None
    except (HeadraceError, ImportError, AttributeError) as error:
        return None, told(error)


def _state(row: dict[str, Any]) -> str:
    if row["error"]:
        return f"broken: {row['error']}"
    return "installed" if row["installed"] else str(row["install"])
