"""A package of somebody else's: its own repository, entry point and data, the same commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import refresh_profiles

FILES = {
    "profiles/augmentations/acme.toml": """
upstream = ["acme-ai"]
[models.small]
name = "Small"
deprecation_date = 2099-01-01
successor = "big"
[aliases]
tiny = "small"
""",
    "src/acme_models/__init__.py": "",
    "src/acme_models/provider.py": """
from headrace import Provider
ACME = Provider("acme", "acme_models.model:AcmeModel", package="acme-models")
""",
    "src/acme_models/model.py": """
from headrace.chat_models import BaseChatModel
from headrace.messages import AIMessage
class AcmeModel(BaseChatModel):
    provider = "acme"
    profiles = ("acme_models",)
    async def _generate(self, messages, settings, run):
        return AIMessage("hi")
""",
    "src/acme_models-1.dist-info/METADATA": "Name: acme-models\nVersion: 1\n",
    "src/acme_models-1.dist-info/entry_points.txt": (
        "[headrace.providers]\nacme = acme_models.provider:ACME\n"
    ),
    "app.py": 'model = "acme:tiny"\n',
}
BIG = {"id": "big", "name": "Big", "limit": {"context": 1000, "output": 10}, "tool_call": True}
WORLD = {"acme-ai": {"id": "acme-ai", "name": "Acme", "env": [], "models": {"big": BIG}}}

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """`headrace …` as its author runs it, in the root of that repository."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "api.json").write_text(json.dumps(WORLD))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "headrace", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": "src"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def refreshed(command: Command, *more: str) -> subprocess.CompletedProcess[str]:
    where = ("--provider", "acme", "--data-dir", "src/acme_models", "--source", "api.json")
    return command("profiles", "refresh", *where, *more)


def test_its_data_is_made_and_read_by_the_commands_of_this_one(
    command: Command, tmp_path: Path
) -> None:
    done = refreshed(command, "--diff")
    assert (done.returncode, done.stderr) == (0, "")
    assert "src/acme_models/profiles/acme.json: 2 models, written" in done.stdout
    assert "augmentations: augmentations/acme.toml" in done.stdout
    assert refreshed(command, "--check").returncode == 0
    (tmp_path / "api.json").unlink()

    shown: dict[str, Any] = json.loads(command("profiles", "show", "acme:big", "--json").stdout)
    assert shown["profile"]["tool_calling"] is True
    cards = json.loads(command("models", "acme", "--json").stdout)
    assert [(card["name"], card["status"]) for card in cards] == [
        ("big", "active"),
        ("small", "deprecated"),
    ]
    found = command("profiles", "check", "app.py")
    assert (found.returncode, found.stdout) == (
        1,
        "app.py:1: `acme:tiny` of acme is deprecated, served until 2099-01-01; use `big`\n",
    )


def test_a_provider_that_models_dev_lacks_has_the_facts_of_its_augmentations_alone(
    command: Command, tmp_path: Path
) -> None:
    facts = tmp_path / "profiles" / "augmentations" / "acme.toml"
    facts.write_text('upstream = []\n[models.own]\nname = "Own"\ncontext_size = 10\n')
    assert refreshed(command).returncode == 0
    shown = json.loads(command("profiles", "show", "acme:own", "--json").stdout)
    assert shown["sources"] == {"name": "augmentations", "context_size": "augmentations"}


def test_a_provider_that_nobody_knows_is_an_error_that_says_what_to_write(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "profiles" / "augmentations" / "acme.toml").unlink()
    done = refreshed(command)
    assert done.returncode == 1
    assert "no provider `acme` (did you mean `acme-ai`?)" in done.stderr
    assert "`upstream = [...]`" in done.stderr
    assert not (tmp_path / "src" / "acme_models" / "profiles").exists()


def test_the_partners_of_a_repository_are_found_by_their_entry_points(tmp_path: Path) -> None:
    project = tmp_path / "libs" / "partners" / "x" / "pyproject.toml"
    project.parent.mkdir(parents=True)
    project.write_text(
        '[project.entry-points."headrace.providers"]\n'
        'bedrock = "headrace_x.provider:a"\nbedrock_converse = "headrace_x.provider:b"\n'
        'ollama = "headrace_x.provider:c"\noffline = "headrace_x.provider:d"\n'
    )
    folder = project.parent / "src" / "headrace_x"
    assert refresh_profiles.data_files(tmp_path) == [
        (folder, "bedrock_converse"),
        (folder, "open_weights"),
    ]
