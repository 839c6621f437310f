from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from headrace.cli import main

MODULE = """
from pydantic import BaseModel
from headrace import RunnableLambda, StrOutputParser, init_chat_model
from headrace.runnables import RunnableGenerator


class Point(BaseModel):
    x: int = 1


def fail(value):
    raise ValueError("no good")


def count(chunks):
    for chunk in chunks:
        yield "one "
        yield {"two": 2}
        yield "three"


model = init_chat_model("offline:demo")
words = model | StrOutputParser()
same = RunnableLambda(lambda value: value)
rich = RunnableLambda(lambda _: {"point": Point(), "nan": float("nan"), "said": model.invoke("hi")})
bad = same | RunnableLambda(fail)
odd = RunnableLambda(lambda _: "\\udcff")
mixed = RunnableGenerator(count)
text = "hello"


class space:
    inner = same
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Runs `headrace run` in a folder with a module `steps`; gives (exit code, stdout, stderr)."""
    (tmp_path / "steps.py").write_text(MODULE)
    (tmp_path / "needs.py").write_text("import not_there_at_all")
    (tmp_path / "broken.py").write_text("x = (")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.delitem(sys.modules, "steps", raising=False)
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(["run", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_text_comes_out_as_text(run: Any) -> None:
    assert run("steps:words", "--input", "Hello there") == (0, "Hello there\n", "")


def test_input_is_json_where_it_is_json(run: Any) -> None:
    assert run("steps:same", "--input", '{"a": [1]}', "--json") == (0, '{"a":[1]}\n', "")
    assert run("steps:same", "--input", "42", "--json") == (0, "42\n", "")
    assert run("steps:same", "--input", "42", "--text", "--json") == (0, '"42"\n', "")


@pytest.mark.parametrize("option", [(), ("--input", "-")])
def test_input_comes_from_stdin(run: Any, option: Any) -> None:
    assert run("steps:same", *option, stdin="one\ntwo\n") == (0, "one\ntwo\n", "")
    assert run("steps:same", *option, "--json", stdin="[1]\n") == (0, "[1]\n", "")


def test_objects_and_messages_come_out_as_json(run: Any) -> None:
    code, out, _ = run("steps:rich", "--input", "x")
    found = json.loads(out)
    assert (code, found["point"], found["nan"]) == (0, {"x": 1}, "NaN")
    assert (found["said"]["type"], found["said"]["content"]) == ("ai", "hi")


def test_a_model_gives_its_message(run: Any) -> None:
    _, out, _ = run("steps:model", "--json", "--input", '[{"role": "user", "content": "hi"}]')
    assert json.loads(out)["usage_metadata"]["total_tokens"] > 0


def test_text_that_no_encoding_holds_comes_out_escaped(run: Any) -> None:
    assert run("steps:odd", "--json", "--input", "x") == (0, '"\\udcff"\n', "")


def test_chunks_come_as_text_or_one_json_a_line(run: Any) -> None:
    assert run("steps:words", "--stream", "--input", "a b")[1] == "a b\n"
    assert run("steps:words", "--stream", "--json", "--input", "a b")[1] == '"a "\n"b"\n'
    assert run("steps:mixed", "--stream", "--input", "x")[1] == 'one \n{"two":2}\nthree\n'


def test_an_attribute_of_an_attribute_is_found(run: Any) -> None:
    assert run("steps:space.inner", "--input", "x") == (0, "x\n", "")


def test_a_config_is_checked_and_used(run: Any) -> None:
    assert run("steps:same", "--input", "x", "--config", '{"tags": ["a"]}')[0] == 0
    code, _, err = run("steps:same", "--input", "x", "--config", '{"tgs": []}')
    assert (code, "did you mean `tags`?" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["steps"], "is not MODULE:RUNNABLE"),
        (["nowhere:x"], "no module `nowhere`"),
        (["steps.nowhere:x"], "no module `steps.nowhere`"),
        (["steps.py:same"], "say `steps`"),
        (["./lib/steps.py:same"], "such as `lib.steps`"),
        (["steps:wods"], "did you mean `words`?"),
        (["steps:text"], "is no Runnable but of class str; there are `model`, `words`"),
        (["steps:Point"], "is no Runnable but a class"),
        (["steps:same", "--config", "{"], "`--config` is not JSON"),
        (["steps:same", "--config", "[]"], "a config is a dict"),
        (["steps:same", "--input", "{oops"], "the input is not JSON"),
        (["steps:same", "--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_wrong_usage_is_exit_2_and_told(run: Any, arguments: list[str], told: str) -> None:
    given = arguments if "--input" in arguments else [*arguments, "--input", "x"]
    code, out, err = run(*given)
    assert (code, out) == (2, "")
    assert told in err


def test_no_input_is_wrong_usage(run: Any) -> None:
    code, _, err = run("steps:same")
    assert (code, "no input" in err) == (2, True)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("steps:bad", "ValueError: no good (in step fail)\n"),
        ("needs:x", "ModuleNotFoundError: No module named 'not_there_at_all'\n"),
        ("broken:x", "SyntaxError: '(' was never closed (broken.py, line 1)\n"),
    ],
)
def test_a_failure_of_the_users_code_is_one_line_and_exit_1(
    run: Any, named: str, told: str
) -> None:
    assert run(named, "--input", "x") == (1, "", told)


def test_a_traceback_is_shown_when_asked_for(run: Any) -> None:
    code, _, err = run("steps:bad", "--input", "x", "--traceback")
    assert code == 1
    assert err.startswith("Traceback")
    assert "in fail" in err


def test_the_console_script_finds_modules_of_the_current_folder(
    headrace: Any, tmp_path: Path
) -> None:
    (tmp_path / "steps.py").write_text(MODULE)
    done = headrace("run", "steps:words", input="from a pipe")
    assert (done.stdout, done.stderr, done.returncode) == ("from a pipe\n", "", 0)
