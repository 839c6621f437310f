"""`headrace providers`, `models` and `params`, on a provider that a test brings along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from headrace import registry
from headrace.chat_models import BaseChatModel
from headrace.cli import main
from headrace.cli.providers import providers
from headrace.profiles import files
from headrace.registry import Provider

DATA = {
    "provider": {"name": "Acme"},
    "source": "a test",
    "models": {
        "big-1": {
            "name": "Big", "context_size": 1_048_576, "max_output_tokens": 8192,
            "cost": {"input": 1.25, "output": 10}, "tool_calling": True, "image_inputs": True,
            "text_outputs": True,
        },
        "old-1": {
            "name": "Old", "tool_calling": False, "text_outputs": True,
            "status": "deprecated", "successor": "big-1",
        },
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A provider `acme`, and nothing else but the offline one."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "acme.json").write_text(json.dumps(DATA))

    class Chat(BaseChatModel):
        provider = "acme"
        profiles = (str(tmp_path),)

        async def _generate(self, messages: Any, settings: Any, run: Any) -> Any:
            raise NotImplementedError

    found = {"offline": registry.OFFLINE, "acme": Provider("acme", Chat, package="acme-pack")}
    monkeypatch.setattr(registry, "_installed", lambda: found)
    registry._loaded.cache_clear()
    files.forget()
    yield
    registry._loaded.cache_clear()
    files.forget()


def said(capsys: Any, *arguments: str) -> Any:
    """What a command that must succeed writes; with --json the value of it."""
    assert main(arguments) == 0
    out = capsys.readouterr().out
    return json.loads(out) if "--json" in arguments else out


def test_providers_are_installed_or_have_a_pip_command(capsys: Any) -> None:
    rows = {row["id"]: row for row in said(capsys, "providers", "--json")}
    assert rows["acme"]["package"] == "acme-pack"
    assert (rows["acme"]["installed"], rows["acme"]["install"]) == (True, None)
    assert (rows["ollama"]["installed"], rows["mistralai"]["aliases"]) == (False, ["mistral"])
    assert rows["ollama"]["install"] == "pip install headrace-ollama"


def test_providers_for_people_stand_in_columns(capsys: Any) -> None:
    lines = said(capsys, "providers").splitlines()
    at = lines[0].index("STATE")
    states = {line.split()[0]: line[at:] for line in lines[1:]}
    assert states["acme"] == "installed"
    assert states["ollama"] == "pip install headrace-ollama"


def test_a_provider_that_cannot_be_loaded_does_not_hide_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = EntryPoint("torn", "no_such_module:x", registry.GROUP)
    monkeypatch.setattr(registry, "_installed", lambda: {"torn": entry})
    rows = {row["id"]: row for row in providers()}
    assert rows["torn"]["error"].startswith("ModuleNotFoundError")
    assert "ollama" in rows


def test_models_tell_size_price_and_abilities(capsys: Any) -> None:
    assert said(capsys, "models") == (
        "MODEL       CONTEXT  OUTPUT  IN $/M  OUT $/M  ABILITIES\n"
        "acme:big-1    1.05M   8.19k    1.25       10  images tools\n"
        "acme:old-1        ?       ?       ?        ?  (deprecated: big-1)\n"
    )


def test_models_as_json_are_cards(capsys: Any) -> None:
    big, old = said(capsys, "models", "acme", "--json")
    assert (big["name"], big["context_size"], big["abilities"]) == (
        "big-1", 1_048_576, ["images", "tools"],
    )  # fmt: skip
    assert old["status"] == "deprecated"


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["name=big*"], ["big-1"]),
        (["context_size=1_000_000"], ["big-1"]),
        (["tool_calling"], ["big-1"]),
        (["tool_calling=false"], ["old-1"]),
        (["input_types=image/png", "status=active"], ["big-1"]),
        (["status=deprecated", "tool_calling=true"], []),
    ],
)
def test_filters_are_fields_of_cards_and_profiles(
    capsys: Any, filters: list[str], names: list[str]
) -> None:
    options = [part for one in filters for part in ("--filter", one)]
    assert [card["name"] for card in said(capsys, "models", *options, "--json")] == names


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["models", "acm"], "did you mean `acme`?"),
        (["models", "--filter", "tool_caling=true"], "did you mean `tool_calling`?"),
        (["models", "--filter", "context_size=big"], "is compared with a number"),
        (["models", "--filter", "tool_calling=yes"], "is true or false"),
        (["models", "--filter", "name"], "is not field=value"),
        (["models", "--filter", "live=true"], "not listed by"),
        (["models", "--live"], "say which"),
        (["params"], "usage: headrace params"),
        (["params", "acm"], "which provider"),
        (["params", "acme:big-1", "-p", "nonsense=1"], "no parameter `nonsense`"),
    ],
)
def test_wrong_usage_is_exit_2(capsys: Any, arguments: list[str], told: str) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_cards_of_ones_own_are_listed_too(capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\nprovider = "acme"\n')
    cards = said(capsys, "models", "acme", "--cards", str(tmp_path), "--json")
    assert [card["name"] for card in cards] == ["big-1", "mine", "old-1"]


def test_nothing_found_is_said_on_stderr(capsys: Any) -> None:
    assert main(["models", "--filter", "name=zz"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "headrace: no such model is known\n")


def test_params_tell_what_becomes_of_each(capsys: Any) -> None:
    rows = {row["parameter"]: row for row in said(capsys, "params", "acme:old-1", "--json")}
    assert rows["temperature"]["asked"] == [2.0]
    assert rows["top_p"]["outcome"] == "left out"
    lines = said(capsys, "params", "acme:old-1").splitlines()
    assert lines[0].split() == ["PARAMETER", "OUTCOME", "ASKED", "->", "SENT", "REASON"]
    assert len(lines) == len(rows) + 1
