from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from headrace.profiles import ProfileError, find_profile

TOML = """
[acme."*"]
prefill = true
[acme.big]
max_input_tokens = 7
[acme.mine]
tool_calling = true
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(TOML)
    monkeypatch.setenv("HEADRACE_PROFILES", str(path))
    return path


def test_the_users_file_lies_over_the_packaged_data(package: Path, mine: Path) -> None:
    profile = find_profile("acme", "big", packages=package)
    assert (profile["max_input_tokens"], profile["max_output_tokens"]) == (7, 100)
    assert profile.sources["max_input_tokens"] == "user file"
    assert profile.sources["prefill"] == "user file"


def test_a_model_of_the_users_file_is_known(package: Path, mine: Path) -> None:
    assert find_profile("acme", "mine", packages=package) == {"prefill": True, "tool_calling": True}


def test_json_and_null_are_understood(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"acme": {"big": {"cost": None}}}))
    monkeypatch.setenv("HEADRACE_PROFILES", str(path))
    assert "cost" not in find_profile("acme", "big", packages=package)


def test_a_changed_file_is_read_again(package: Path, mine: Path) -> None:
    find_profile("acme", "big", packages=package)
    mine.write_text("[acme.big]\nmax_input_tokens = 8")
    os.utime(mine, ns=(1, 1))
    assert find_profile("acme", "big", packages=package)["max_input_tokens"] == 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[acme", "cannot be read"),
        ("acme = 5", "`acme` is a table, not 5"),
        ("[acme]\nbig = 5", r"`acme\.big` is a table"),
        ("[acme.big]\nmax_imput_tokens = 5", r"big: no field `max_imput_tokens` \(did you mean"),
        ("[acme.big]\nprefill = 1", "`prefill` is true or false"),
    ],
)
def test_a_wrong_file_is_an_error_naming_it(
    package: Path, mine: Path, text: str, told: str
) -> None:
    mine.write_text(text)
    with pytest.raises(ProfileError, match=rf"HEADRACE_PROFILES=.*mine\.toml.*{told}"):
        find_profile("acme", "big", packages=package)


def test_a_file_that_is_not_there_is_an_error(package: Path, mine: Path) -> None:
    mine.unlink()
    with pytest.raises(ProfileError, match="cannot be read"):
        find_profile("acme", "big", packages=package)
