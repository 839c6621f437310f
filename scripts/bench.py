"""What headrace costs by itself: a step, a sum of chunks, an import. Prints tables.

`python scripts/bench.py [import] [steps] [sums]`; no network, no key. Times are the best of
several rounds, so that they say what the code costs and not what else the machine did.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import subprocess
import sys
from functools import partial
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
SIZES = (1_000, 10_000, 100_000)
IMPORTS = (
    "import headrace",
    "import headrace.messages",
    "import headrace.runnables",
    "import pydantic",
    "from headrace_openai import ChatOpenAI",
)
TIMED_IMPORT = """
import json, sys, time
before, start = len(sys.modules), time.perf_counter()
{statement}
print(json.dumps([(time.perf_counter() - start) * 1e3, len(sys.modules) - before]))
"""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none")
    parts = parser.parse_args(argv).parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {sorted(unknown)}; there are {list(PARTS)}")
    for part in parts:
        try:
            PARTS[part]()
        except ImportError as error:
            print(f"\n{part}: not measured: {error}; `make test` installs all packages")
    return 0


def bench_imports() -> None:
    """Wall time and modules of an import in a fresh interpreter, beside pydantic's own."""
    heading("import cost", f"{'ms':>8} {'modules':>8}")
    for statement in IMPORTS:
        code = TIMED_IMPORT.format(statement=statement)
        runs = [
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=False
            )
            for _ in range(ROUNDS)
        ]
        if any(run.returncode for run in runs):
            print(f"  {statement:<40} failed: {runs[0].stderr.strip().splitlines()[-1]}")
            continue
        took, modules = min(json.loads(run.stdout) for run in runs)
        print(f"  {statement:<40} {took:8.1f} {modules:8d}")


def bench_steps() -> None:
    """CPU time of a sequence of steps that do nothing."""
    step = find("headrace.runnables", "RunnableLambda")
    heading("a sequence of inline steps", f"{'us a call':>12} {'us a step':>12}")
    for length in (2, 10, 50):
        chain = step(same, inline=True)
        for _ in range(length - 1):
            chain = chain | step(same, inline=True)
        calls = max(20_000 // length, 200)
        doors = {
            "invoke": partial(repeat, chain.invoke, calls),
            "ainvoke": partial(in_loop, chain.ainvoke, calls),
        }
        for door, work in doors.items():
            took = best(work)
            call = took / calls * 1e6
            print(f"  {f'{door}, {length} steps':<40} {call:12.2f} {call / length:12.2f}")


def bench_sums() -> None:
    """CPU time a chunk of `total = total + chunk`, read once at the end; flat means linear."""
    new = find("headrace.messages", "AIMessageChunk")
    heading("sum of chunks, us a chunk", "".join(f"{size:>12,}" for size in SIZES) + "   growth")
    for name, (chunk, read) in chunk_kinds(new).items():
        costs = []
        for size in SIZES:
            chunks = [chunk(i, size) for i in range(size)]
            costs.append(best(partial(add_up, chunks, read)) / size * 1e6)
        row = "".join(f"{cost:12.3f}" for cost in costs)
        print(f"  {name:<40} {row} {costs[-1] / costs[0]:7.2f}x")


def chunk_kinds(
    new: Callable[..., Any],
) -> dict[str, tuple[Callable[[int, int], Any], Callable[[Any], Any]]]:
    """Per kind: the i-th of n chunks, and what is read of their sum."""

    def argument(i: int, n: int) -> Any:
        text = '{"text": "' if i == 0 else '"}' if i == n - 1 else "word "
        named = {"name": "write", "id": "call_1"} if i == 0 else {"name": None, "id": None}
        piece = {"type": "tool_call_chunk", "args": text, "index": 0, **named}
        return new(tool_call_chunks=[piece], chunk_position="last" if i == n - 1 else None)

    def block(i: int, n: int) -> Any:
        return new(content=[{"type": "text", "text": "word ", "index": i * 10 // n}])

    return {
        "text": (lambda i, n: new(content="word "), lambda total: total.content),
        "tool arguments": (argument, lambda total: total.tool_calls[0]["args"]["text"]),
        "content blocks, ten by index": (block, lambda total: total.content_blocks),
    }


def add_up(chunks: list[Any], read: Callable[[Any], Any]) -> Any:
    """What is read of the total of the chunks, added the way users add them."""
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    return read(total)


def same(value: Any) -> Any:
    return value


def repeat(call: Callable[[Any], Any], times: int) -> None:
    for i in range(times):
        call(i)


def in_loop(call: Callable[[Any], Any], times: int) -> None:
    async def awaited() -> None:
        for i in range(times):
            await call(i)

    asyncio.run(awaited())


def find(module: str, name: str) -> Any:
    """The thing to measure; ImportError if it is not installed or not written yet."""
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        raise ImportError(f"`{module}` has no `{name}`") from None


def best(work: Callable[[], Any]) -> float:
    """The least CPU time, in seconds, of several rounds."""
    took = []
    for _ in range(ROUNDS):
        start = process_time()
        work()
        took.append(process_time() - start)
    return min(took)


def heading(title: str, columns: str) -> None:
    print(f"\n{title:<42} {columns}")


PARTS = {"import": bench_imports, "steps": bench_steps, "sums": bench_sums}

if __name__ == "__main__":
    began = perf_counter()
    status = main(sys.argv[1:])
    print(f"\n{sys.version.split()[0]} on {sys.platform}, {perf_counter() - began:.1f} s")
    sys.exit(status)
