"""`headrace run`: a Runnable of the user's own, on one input."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from headrace.cli.ending import CommandError, UsageError, asked_rightly, told
from headrace.cli.given import is_piped, read_stdin, sound
from headrace.cli.output import as_json, put
from headrace.engine.run import RunnableConfig, check_config
from headrace.errors import suggestion
from headrace.runnables import Runnable


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    add = parser.add_argument
    add("runnable", metavar="MODULE:RUNNABLE", help="found from the current directory too")
    add("--input", metavar="JSON|-", help="JSON, else text; -, or nothing: standard input")
    add("--text", action="store_true", help="the input is text, even where it looks like JSON")
    add("--config", metavar="JSON", help="tags, metadata, configurable, max_concurrency …")
    add("--stream", action="store_true", help="print each chunk as it comes")
    add("--json", action="store_true", help="JSON for text too, each value on one line")
    add("--traceback", action="store_true", help="say of an error where it was raised")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    config = _config(chosen.config)
    input = _input(chosen.input, chosen.text)
    with _failing(chosen.traceback):
        step = find_runnable(chosen.runnable)
        if chosen.stream:
            _stream(step, input, config, chosen.json)
        else:
            output = step.invoke(input, config)
            plain = isinstance(output, str) and not chosen.json
            text = output if plain else as_json(output, indent=None if chosen.json else 2)
            put(text if text.endswith("\n") else text + "\n")
    return 0


def find_runnable(named: str) -> Runnable[Any, Any]:
    """The Runnable at `module:attribute`; a UsageError that says what there is instead."""
    module_name, _, path = named.partition(":")
    if not module_name or not path:
        raise UsageError(f"{named!r} is not MODULE:RUNNABLE, such as `app:chain`")
    module = _module(module_name)
    thing: Any = module
    for part in path.split("."):
        if not hasattr(thing, part):
            there = _runnables(module)
            raise UsageError(
                f"`{module_name}` has no `{path}`{suggestion(path, there)}{_listed(there)}"
            )
        thing = getattr(thing, part)
    if not isinstance(thing, Runnable):
        kind = "a class" if isinstance(thing, type) else f"of class {type(thing).__name__}"
        raise UsageError(f"`{named}` is no Runnable but {kind}{_listed(_runnables(module))}")
    return thing


def _module(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        dotted = name.removesuffix(".py").strip("./").replace("/", ".")
        raise UsageError(f"a module is named as in an import, such as `{dotted}`, not {name!r}")
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            asked = f"; say `{name[:-3]}`, without `.py`" if name.endswith(".py") else ""
            raise UsageError(f"no module `{name}` in {here} or installed{asked}") from error
        raise  # the module is there; one that it needs is not


def _runnables(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, Runnable) and not name.startswith("_")
    ]


def _listed(names: list[str]) -> str:
    return "; there are " + ", ".join(f"`{name}`" for name in names) if names else ""


def _stream(step: Runnable[Any, Any], input: Any, config: Any, all_json: bool) -> None:
    inside = False  # a line of text that is not ended
    try:
        with step.stream(input, config) as chunks:
            for chunk in chunks:
                if isinstance(chunk, str) and not all_json:
                    put(chunk)
                    inside = not chunk.endswith("\n") if chunk else inside
                else:
                    put("\n" * inside + as_json(chunk) + "\n")
                    inside = False
    finally:
        if inside:
            put("\n")


def _config(given: str | None) -> RunnableConfig | None:
    if given is None:
        return None
    try:
        config = json.loads(given)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`--config` is not JSON: {error}") from error
    with asked_rightly():
        check_config(config)
    checked: RunnableConfig = config
    return checked


def _input(given: str | None, as_text: bool) -> Any:
    if given is None or given == "-":
        text = read_stdin().removesuffix("\n") if given or is_piped() else ""
        if not text and given is None:
            raise UsageError("no input: give `--input`, or something on standard input")
    else:
        text = sound(given)
    if as_text:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("{"):  # meant as JSON; a step would only say it got text
            raise UsageError(
                f"the input is not JSON: {error}; `--text` takes it as it is"
            ) from error
        return text


@contextmanager
def _failing(shows: bool) -> Iterator[None]:
    """Inside, whatever the user's code raises is told in one line, or as a traceback."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        raise CommandError(traceback.format_exc().rstrip() if shows else told(error)) from error
