"""Rows measured: the contenders by turns, the same number of calls each."""

from __future__ import annotations

from collections.abc import Mapping

from bench.processes import Worker
from bench.report import Result
from bench.rows import Row


def measure(row: Row, workers: Mapping[str, Worker], rounds: int) -> Result:
    """A row's figures. The first round only warms, unless a row can be measured but once."""
    result, warming = Result(row, {}), 0 if row.rounds == 1 else 1
    for turn in range(-1, min(rounds, row.rounds) + warming):
        for who in row.contenders:
            if who in result.failed:
                continue
            try:
                if turn < 0:
                    workers[who].open(row.id)
                    continue
                figure = workers[who].ask(row.times)
            except RuntimeError as exc:
                result.failed[who] = str(exc)
                result.figures.pop(who, None)
                continue
            if turn >= warming:
                result.figures.setdefault(who, []).append(figure * row.scale / row.per)
    for who in row.contenders:
        if who not in result.failed:
            workers[who].done()
    return result
