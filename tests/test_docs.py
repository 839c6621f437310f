"""Every Python example in README and docs/ runs as written, page by page, without a provider."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path

import pytest

from headrace.testing import forbid_requests

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
    *sorted((ROOT / "libs").glob("**/README.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[Path]:
    return [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", examples(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run_as_written(page: Path, capsys: pytest.CaptureFixture) -> None:
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": f"docs_{page.stem}"}
    ran = 0
    for block in BLOCK.finditer(text):
        line = text[: block.start()].count("\n") + 2
        run(block.group(1), f"{page.name}:{line}", names)
        ran += 1
    assert ran
    capsys.readouterr()


def run(source: str, where: str, names: dict[str, object]) -> None:
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


def test_links_between_the_pages_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken
