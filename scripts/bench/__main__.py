"""CPU time of headrace beside the SDKs by hand, a floor, and LangChain: `make bench`.

Each contender does each row's work in its own process; the processes take turns, so that what
else the machine does falls on all of them. Medians of the rounds, in CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

from bench.report import Result, as_json, chart, notes, table, versions
from bench.rows import BY_ID, ROWS, Row

SCRIPTS = Path(__file__).resolve().parent.parent


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(BY_ID))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, without long rows")
    parser.add_argument("--rounds", type=int, help="7, or with --quick 3")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw a chart there")
    given = parser.parse_args(argv)
    if unknown := set(given.rows) - set(BY_ID):
        parser.error(f"no row {sorted(unknown)}; there are {', '.join(BY_ID)}")
    chosen = [BY_ID[name] for name in given.rows] or list(ROWS)
    if given.quick and not given.rows:
        chosen = [row for row in chosen if not row.is_long]
    began, results = perf_counter(), []
    with server() as port:
        for row in chosen:
            results.append(measure(row, port, given.rounds or (3 if given.quick else 7)))
            print(f"measured: {row.title}", file=sys.stderr, flush=True)
    print(table(results), *notes(results), versions(), sep="\n")
    print(f"{perf_counter() - began:.0f} s; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if given.json:
        given.json.write_text(json.dumps(as_json(results), indent=1) + "\n")
    if given.svg:
        given.svg.write_text(chart(results))
    return 0


@contextmanager
def server() -> Iterator[int]:
    """The loopback server's port; the server ends with the block."""
    with python("bench.server") as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


@contextmanager
def python(*module: str) -> Iterator[subprocess.Popen[str]]:
    """A module run in a process of its own, ended with the block."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", *module]
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=SCRIPTS
    ) as p:
        try:
            yield p
        finally:
            p.kill()


def measure(row: Row, port: int, rounds: int) -> Result:
    """A row's figures: the contenders by turns, one warming round first."""
    result = Result(row, {})
    rounds = min(rounds, 3) if row.is_long else rounds
    with ExitStack() as stack:
        workers = {
            who: stack.enter_context(python("bench.worker", who, row.id, str(port)))
            for who in row.contenders
        }
        for turn in range(rounds + 1):
            for who, worker in workers.items():
                if who in result.failed:
                    continue
                figure = ask(worker, row.times)
                if figure is None:
                    result.failed[who] = complaint(worker)
                elif turn or row.work == "memory":  # a peak of memory is reached but once
                    result.figures.setdefault(who, []).append(figure * row.scale / row.per)
            if row.work == "memory":
                break
    return result


def ask(worker: subprocess.Popen[str], times: int) -> float | None:
    """What a worker says a call costs; None if it died."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        print(times, file=worker.stdin, flush=True)
    except BrokenPipeError:
        return None
    line = worker.stdout.readline()
    return float(line) if line else None


def complaint(worker: subprocess.Popen[str]) -> str:
    """The last line of what a dead worker wrote."""
    assert worker.stderr is not None
    return (worker.stderr.read().strip().splitlines() or ["died in silence"])[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
