"""The entry point: one module a command, loaded when that command is asked for.

A command is a row of COMMANDS and a module with `configure(parser)`, which sets `run` as the
parser's default: a function of the parsed arguments that returns the exit code.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from headrace.errors import HeadraceError

COMMANDS = {  # name -> (module, what it does)
    "profiles": ("headrace.cli.profiles", "facts about models: refresh, show, check"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; errors of ours go to stderr in one line."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        chosen = _parser(arguments).parse_args(arguments)
        return int(chosen.run(chosen))
    except SystemExit as error:  # argparse: 0 after --help, 2 after a usage error
        return error.code if isinstance(error.code, int) else 2
    except HeadraceError as error:
        print(f"headrace: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace", description="Composable pipelines over language models."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (module, told) in COMMANDS.items():
        command = commands.add_parser(name, help=told, description=told)
        if name in arguments:
            import_module(module).configure(command)
    return parser
