from __future__ import annotations

from pathlib import Path

import pytest

from headrace.cli import deprecated
from headrace.cli.deprecated import find_deprecated
from headrace.errors import ConfigurationError

OLD = {"status": "deprecated", "deprecation_date": "2026-10-23", "successor": "new"}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"old-1": ("acme", OLD), "acme:old-1": ("acme", OLD), "o1": ("acme", {})}
    monkeypatch.setattr(deprecated, "_deprecated", lambda: names)


def found(path: Path) -> list[tuple[int, str]]:
    return [(one.line, one.model) for one in find_deprecated([path])]


def test_quoted_names_are_found_in_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'o1 = 5\nmodel = "old-1"\nother = "old-12"\nx = o1\ny("acme:old-1")\n'
    )
    assert found(tmp_path) == [(2, "old-1"), (5, "acme:old-1")]


def test_bare_values_are_found_in_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("model: old-1\nnote: an old-1 of old\n")
    (tmp_path / ".env").write_text("MODEL=old-1\n")
    assert found(tmp_path) == [(1, "old-1"), (1, "old-1")]


def test_a_finding_names_the_end_and_the_successor(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('"old-1"')
    (one,) = find_deprecated([tmp_path])
    assert str(one).endswith(
        "a.py:1: `old-1` of acme is deprecated, served until 2026-10-23; use `new`"
    )


@pytest.mark.parametrize("place", ["node_modules", ".venv", "venv"])
def test_what_others_wrote_is_left_out(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir()
    (tmp_path / place / "a.py").write_text('"old-1"')
    (tmp_path / "a.bin").write_text('"old-1"')
    (tmp_path / "b.py").write_bytes(b'\xff"old-1"')
    assert found(tmp_path) == []


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file or folder"):
        found(tmp_path / "missing")
