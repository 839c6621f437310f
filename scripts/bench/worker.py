"""One contender, in a process of its own: `python -m bench.worker WHO PORT`.

It loads the contender once. A line read is the id of a row: a fork of the process serves it, so
that a row finds nothing of the rows before it. To the fork each line is a number of calls, and an
empty line ends it. Each of the others is answered by a line of JSON: `ready`, or `cpu`, the CPU
seconds of a call, or `error`, which ends the row.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from time import process_time
from typing import IO, Any, NoReturn

from bench.rows import BY_ID
from bench.site import Site
from bench.works import find, load

Tell = Callable[..., None]


def timed(once: Callable[[], Any], times: int) -> float:
    """CPU seconds a call, of all threads; of what times itself, the mean of its own figures."""
    start, own = process_time(), [once() for _ in range(times)]
    return _mean(own, process_time() - start)


async def atimed(once: Callable[[], Any], times: int) -> float:
    """The same of an async call, in one event loop."""
    start, own = process_time(), [await once() for _ in range(times)]
    return _mean(own, process_time() - start)


def _mean(own: list[Any], took: float) -> float:
    total: float = took if own[0] is None else sum(own)
    return total / len(own)


def serve(who: str, row_id: str, port: int, lines: IO[bytes], tell: Tell) -> None:
    """One row, until an empty line or an error."""
    row = BY_ID[row_id]
    with asyncio.Runner() as runner:
        once = find(who, row, Site(port, row.wire, row.reply))
        is_async = inspect.iscoroutinefunction(once)
        ready: Callable[[int], float] = partial(timed, once)
        tell(ready=row_id)
        while times := int(lines.readline().strip() or 0):
            gc.collect()
            tell(cpu=runner.run(atimed(once, times)) if is_async else ready(times))


def forked(who: str, row_id: str, port: int, lines: IO[bytes], tell: Tell) -> NoReturn:
    """The row in this process, which ends without what an exit would do for its parent."""
    try:
        serve(who, row_id, port, lines, tell)
    except Exception as exc:  # noqa: BLE001 - the row has failed, whatever it was, and the run goes on
        tell(error=" ".join(f"{type(exc).__name__}: {exc}".split())[:300])
    finally:
        os._exit(0)


def main(who: str, port: str) -> None:
    warnings.simplefilter("ignore")
    # What contenders print goes where errors go: the pipe carries figures alone.
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(**what: Any) -> None:
        print(json.dumps(what), file=pipe, flush=True)

    load(who)
    lines = os.fdopen(0, "rb", buffering=0)  # reads no further than a line: the next is the fork's
    for line in iter(lines.readline, b""):
        pid = os.fork()
        if not pid:
            forked(who, line.decode().strip(), int(port), lines, tell)
        status = os.waitpid(pid, 0)[1]
        if status:
            tell(error=f"ended by signal {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
