"""Runs the Python examples of a page in order, as a reader would, without a provider."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path

from headrace.testing import forbid_requests

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_page(page: Path) -> None:
    """Runs all examples of a page under one set of names; at least one has to be there."""
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": f"docs_{page.stem}"}
    blocks = list(BLOCK.finditer(text))
    assert blocks
    for block in blocks:
        line = text[: block.start()].count("\n") + 2
        run(block.group(1), f"{page.name}:{line}", names)


def run(source: str, where: str, names: dict[str, object]) -> None:
    """Runs one example, which reaches no provider unless it starts a server for it."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(source, where, "exec", flags, dont_inherit=True)  # a page has its own futures
    if "LoopbackServer(" in source:
        result = eval(code, names)
    else:
        with forbid_requests():
            result = eval(code, names)
            if inspect.iscoroutine(result):
                asyncio.run(result)
                return
    if inspect.iscoroutine(result):
        asyncio.run(result)
