"""Every Python example in README and docs/ runs as written, page by page, without a provider."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from examples import BLOCK, run_page

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
    *sorted((ROOT / "libs").glob("**/README.md")),
]
ADAPTERS = ROOT / "libs/adapters"  # they run beside their frameworks: libs/adapters/tests


def examples() -> list[Path]:
    return [
        page
        for page in PAGES
        if BLOCK.search(page.read_text(encoding="utf-8"))
        and ADAPTERS not in page.parents
        and page != ROOT / "docs/adapters.md"
    ]


@pytest.mark.parametrize("page", examples(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run_as_written(page: Path, capsys: pytest.CaptureFixture) -> None:
    run_page(page)
    capsys.readouterr()


def test_links_between_the_pages_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken
