"""The entry point: one module a command, loaded when that command is asked for.

A command is a row of COMMANDS and a module with `configure(parser)`, which sets `run` as the
parser's default: a function of the parsed arguments that returns the exit code.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from headrace.cli.ending import CommandError, UsageError, told
from headrace.cli.output import READER_LEFT, hush, prepare
from headrace.errors import HeadraceError

COMMANDS = {  # name -> (module, what it does)
    "chat": ("headrace.cli.chat", "ask a model, or talk with it"),
    "run": ("headrace.cli.run", "run a pipeline of yours on an input"),
    "providers": ("headrace.cli.providers", "the providers of models, installed and missing"),
    "models": ("headrace.cli.models", "the models we know: sizes, prices, abilities"),
    "params": ("headrace.cli.params", "what becomes of each parameter of a model"),
    "profiles": ("headrace.cli.profiles", "facts about models: refresh, show, check"),
}
INTERRUPTED = 130  # 128 + SIGINT, as shells count


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line: 0, 1 if it failed, 2 if it was used wrongly."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare()
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            chosen = _parser(arguments).parse_args(arguments)
            code = int(chosen.run(chosen))
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
        except SystemExit as error:  # argparse: 0 after --help, 2 after a usage error
            return error.code if isinstance(error.code, int) else 2
        except UsageError as error:
            print(f"headrace: {error}", file=sys.stderr)
            return 2
        except CommandError as error:
            print(error, file=sys.stderr)
            return 1
        except BrokenPipeError:  # the reader has left, as `head` does
            hush()
            return READER_LEFT
        except Exception as error:
            if sys.flags.dev_mode and not isinstance(error, HeadraceError):
                raise
            print(told(error), file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return INTERRUPTED


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace",
        description="Composable pipelines over language models.",
        epilog="Exit codes: 0; 1 failed, or not as it should be; 2 used wrongly.",
        allow_abbrev=False,
    )
    version = import_module("headrace").__version__
    parser.add_argument("-V", "--version", action="version", version=f"headrace {version}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    asked = next((one for one in arguments if not one.startswith("-")), None)
    for name, (module, does) in COMMANDS.items():
        command = commands.add_parser(name, help=does, description=does, allow_abbrev=False)
        if name == asked:
            import_module(module).configure(command)
    return parser


def _show_warning(message: Any, *_: Any, **__: Any) -> None:
    print(f"headrace: warning: {message}", file=sys.stderr)
