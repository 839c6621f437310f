"""One contender at one row, in a process of its own: `python -m bench.worker WHO ROW PORT`.

Each line read is a number of calls; each line written is the CPU seconds of one of them.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import sys
import warnings
from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any

from bench.kits import KITS
from bench.rows import BY_ID, Row
from bench.site import Site


def find(who: str, row: Row, site: Site) -> Callable[[], Any]:
    """The contender's work, set up; a call of it does and checks it once."""
    if who in KITS:
        modules = [importlib.import_module(f"bench.{name}") for name in ("composed", "local")]
        made = next(getattr(m, row.work) for m in modules if hasattr(m, row.work))
        ready: Callable[[], Any] = made(KITS[who], site, **row.options)
    else:
        ready = getattr(importlib.import_module(f"bench.{who}"), row.work)(site)
    return ready


def timed(once: Callable[[], Any], times: int) -> float:
    """CPU seconds a call; of what times itself, the mean of its own figures."""
    start, own = process_time(), [once() for _ in range(times)]
    return _mean(own, process_time() - start)


async def atimed(once: Callable[[], Any], times: int) -> float:
    """The same of an async call, in one event loop."""
    start, own = process_time(), [await once() for _ in range(times)]
    return _mean(own, process_time() - start)


def _mean(own: list[Any], took: float) -> float:
    total: float = took if own[0] is None else sum(own)
    return total / len(own)


def main(who: str, row_id: str, port: str) -> None:
    warnings.simplefilter("ignore")
    row = BY_ID[row_id]
    site = Site(int(port), row.wire, row.reply)
    with asyncio.Runner() as runner:
        once = find(who, row, site)
        is_async = inspect.iscoroutinefunction(once)
        ready: Callable[[int], float] = partial(timed, once)
        for line in sys.stdin:
            gc.collect()
            times = int(line)
            took = runner.run(atimed(once, times)) if is_async else ready(times)
            print(f"{took:.9f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
