"""`headrace profiles`: what is known about models."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from headrace.cli.deprecated import find_deprecated
from headrace.profiles import FIELDS, ModelProfile, find_profile
from headrace.profiles.refresh import Plan, identify, plan_refresh
from headrace.profiles.source import MODELS_DEV, read_source
from headrace.profiles.write import destination
from headrace.registry import canonical, find_provider, infer_provider, is_provider


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the subcommands and their options."""
    commands = parser.add_subparsers(metavar="SUBCOMMAND", required=True)
    _configure_refresh(commands.add_parser("refresh", help="write a provider's data file anew"))
    show = commands.add_parser("show", help="what is known about a model, and from where")
    show.add_argument("model", metavar="[PROVIDER:]MODEL")
    show.set_defaults(run=_show)
    check = commands.add_parser(
        "check", help="find names of deprecated models in code and configuration; 1 if there are"
    )
    check.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    check.set_defaults(run=_check)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="JSON on stdout")


def _configure_refresh(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--provider", required=True, metavar="P", help="our id or models.dev's")
    add("--data-dir", required=True, type=Path, metavar="D", help="writes D/profiles/P.json")
    add("--augmentations", type=Path, metavar="F", help="facts to put over those of models.dev")
    add("--source", default=MODELS_DEV, metavar="URL|FILE", help=f"default: {MODELS_DEV}")
    add("--date", metavar="YYYY-MM-DD", help="of the source, where neither server nor file says")
    add("--timeout", type=float, default=30, metavar="S", help="seconds for the download")
    add("--check", action="store_true", help="write nothing; 1 if the file there differs")
    add("--diff", action="store_true", help="say in words what changes")
    add("--dry-run", action="store_true", help="write nothing")
    parser.set_defaults(run=_refresh)


def _refresh(chosen: argparse.Namespace) -> int:
    destination(chosen.data_dir, identify(chosen.provider)[0])  # before anything is fetched
    upstream = read_source(
        chosen.source, timeout=chosen.timeout, on=chosen.date, near=chosen.data_dir / "profiles"
    )
    plan = plan_refresh(
        chosen.provider, chosen.data_dir, upstream, augmentations=chosen.augmentations
    )
    wrote = plan.changed and not (chosen.check or chosen.dry_run)
    if wrote:
        plan.write()
    print(json.dumps(_summary(plan, wrote)) if chosen.json else _told(plan, wrote, chosen.diff))
    return int(chosen.check and plan.changed)


def _summary(plan: Plan, wrote: bool) -> dict[str, Any]:
    return {
        "provider": plan.provider,
        "path": str(plan.path),
        "models": plan.models,
        "changed": plan.changed,
        "written": wrote,
        "differences": plan.differences(),
        "notes": list(plan.notes),
    }


def _told(plan: Plan, wrote: bool, diff: bool) -> str:
    state = "written" if wrote else "differs" if plan.changed else "as it should be"
    lines = [f"{plan.path}: {plan.models} models, {state}", *plan.notes]
    if diff:
        lines += plan.differences() or ["nothing changes"]
    return "\n  ".join(lines)


def _show(chosen: argparse.Namespace) -> int:
    prefix, _, rest = chosen.model.partition(":")
    if rest and is_provider(prefix):
        provider, model = canonical(prefix), rest
    else:
        provider, model = infer_provider(chosen.model), chosen.model
    packages = find_provider(provider).profile_packages()
    profile = find_profile(provider, model, packages=packages, warn=False)
    if chosen.json:
        print(json.dumps(_as_json(provider, model, profile), ensure_ascii=False))
    else:
        print(_table(f"{provider}:{model}", profile))
    if not profile:
        print(f"headrace: nothing is known about `{provider}:{model}`", file=sys.stderr)
    return int(not profile)


def _as_json(provider: str, model: str, profile: ModelProfile) -> dict[str, Any]:
    return {
        "provider": provider,
        "asked": model,
        "model": profile.model,
        "profile": dict(profile),
        "sources": profile.sources,
    }


def _table(name: str, profile: ModelProfile) -> str:
    told = {field: json.dumps(value, ensure_ascii=False) for field, value in profile.items()}
    fields = [field for field in FIELDS if field in told]
    widths = max(map(len, fields), default=0), min(30, max(map(len, told.values()), default=0))
    head = name if name.endswith(f":{profile.model}") else f"{name} (as {profile.model})"
    rows = [
        f"  {field:<{widths[0]}}  {told[field]:<{widths[1]}}  {profile.sources[field]}"
        for field in fields
    ]
    return "\n".join([head, *rows])


def _check(chosen: argparse.Namespace) -> int:
    found = list(find_deprecated(chosen.paths))
    if chosen.json:
        print(json.dumps([{**one.__dict__, "path": str(one.path)} for one in found]))
    else:
        for one in found:
            print(one)
    return int(bool(found))
