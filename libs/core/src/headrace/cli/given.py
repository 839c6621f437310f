"""What people give on the command line: values, pairs, and text on standard input."""

from __future__ import annotations

import argparse
import json
import select
import sys
from typing import Any

from headrace.cli.ending import UsageError
from headrace.cli.output import is_terminal

_PATIENCE = 2.0  # seconds until it is said that standard input is waited for
_OWN_WORDS = {"model": "-m", "configurable_fields": None, "config_prefix": None}


def pair(text: str) -> tuple[str, Any]:
    """`name=value` as (name, value), the value JSON, else text; a type for argparse."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not name=value")
    return name, value_of(value)


def value_of(text: str) -> Any:
    """What a text says as JSON; the text itself where it is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def add_params(parser: argparse.ArgumentParser) -> None:
    """Adds `-p name=value`, repeatable."""
    parser.add_argument(
        "-p", "--param", dest="params", action="append", default=[], type=pair,
        metavar="NAME=VALUE", help="a parameter of the model; the value is JSON, or text",
    )  # fmt: skip


def params_of(chosen: argparse.Namespace) -> dict[str, Any]:
    """The parameters given by `-p`; of one given twice the last."""
    params = dict(chosen.params)
    for name, option in _OWN_WORDS.items():
        if name in params:
            instead = f"; use `{option}`" if option else ""
            raise UsageError(f"`-p {name}=…` is no parameter of a model{instead}")
    return params


def is_piped() -> bool:
    """Whether standard input is a file or a pipe rather than a person."""
    return sys.stdin is not None and not is_terminal(sys.stdin)


def read_stdin() -> str:
    """All of standard input; says so where nothing comes, for a pipe nobody closes is silent."""
    if sys.stdin is None:
        return ""
    if not _comes():
        told = "waiting for standard input; `< /dev/null` says there is none"
        print(f"headrace: {told}", file=sys.stderr)
    try:
        return sound(sys.stdin.read(), "standard input")
    except UnicodeDecodeError:
        raise _no_text("standard input") from None


def _comes() -> bool:
    try:
        return is_terminal(sys.stdin) or bool(select.select([sys.stdin], [], [], _PATIENCE)[0])
    except (OSError, ValueError):  # no real file, or a system that cannot wait for one
        return True


def sound(text: str, what: str = "the argument") -> str:
    """The text as it is; a UsageError if its bytes are no text."""
    try:
        text.encode()
    except UnicodeEncodeError:  # how Python carries bytes that it could not decode
        raise _no_text(what) from None
    return text


def _no_text(what: str) -> UsageError:
    return UsageError(f"{what} is not text in this system's encoding, {sys.stdin.encoding}")
