from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.profiles import ProfileError
from headrace.profiles.refresh import identify, plan_refresh
from headrace.profiles.source import Upstream, read_source
from headrace.profiles.write import replace_file

Source = Callable[[], Upstream]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    return path


def test_one_model_a_line_sorted(folder: Path, source: Source) -> None:
    plan = plan_refresh("acme", folder, source())
    lines = plan.text.splitlines()
    assert json.loads(plan.text)["provider"]["env"] == ["ACME_API_KEY"]
    starts = [line.split('"')[1] for line in lines[5:-2]]
    assert starts == ["big", "old-20240101", "old-20250514", "org/Cased"]
    assert all(len(json.loads("{" + line.rstrip(",") + "}")) == 1 for line in lines[5:-2])


def test_a_second_refresh_changes_nothing(folder: Path, source: Source) -> None:
    plan_refresh("acme", folder, source()).write()
    before = (folder / "profiles" / "acme.json").stat()
    plan = plan_refresh("acme", folder, source())
    plan.write()
    assert (plan.changed, plan.differences()) == (False, [])
    assert (folder / "profiles" / "acme.json").stat().st_mtime_ns == before.st_mtime_ns


def test_a_later_date_alone_is_no_change(folder: Path, tmp_path: Path, source: Source) -> None:
    plan_refresh("acme", folder, source()).write()
    later = read_source(str(tmp_path / "api.json"), on="2026-08-01")
    assert not plan_refresh("acme", folder, later).changed


def test_what_changed_is_told_in_words(folder: Path, source: Source, world: Any) -> None:
    plan_refresh("acme", folder, source()).write()
    models = world["acme"]["models"]
    models["big"]["limit"]["output"] = 50
    models["big"]["cost"]["input"] = 2
    del models["big"]["temperature"]
    models["old-20250514"]["family"] = "old"
    models["new"] = {**models.pop("old-20240101"), "id": "new"}
    assert plan_refresh("acme", folder, source()).differences() == [
        "`big`: cost, `input` goes from 1 to 2",
        "`big`: `max_output_tokens` goes from 100 to 50",
        "`big`: `temperature` is no longer known; it was true",
        "`new`: added",
        "`old-20240101`: removed",
        '`old-20250514`: `family` is now known: "old"',
    ]


def test_a_file_that_cannot_be_read_is_replaced(folder: Path, source: Source) -> None:
    (folder / "profiles").mkdir()
    (folder / "profiles" / "acme.json").write_bytes(b"\xff{")
    plan = plan_refresh("acme", folder, source())
    assert plan.differences() == ["the file there could not be read; it becomes one of 4 models"]
    plan.write()
    assert not plan_refresh("acme", folder, source()).changed


@pytest.mark.parametrize(
    ("asked", "ours"),
    [
        ("moonshot", "moonshot"),
        ("moonshotai", "moonshot"),
        ("google", "google_genai"),
        ("gemini_openai", "gemini_openai"),
        ("vllm", "open_weights"),
        ("cohere", "cohere"),
    ],
)
def test_a_provider_is_named_by_our_id_or_theirs(asked: str, ours: str) -> None:
    assert identify(asked)[0] == ours


def test_of_several_sources_the_first_decides(folder: Path, source: Source, world: Any) -> None:
    inland, abroad = dict(world["acme"]), json.loads(json.dumps(world["acme"]))
    abroad["api"] = "https://abroad.test"
    abroad["models"]["big"]["name"] = "Other"
    abroad["models"]["more"] = {**abroad["models"]["big"], "id": "more"}
    world |= {"alibaba-cn": inland, "alibaba": abroad}
    models = json.loads(plan_refresh("dashscope", folder, source()).text)["models"]
    assert (models["big"]["name"], models["more"]["wire"]["api"]) == ("BIG", "https://abroad.test")
    assert "wire" not in models["big"]


def test_no_augmentations_are_told(folder: Path, source: Source) -> None:
    assert plan_refresh("acme", folder, source()).notes == ("augmentations: none found for acme",)


def test_a_new_key_of_models_dev_is_told_and_harmless(
    folder: Path, source: Source, world: Any
) -> None:
    world["acme"]["models"]["big"]["mood"] = "good"
    notes = plan_refresh("acme", folder, source()).notes
    assert notes[1] == "models.dev has keys we do not know: mood"


def test_an_unknown_provider_is_answered_with_the_nearest(folder: Path, source: Source) -> None:
    with pytest.raises(ProfileError, match=r"no provider `acmee` \(did you mean `acme`\?\)"):
        plan_refresh("acmee", folder, source())


@pytest.mark.parametrize(
    "hostile", ["../acme", "/etc/x", "a/b", "..", "", "a\nb", "A", "a..b", ".a"]
)
def test_a_provider_that_is_a_path_is_refused(folder: Path, source: Source, hostile: str) -> None:
    with pytest.raises(ProfileError, match="a provider's id is like"):
        plan_refresh(hostile, folder, source())


def test_nothing_is_written_through_a_symbolic_link(
    folder: Path, tmp_path: Path, source: Source
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "acme.json").write_text("precious")
    (folder / "profiles").symlink_to(outside)
    with pytest.raises(ProfileError, match="symbolic link"):
        plan_refresh("acme", folder, source())
    (folder / "profiles").unlink()
    (folder / "profiles").mkdir()
    (folder / "profiles" / "acme.json").symlink_to(outside / "acme.json")
    with pytest.raises(ProfileError, match="symbolic link"):
        plan_refresh("acme", folder, source())
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(ProfileError, match="symbolic link"):
        plan_refresh("acme", tmp_path / "link", source())
    assert (outside / "acme.json").read_text() == "precious"


def test_a_link_that_appears_between_plan_and_write_is_refused(
    folder: Path, tmp_path: Path, source: Source
) -> None:
    plan = plan_refresh("acme", folder, source())
    (tmp_path / "outside").mkdir()
    (folder / "profiles").symlink_to(tmp_path / "outside")
    with pytest.raises(ProfileError, match="symbolic link"):
        plan.write()
    assert not list((tmp_path / "outside").iterdir())


def test_a_folder_that_is_none_is_an_error(folder: Path, source: Source) -> None:
    with pytest.raises(ProfileError, match="no folder"):
        plan_refresh("acme", folder / "missing", source())
    (folder / "profiles").write_text("a file")
    with pytest.raises(ProfileError, match="not a folder"):
        plan_refresh("acme", folder, source())


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_write_that_is_interrupted_leaves_the_old_file_and_no_rest(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = folder / "acme.json"
    path.write_text("old")

    def fail(*args: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(ProfileError, match="could not be written: the disk is full"):
        replace_file(path, "new")
    assert [(one.name, one.read_text()) for one in folder.iterdir()] == [("acme.json", "old")]


def test_a_keyboard_interrupt_leaves_the_old_file_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "acme.json"
    path.write_text("old")

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_file(path, "new")
    assert [one.read_text() for one in folder.iterdir()] == ["old"]
