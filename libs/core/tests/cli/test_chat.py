from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_a_prompt_is_answered_once(headrace: Any) -> None:
    done = headrace("chat", "-m", "acme:m", "hello")
    assert (done.stdout, done.stderr, done.returncode) == ("human hello\n", "", 0)


def test_a_system_message_goes_first(headrace: Any) -> None:
    done = headrace("chat", "-m", "acme:m", "--system", "Be brief.", "hello")
    assert done.stdout == "system Be brief. / human hello\n"


def test_piped_text_is_the_prompt_or_comes_after_it(headrace: Any) -> None:
    assert headrace("chat", "-m", "acme:m", input="piped\n").stdout == "human piped\n"
    both = headrace("chat", "-m", "acme:m", "asked:", input="piped\n")
    assert both.stdout == "human asked:\n\npiped\n"


def test_without_a_model_the_offline_one_answers_and_says_so(headrace: Any) -> None:
    done = headrace("chat", "Hello there")
    assert (done.stdout, done.returncode) == ("Hello there\n", 0)
    assert done.stderr.count("\n") == 1
    assert "offline:demo" in done.stderr


def test_the_environment_names_the_model(headrace: Any) -> None:
    done = headrace("chat", "hello", HEADRACE_MODEL="acme:m")
    assert (done.stdout, done.stderr) == ("human hello\n", "")


def test_parameters_are_json_or_text(headrace: Any) -> None:
    done = headrace("chat", "-m", "offline:demo", "-p", "max_tokens=1", "-p", "stop=x", "one two")
    assert done.stdout == "one\n"
    assert "cut off" in done.stderr


def test_json_gives_each_piece_and_last_the_message_with_usage(headrace: Any) -> None:
    done = headrace("chat", "-m", "acme:m", "--json", "think")
    *pieces, last = map(json.loads, done.stdout.splitlines())
    assert pieces == [{"event": "reasoning", "text": "hm"}, {"event": "text", "text": "aha"}]
    assert last["event"] == "message"
    assert last["message"]["usage_metadata"]["total_tokens"] == 1002


def test_reasoning_is_not_piped(headrace: Any) -> None:
    assert headrace("chat", "-m", "acme:m", "think").stdout == "aha\n"


def test_a_failure_is_one_line_and_exit_1(headrace: Any) -> None:
    done = headrace("chat", "-m", "acme:m", "fail")
    assert (done.stdout, done.returncode) == ("half\n", 1)
    assert done.stderr == "ModelAPIError: it broke\n"


def test_what_a_text_does_not_show_is_told(headrace: Any) -> None:
    assert "cut off" in headrace("chat", "-m", "acme:m", "cut").stderr
    assert "also holds image" in headrace("chat", "-m", "acme:m", "picture").stderr


@pytest.mark.parametrize(
    ("arguments", "input", "told"),
    [
        ((), "", "nothing to ask"),
        (("--json",), " \n", "nothing to ask"),
        (("-m", "nobody", "hi"), "", "which provider serves model `nobody`?"),
        (("-m", "acme:m", "-p", "temprature=1", "hi"), "", "did you mean `temperature`?"),
        (("-m", "acme:m", "-p", "temperature=9", "hi"), "", "less than or equal to 2"),
        (("-m", "acme:m", "-p", "model=x", "hi"), "", "use `-m`"),
        (("-p", "nonsense", "hi"), "", "is not name=value"),
        (("--nonsense", "hi"), "", "usage: headrace"),
        (("one", "two"), "", "usage: headrace"),
        ((), b"\xff\xfe", "is not text"),
    ],
)
def test_wrong_usage_is_exit_2(headrace: Any, arguments: Any, input: Any, told: str) -> None:
    done = headrace("chat", *arguments, input=input)
    assert (done.stdout, done.returncode) == ("", 2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_package_is_a_failure_with_its_remedy(headrace: Any, tmp_path: Path) -> None:
    # A distribution of this name without entry points stands before the one that is installed.
    hidden = tmp_path / "site" / "headrace_dashscope-0.dist-info"
    hidden.mkdir()
    (hidden / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: headrace-dashscope\nVersion: 0\n"
    )
    done = headrace("chat", "-m", "dashscope:qwen-plus", "hi")
    assert done.returncode == 1
    assert done.stderr.startswith("MissingPackageError: ")
    assert "pip install headrace-dashscope" in done.stderr


# On a terminal.


def test_a_conversation_keeps_its_history_until_ctrl_d(terminal: Any) -> None:
    screen = terminal("chat", "-m", "acme:m")
    screen.expect("> ")
    screen.type("one\r")
    screen.expect("human one\n")
    screen.expect("> ")
    screen.type("two\r")
    screen.expect("human one / ai human one / human two\n")
    assert screen.leave() == 0


def test_ctrl_c_ends_the_answer_closes_its_stream_and_keeps_what_was_read(
    terminal: Any, tmp_path: Path
) -> None:
    screen = terminal("chat", "-m", "acme:m")
    screen.expect("> ")
    screen.type("count\r")
    screen.expect("0 1 2 ")
    screen.expect("> ", again="\x03")
    assert (tmp_path / "log").read_text() == "closed"
    screen.type("next\r")
    screen.expect("human count / ai 0 1 2 ")
    screen.expect("/ human next")
    assert screen.leave() == 0


def test_ctrl_c_at_the_prompt_ends_nothing(terminal: Any) -> None:
    screen = terminal("chat", "-m", "acme:m")
    screen.expect("> ")
    screen.type("half a line")
    screen.expect("half a line")  # a Ctrl-C on its heels would make the terminal drop it
    screen.expect("> ", again="\x03")
    screen.type("whole\r")
    screen.expect("human whole\n")
    assert screen.leave() == 0


def test_commands_change_the_conversation(terminal: Any) -> None:
    screen = terminal("chat", "-m", "acme:m", "--system", "old")
    for line, shown in (
        ("one", "system old / human one\n"),
        ("/system new", "is set\n"),
        ("two", "system new / human one / ai system old / human one / human two\n"),
        ("/clear", "forgotten\n"),
        ("/system", "no system message\n"),
        (" /three", "human /three\n"),
        ("/usage", "m      3,000       6  3,006\n"),
        ("/nonsense", "no command /nonsense"),
        ("/help", "/clear"),
    ):
        screen.expect("> ")
        screen.type(f"{line}\r")
        screen.expect(shown)
    screen.expect("> ")
    screen.type("/exit\r")
    assert screen.end() == 0


@pytest.mark.parametrize(("asked", "told"), [("fail", "it broke"), ("crash", "not ours")])
def test_an_error_ends_the_turn_alone(terminal: Any, asked: str, told: str) -> None:
    screen = terminal("chat", "-m", "acme:m")
    screen.expect("> ")
    screen.type(f"{asked}\r")
    screen.expect(told)
    screen.expect("> ")
    screen.type("again\r")
    screen.expect("human again\n")
    assert screen.leave() == 0


def test_reasoning_is_dimmed_on_a_terminal(terminal: Any) -> None:
    screen = terminal("chat", "-m", "acme:m", "think")
    assert screen.end() == 0
    assert screen.shown == "\x1b[2mhm\x1b[0m\n\naha\n"


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_styles_can_be_switched_off(terminal: Any, variable: dict[str, str]) -> None:
    screen = terminal("chat", "-m", "acme:m", "think", **variable)
    assert screen.end() == 0
    assert screen.shown == "hm\n\naha\n"


def test_a_model_cannot_program_the_terminal(terminal: Any, headrace: Any) -> None:
    screen = terminal("chat", "-m", "acme:m", "escape")
    assert screen.end() == 0
    assert screen.shown == "]52;c;cm0=red\n"
    assert headrace("chat", "-m", "acme:m", "escape").stdout == "\x1b]52;c;cm0=\x07red\n"


def test_ctrl_c_ends_a_single_answer_with_130(terminal: Any, tmp_path: Path) -> None:
    screen = terminal("chat", "-m", "acme:m", "count")
    screen.expect("0 1 2 ")
    screen.type("\x03")
    assert screen.end() == 130
    assert "Traceback" not in screen.shown
    assert (tmp_path / "log").read_text() == "closed"


def test_json_needs_a_prompt_on_a_terminal(terminal: Any) -> None:
    screen = terminal("chat", "--json")
    assert screen.end() == 2
    assert "needs a PROMPT" in screen.shown
