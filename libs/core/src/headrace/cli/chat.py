"""`headrace chat`: one answer to a prompt, or a conversation on a terminal."""

from __future__ import annotations

import argparse
import os
import sys

from headrace.cli.answer import Lines, Text
from headrace.cli.conversation import Conversation
from headrace.cli.ending import UsageError, asked_rightly
from headrace.cli.given import add_params, is_piped, params_of, read_stdin, sound
from headrace.init import init_chat_model

VARIABLE = "HEADRACE_MODEL"
FALLBACK = "offline:demo"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    add = parser.add_argument
    add("prompt", nargs="?", metavar="PROMPT", help="what to ask; piped input comes after it")
    add("-m", "--model", metavar="MODEL", help=f"provider:model; default: ${VARIABLE}")
    add("-s", "--system", metavar="S", help="the system message")
    add_params(parser)
    add("--json", action="store_true", help="JSON lines: each piece, then the message with usage")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    params = params_of(chosen)
    prompt = _prompt(chosen.prompt)
    if prompt is None and chosen.json:
        raise UsageError("`--json` needs a PROMPT, or text on standard input")
    named = chosen.model or os.environ.get(VARIABLE)
    with asked_rightly():
        model = init_chat_model(named or FALLBACK, **params)
    if not named:
        told = f"no model is named by -m or {VARIABLE}; `{FALLBACK}` answers by rule, without one"
        print(f"headrace: {told}", file=sys.stderr)
    with model:
        conversation = Conversation(model, Lines if chosen.json else Text, chosen.system)
        if prompt is None:
            conversation.talk(named or FALLBACK)
        else:
            conversation.ask(prompt)
    return 0


def _prompt(argument: str | None) -> str | None:
    """What is asked: the argument, then what is piped; None where a person is to be asked."""
    parts = [] if argument is None else [sound(argument)]
    if is_piped():
        parts.append(read_stdin())
    elif argument is None and sys.stdin is not None:
        return None
    prompt = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    if not prompt:
        raise UsageError("nothing to ask: give a PROMPT, or text on standard input")
    return prompt
