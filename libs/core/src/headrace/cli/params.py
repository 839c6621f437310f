"""`headrace params`: what becomes of each parameter and kind of content of a model."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from headrace.chat_models import parameter_matrix
from headrace.chat_models.matrix import Row
from headrace.cli.ending import UsageError, asked_rightly
from headrace.cli.given import add_params, params_of
from headrace.cli.output import as_json, put
from headrace.cli.table import room, table
from headrace.init import init_chat_model


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("model", metavar="[PROVIDER:]MODEL")
    add_params(parser)
    parser.add_argument("--json", action="store_true", help="JSON on stdout: a list of rows")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    with asked_rightly():
        model = init_chat_model(chosen.model, **params_of(chosen)).spec
    if model is None:
        raise UsageError(f"`{chosen.model}` is not one model")
    rows = parameter_matrix(model)
    if chosen.json:
        put(as_json([asdict(row) for row in rows]) + "\n")
    else:
        heads = ["PARAMETER", "OUTCOME", "ASKED -> SENT", "REASON"]
        put(table(heads, [_cells(row) for row in rows], width=room()) + "\n")
    return 0


def _cells(row: Row) -> list[str]:
    asked, sent = (", ".join(map(_told, values)) for values in (row.asked, row.sent))
    gone = all(value is None for value in row.sent)
    changed = f" -> {sent}" if row.sent != row.asked and not gone else ""
    return [row.parameter, row.outcome, asked + changed, row.reason]


def _told(value: Any) -> str:
    return "-" if value is None else json.dumps(value)
