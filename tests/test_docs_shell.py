"""Every shell example with `headrace` in docs/ runs as written, offline, and says what is shown.

In a ```console block a line `$ …` is a command and what follows is all that it writes, stdout and
stderr; `[2]` at its end is its exit code, else 0. `...` stands for lines, or for the end of one.
Without lines below, only the exit code counts. A ```python block that begins with `# name.py` is
that file, beside which later commands of the page run.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.py)\n")


def pages() -> list[Path]:
    return [page for page in PAGES if "```console\n" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_the_shell_examples_of_a_page_do_what_it_shows(page: Path, tmp_path: Path) -> None:
    environment = offline(tmp_path / "bin")
    work = tmp_path / "work"
    work.mkdir()
    ran = 0
    for kind, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "python":
            if named := FILE.match(block):
                (work / named[1]).write_text(block)
            continue
        for command, shown, code in commands(block):
            done = subprocess.run(
                ["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, cwd=work, env=environment, timeout=60, check=False,
            )  # fmt: skip
            said = done.stdout.decode()
            assert done.returncode == code, f"{command}\n{said}"
            assert not shown or pattern(shown).fullmatch(said), f"{command}\n{said}"
            ran += 1
    assert ran


def commands(block: str) -> Iterator[tuple[str, str, int]]:
    """(command, output shown, exit code) of each command with `headrace` in it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        code = 0
        if last := re.search(r"^\[(\d+)\]\n\Z", shown, re.MULTILINE):
            code, shown = int(last[1]), shown[: last.start()]
        if re.search(r"(^|\| )headrace ", command):
            yield command, shown, code


def pattern(shown: str) -> re.Pattern[str]:
    """What the shown output means: `...` alone is any lines, at the end of a line its rest."""
    lines = []
    for line in shown.splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*")
        elif line.endswith("..."):
            lines.append(re.escape(line.removesuffix("...")) + r".*\n")
        else:
            lines.append(re.escape(line) + r"\n")
    return re.compile("".join(lines))


def offline(folder: Path) -> dict[str, str]:
    """Variables under which `headrace` is this one, without keys, and may not ask anybody."""
    folder.mkdir()
    script = folder / "headrace"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m headrace "$@"\n')
    script.chmod(0o755)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith(("_API_KEY", "_BASE_URL")) and not name.startswith("HEADRACE")
    }
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {**kept, "PATH": path, "PYTHONUTF8": "1", "HEADRACE_FORBID_REQUESTS": "1"}


def test_an_example_that_says_something_else_is_found() -> None:
    assert pattern("one...\n...\nlast\n").fullmatch("one two\nthree\nlast\n")
    assert not pattern("one\n...\nlast\n").fullmatch("one two\nthree\nlast\n")
    block = "$ headrace x\n$ ls\n$ echo | headrace y\nout\n[1]\n"
    assert list(commands(block)) == [("headrace x", "", 0), ("echo | headrace y", "out\n", 1)]
