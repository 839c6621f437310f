"""Writes the profiles of all partners anew from models.dev: `make profiles`.

A partner is what stands in libs/partners/; its providers are those of its entry points.
Options: --source URL|FILE (default models.dev), --date of the source, --check (write nothing,
exit 1 if anything differs). All is worked out before the first file is written.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path

from headrace.errors import HeadraceError
from headrace.profiles.naming import data_id
from headrace.profiles.refresh import Plan, is_mapped, plan_refresh
from headrace.profiles.source import MODELS_DEV, RECORD, read_source, record
from headrace.profiles.write import replace_file
from headrace.registry import GROUP

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default=MODELS_DEV)
    parser.add_argument("--date")
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args(argv)
    try:
        upstream = read_source(chosen.source, on=chosen.date, near=ROOT / RECORD)
        plans = [plan_refresh(name, folder, upstream) for folder, name in data_files(ROOT)]
        changed = [plan for plan in plans if plan.changed]
        for plan in plans:
            tell(plan)
        if not chosen.check:
            for plan in changed:
                plan.write()
            replace_file(ROOT / RECORD, record(upstream))
    except HeadraceError as error:
        print(f"refresh_profiles: {error}", file=sys.stderr)
        return 1
    done = "differ" if chosen.check else "written"
    print(f"{len(changed)} of {len(plans)} files {done}; {upstream.label}")
    return int(chosen.check and bool(changed))


def data_files(root: Path) -> list[tuple[Path, str]]:
    """(package folder, name of the file) of every data file, by partner and entry point."""
    found: dict[tuple[Path, str], None] = {}
    for project in sorted(root.glob("libs/partners/*/pyproject.toml")):
        groups = tomllib.loads(project.read_text("utf-8"))["project"].get("entry-points", {})
        for provider, where in groups.get(GROUP, {}).items():
            if is_mapped(provider):
                package = where.partition(":")[0].partition(".")[0]
                found[project.parent / "src" / package, data_id(provider)] = None
    return list(found)


def tell(plan: Plan) -> None:
    print(f"{plan.provider}: {plan.models} models; {'; '.join(plan.notes)}")
    for line in plan.differences():
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
