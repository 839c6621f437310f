from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from headrace.cli import main

API: dict[str, Any] = {
    "acme": {
        "id": "acme",
        "name": "Acme",
        "env": [],
        "models": {"big": {"id": "big", "name": "Big", "limit": {"context": 10, "output": 5}}},
    }
}


@pytest.fixture
def refresh(tmp_path: Path) -> Any:
    """Runs `profiles refresh` on the data given; returns the exit code."""
    (tmp_path / "data").mkdir()

    def run(*options: str, api: Any = API) -> int:
        (tmp_path / "api.json").write_text(api if isinstance(api, str) else json.dumps(api))
        given = ["--provider", "acme", "--data-dir", str(tmp_path / "data")]
        source = ["--source", str(tmp_path / "api.json"), "--date", "2026-07-02"]
        return main(["profiles", "refresh", *given, *source, *options])

    return run


def written(tmp_path: Path) -> Path:
    return tmp_path / "data" / "profiles" / "acme.json"


def test_refresh_writes_and_says_so(refresh: Any, tmp_path: Path, capsys: Any) -> None:
    assert refresh() == 0
    assert "1 models, written" in (out := capsys.readouterr().out)
    assert "augmentations: none found for acme" in out
    assert json.loads(written(tmp_path).read_text())["models"]["big"]["max_output_tokens"] == 5
    assert refresh() == 0
    assert "as it should be" in capsys.readouterr().out


def test_check_fails_where_the_file_differs_and_writes_nothing(
    refresh: Any, tmp_path: Path
) -> None:
    assert refresh("--check") == 1
    assert not written(tmp_path).exists()
    refresh()
    assert refresh("--check") == 0


def test_dry_run_writes_nothing(refresh: Any, tmp_path: Path, capsys: Any) -> None:
    assert refresh("--dry-run", "--diff") == 0
    assert "new file with 1 models" in capsys.readouterr().out
    assert not written(tmp_path).exists()


def test_diff_speaks(refresh: Any, capsys: Any) -> None:
    refresh()
    changed = json.loads(json.dumps(API))
    changed["acme"]["models"]["big"]["limit"]["output"] = 6
    capsys.readouterr()
    assert refresh("--diff", api=changed) == 0
    assert "`big`: `max_output_tokens` goes from 5 to 6" in capsys.readouterr().out
    refresh("--diff", api=changed)
    assert "nothing changes" in capsys.readouterr().out


def test_json_for_machines(refresh: Any, capsys: Any) -> None:
    refresh("--json", "--check")
    said = json.loads(capsys.readouterr().out)
    assert (said["provider"], said["changed"], said["written"]) == ("acme", True, False)


@pytest.mark.parametrize("api", ["", "[", "[]", '{"acme": {"models": {"big": 5}}}'])
def test_an_error_is_one_line_on_stderr_and_exit_1(refresh: Any, capsys: Any, api: str) -> None:
    assert refresh(api=api) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.startswith("ProfileError: "), said.err.count("\n")) == ("", True, 1)


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["profiles"], ["profiles", "refresh"], ["profiles", "show"]]
)
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: Any) -> None:
    assert main(arguments) == 2
    assert "usage: headrace" in capsys.readouterr().err


def test_help_is_exit_0(capsys: Any) -> None:
    assert main(["--help"]) == 0
    assert "profiles" in capsys.readouterr().out


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "headrace", "profiles", "--help"], capture_output=True, check=False
    )
    assert (done.returncode, b"refresh" in done.stdout) == (0, True)
