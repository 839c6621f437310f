"""What all commands share: ends, pipes, encodings, imports."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from headrace.cli import main
from headrace.cli.main import COMMANDS

MODELS = ["run", "many:lines", "--input", "1", "--stream"]


def test_the_version_is_that_of_the_package(capsys: Any) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "headrace 0.1.0\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help_and_json(command: str, capsys: Any) -> None:
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "--json" in out or command == "profiles"


def test_options_are_not_guessed_from_their_beginning(capsys: Any) -> None:
    assert main(["providers", "--js"]) == 2
    assert "--js" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["asyncio", "pydantic", "headrace.chat_models"])
def test_help_loads_next_to_nothing(module: str) -> None:
    code = "import sys; from headrace.cli import main; main(['--help']); "
    code += f"print({module!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_chat_loads_no_asyncio() -> None:
    code = (
        "import sys; from headrace.cli import main; main(['chat', 'hi', '-m', 'offline:demo']);"
        "print('asyncio' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, input=""
    )
    assert done.stdout == "hi\nFalse\n"


def test_a_reader_that_leaves_ends_the_command_quietly(environment: Any, tmp_path: Any) -> None:
    (tmp_path / "many.py").write_text(
        "from headrace.runnables import RunnableGenerator\n"
        "def gen(chunks):\n"
        "    for _ in chunks:\n"
        "        for number in range(10_000_000): yield f'{number}\\n'\n"
        "lines = RunnableGenerator(gen)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-m", "headrace", *MODELS],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert writer.stdout is not None
    assert writer.stderr is not None
    assert writer.stdout.readline() == b"0\n"
    writer.stdout.close()
    assert writer.stderr.read() == b""
    assert writer.wait(timeout=30) == 141
    writer.stderr.close()


def test_a_full_disk_is_a_failure(environment: Any, tmp_path: Any) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "headrace", "providers"],
            stdout=full, stderr=subprocess.PIPE, env=environment, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert done.stderr.startswith(b"OSError: ")


def test_an_encoding_that_lacks_a_sign_is_no_error(headrace: Any) -> None:
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = headrace("chat", "-m", "acme:m", "naïve", **plain)
    assert (done.stdout, done.returncode) == ("human na\\xefve\n", 0)
    assert (
        '"human na\\u00efve"' in headrace("chat", "-m", "acme:m", "naïve", "--json", **plain).stdout
    )


def test_warnings_are_one_line_without_code(headrace: Any, tmp_path: Any) -> None:
    (tmp_path / "warns.py").write_text(
        "import warnings\nfrom headrace import RunnableLambda\n"
        "warn = RunnableLambda(lambda x: warnings.warn('mind this') or x)\n"
    )
    done = headrace("run", "warns:warn", "--input", "x")
    assert (done.stdout, done.stderr) == ("x\n", "headrace: warning: mind this\n")


def test_tables_fit_the_terminal(terminal: Any) -> None:
    screen = terminal("providers", columns=50)
    assert screen.end() == 0
    assert max(map(len, screen.shown.splitlines())) <= 50


def test_figures_of_a_pipe_stay_on_one_line(headrace: Any) -> None:
    lines = headrace("providers", COLUMNS="30").stdout.splitlines()
    assert all(line.split()[0].isidentifier() for line in lines)
