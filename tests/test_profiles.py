"""The committed profiles: made from models.dev's data and our augmentations, and from nothing else.

What needs that data reads HEADRACE_MODELS_DEV, or shared/models-dev/api.json beside the
repository, and is skipped where neither is there.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import refresh_profiles
from headrace.cli import main
from headrace.profiles import ProfileError, find_profile, refresh
from headrace.profiles.fields import checked
from headrace.profiles.naming import table
from headrace.profiles.refresh import Plan, plan_refresh
from headrace.profiles.source import Upstream, read_source

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(
    os.environ.get("HEADRACE_MODELS_DEV", ROOT.parent / "shared" / "models-dev" / "api.json")
)
RECORD = tomllib.loads((ROOT / "profiles" / "upstream.toml").read_text("utf-8"))
FILES = [(folder / "profiles" / f"{name}.json", name) for folder, name in
         refresh_profiles.data_files(ROOT)]  # fmt: skip
IDS = [name for _, name in FILES]
AUGMENTATIONS = sorted((ROOT / "profiles" / "augmentations").glob("*.toml"))
EACH_FILE = pytest.mark.parametrize(("path", "provider"), FILES, ids=IDS)


@pytest.fixture(scope="session")
def upstream() -> Upstream:
    if not DATA.is_file():
        pytest.skip(f"no data of models.dev at {DATA.name}; set HEADRACE_MODELS_DEV")
    return read_source(str(DATA), on=str(RECORD["date"]))


def planned(provider: str, folder: Path, data: Upstream) -> Plan:
    ours = ROOT / "profiles" / "augmentations" / f"{provider}.toml"
    return plan_refresh(provider, folder, data, augmentations=ours if ours.is_file() else None)


def models(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))["models"]
    return found


@EACH_FILE
def test_a_refresh_gives_the_committed_file_byte_for_byte_twice(
    path: Path, provider: str, upstream: Upstream, tmp_path: Path
) -> None:
    for _ in range(2):
        planned(provider, tmp_path, upstream).write()
        assert (tmp_path / "profiles" / path.name).read_bytes() == path.read_bytes()


def test_the_record_names_the_data_that_was_used(upstream: Upstream) -> None:
    assert RECORD["sha256"] == sha256(DATA.read_bytes()).hexdigest() == upstream.sha256
    assert f'"source": "{upstream.label}"' in FILES[0][0].read_text("utf-8")


def test_there_are_no_other_data_files() -> None:
    found = set(ROOT.glob("libs/*/*/src/*/profiles/*.json"))
    assert found == {path for path, _ in FILES}


@EACH_FILE
def test_every_fact_is_of_the_vocabulary_and_one_model_stands_on_a_line(
    path: Path, provider: str
) -> None:
    lines = path.read_text("utf-8").splitlines()
    for model, facts in models(path).items():
        assert (
            sum(line.startswith(json.dumps(model, ensure_ascii=False) + ":") for line in lines) == 1
        )
        assert set(facts.pop("augmented", ())) <= facts.keys()
        assert {name: checked(name, value, model) for name, value in facts.items()} == facts


@pytest.mark.parametrize(
    ("path", "provider"), [file for file in FILES if file[1] != refresh.OPEN_WEIGHTS], ids=str
)
def test_facts_are_those_of_upstream_unless_they_are_marked_as_ours(
    path: Path, provider: str, upstream: Upstream
) -> None:
    said: dict[str, Any] = {}
    for name in reversed(table()["upstream"][provider]):
        said |= upstream.providers[name]["models"]
    for model, facts in models(path).items():
        ours = set(facts.get("augmented", ()))
        for field, value in expected(said.get(model, {})):
            if field == "max_output_tokens" and "embedding_dimensions" in facts:
                value = None  # theirs is the length of a vector: unset
            assert field in ours or facts.get(field) == value, (model, field)


def expected(entry: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A reading of models.dev's entry apart from the one under test, of its plainest facts."""
    if not entry:
        return
    limit = entry["limit"]
    yield "max_output_tokens", limit["output"] or None
    yield "max_input_tokens", limit.get("input") or limit["context"] or None
    for theirs, ours in (
        ("tool_call", "tool_calling"),
        ("reasoning", "reasoning_output"),
        ("temperature", "temperature"),
        ("structured_output", "structured_output"),
        ("knowledge", "knowledge"),
        ("status", "status"),
    ):
        yield ours, entry.get(theirs)
    for modality in ("text", "image", "pdf", "audio", "video"):
        yield f"{modality}_inputs", modality in entry["modalities"]["input"]
    if "cost" in entry and not entry["cost"].keys() & {"tiers", "context_over_200k"}:
        yield "cost", entry["cost"]
    levels = [o["values"] for o in entry.get("reasoning_options", ()) if o["type"] == "effort"]
    if "reasoning_options" in entry:
        yield "reasoning_effort_levels", levels[0] if levels else []


def test_one_changed_figure_changes_one_line(upstream: Upstream, tmp_path: Path) -> None:
    world = json.loads(DATA.read_bytes())
    world["openai"]["models"]["gpt-5"]["limit"]["output"] = 128001
    changed = Upstream(world, "0", str(RECORD["date"]))
    before = planned("openai", tmp_path, upstream)
    before.write()
    plan = planned("openai", tmp_path, changed)
    pairs = zip(before.text.splitlines(), plan.text.splitlines(), strict=True)
    assert sum(old != new for old, new in pairs) == 2  # and the snapshot that is based on it
    assert plan.differences() == [
        "`gpt-5`: `max_output_tokens` goes from 128000 to 128001",
        "`gpt-5-2025-08-07`: `max_output_tokens` goes from 128000 to 128001",
    ]


def test_data_that_broke_off_anywhere_leaves_the_old_file_whole(
    upstream: Upstream, tmp_path: Path
) -> None:
    planned("openai", tmp_path, upstream).write()
    whole = (tmp_path / "profiles" / "openai.json").read_bytes()
    content = DATA.read_bytes()
    for at in random.Random(7).sample(range(len(content) - 1), 50):
        (tmp_path / "api.json").write_bytes(content[:at])
        with pytest.raises(ProfileError):
            planned("openai", tmp_path, read_source(str(tmp_path / "api.json")))
    assert (tmp_path / "profiles" / "openai.json").read_bytes() == whole


@pytest.mark.parametrize("seed", range(50))
def test_a_wrong_type_anywhere_is_an_error(seed: int, upstream: Upstream, tmp_path: Path) -> None:
    world = json.loads(json.dumps({"openai": upstream.providers["openai"]}))
    spoil(world["openai"]["models"], random.Random(seed))
    with pytest.raises(ProfileError, match=r"models\.dev: openai"):
        planned("openai", tmp_path, Upstream(world, "0", "2026-07-02"))


def spoil(value: Any, chance: random.Random) -> None:
    """Puts a value of another type at a random place."""
    node = value[chance.choice(sorted(value))]
    key = chance.choice(sorted(node.keys() - {"id"}))  # which is read from the outside
    while isinstance(node[key], dict) and node[key] and chance.random() < 0.7:
        node = node[key]
        key = chance.choice(sorted(node))
    node[key] = [5] if isinstance(node[key], dict) else {"x": 1}


def test_a_process_that_dies_while_writing_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "acme.json"
    path.write_text("old")
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from headrace.profiles.write import replace_file\n"
        "os.replace = lambda *names: os._exit(9)\n"
        "replace_file(Path(sys.argv[1]), 'new' * 100_000)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert (done.returncode, path.read_text()) == (9, "old")


def test_a_model_that_upstream_lacks_has_the_facts_of_its_base_and_its_own() -> None:
    snapshot = find_profile("openai", "gpt-5-2025-08-07", packages="headrace_openai")
    base = find_profile("openai", "gpt-5", packages="headrace_openai")
    own = {"deprecation_date", "successor", "status"}
    assert snapshot["successor"] == "gpt-5.5"
    assert {k: v for k, v in snapshot.items() if k not in own} == {
        k: v for k, v in base.items() if k not in own
    }


@pytest.mark.parametrize("path", AUGMENTATIONS, ids=lambda path: path.stem)
def test_every_fact_of_ours_stands_under_its_source_and_date(path: Path) -> None:
    head, *paragraphs = path.read_text("utf-8").split("\n\n")
    assert re.search(r"Read in 20\d\d-\d\d", head)
    for paragraph in paragraphs:
        assert re.match(r"# .*(https://|Same )", paragraph, re.DOTALL), paragraph
        assert "[" in paragraph


def test_show_tells_each_fact_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profiles", "show", "openai:gpt-5"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"max_input_tokens +272000 +models\.dev 2026", told)
    assert re.search(r"tool_choice +true +augmentations", told)
    assert main(["profiles", "show", "gpt-4o-mini-2024-07-18", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["provider"], said["model"]) == ("openai", "gpt-4o-mini")
    assert said["sources"].keys() == said["profile"].keys()


def test_show_fails_on_a_model_that_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profiles", "show", "openai:gpt-0"]) == 1
    assert "nothing is known about `openai:gpt-0`" in capsys.readouterr().err


def test_check_finds_what_the_installed_profiles_deprecate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.py").write_text('a = "gpt-4o"\nb = "openai:gpt-4"\n')
    assert main(["profiles", "check", str(tmp_path)]) == 1
    assert capsys.readouterr().out.endswith(
        "a.py:2: `openai:gpt-4` of openai is deprecated, served until 2026-10-23; use `gpt-5.5`\n"
    )
    assert main(["profiles", "check", str(ROOT / "profiles" / "upstream.toml"), "--json"]) == 0


def test_the_providers_of_the_map_are_those_of_the_registry() -> None:
    known = tomllib.loads((ROOT / "libs/core/src/headrace/providers.toml").read_text("utf-8"))[
        "packages"
    ]
    assert (table()["upstream"].keys() | table()["data"].keys()) <= known.keys()
    mapped = table()["upstream"].keys() | table()["data"].keys()
    on_clouds = {"anthropic_bedrock", "anthropic_vertex"}  # read another's file, by its names
    assert known.keys() - mapped == {"offline", "openai_compatible"} | on_clouds
