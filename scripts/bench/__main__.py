"""CPU time of headrace beside the SDKs by hand, a floor, and its rivals: `make bench`.

Each contender does each row's work in a process of its own; the processes take turns, so that
what else the machine does falls on all of them. Medians of the rounds, in CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from bench.chart import chart
from bench.measuring import measure
from bench.processes import Worker, server
from bench.report import Result, as_json, failures, head, line, versions
from bench.rows import BY_ID, ROWS, Row
from bench.works import CONTENDERS


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(BY_ID))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, without long rows")
    parser.add_argument("--rounds", type=int, help="5, or with --quick 3; long rows have fewer")
    parser.add_argument(
        "--only", metavar="WHO,…", help=f"these contenders: {', '.join(CONTENDERS)}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw a chart there")
    given = parser.parse_args(argv)
    if unknown := set(given.rows) - set(BY_ID):
        parser.error(f"no row {sorted(unknown)}; there are {', '.join(BY_ID)}")
    only = set(given.only.split(",") if given.only else CONTENDERS)
    if unknown := only - set(CONTENDERS):
        parser.error(f"no contender {sorted(unknown)}; there are {', '.join(CONTENDERS)}")
    chosen = [BY_ID[name] for name in given.rows] or list(ROWS)
    if given.quick and not given.rows:
        chosen = [row for row in chosen if not row.is_long]
    chosen = [row.among(only) for row in chosen]
    began = perf_counter()
    results = run(chosen, given.rounds or (3 if given.quick else 5))
    load = os.getloadavg()[0]
    print(f"{perf_counter() - began:.0f} s; {os.cpu_count()} cores, load {load:.1f} at the end")
    if given.json:
        given.json.write_text(json.dumps(as_json(results), indent=1) + "\n")
    if given.svg:
        given.svg.write_text(chart(results))
    return 0


def run(rows: list[Row], rounds: int) -> list[Result]:
    """The rows' results, each printed as soon as it is there."""
    print(versions(), head(), sep="\n", flush=True)
    results = []
    with server() as port, ExitStack() as stack:
        workers = {who: Worker(who, port) for who in CONTENDERS}
        for worker in workers.values():
            stack.callback(worker.close)
        for row in rows:
            results.append(measure(row, workers, rounds))
            print(line(results[-1]), flush=True)
    print(*failures(results), sep="\n")
    return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
