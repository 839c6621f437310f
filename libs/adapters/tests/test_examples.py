"""The examples of the adapters' pages run as written, beside the frameworks that they name."""

from __future__ import annotations

from pathlib import Path

import pytest
from examples import run_page

ADAPTERS = Path(__file__).resolve().parent.parent
PAGES = [ADAPTERS.parent.parent / "docs/adapters.md", *sorted(ADAPTERS.glob("*/README.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_the_examples_of_a_page_run_as_written(page: Path, capsys: pytest.CaptureFixture) -> None:
    run_page(page)
    capsys.readouterr()
