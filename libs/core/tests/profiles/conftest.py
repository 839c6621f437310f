"""A small models.dev, and a package folder with the data made from it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.profiles import files
from headrace.profiles.refresh import plan_refresh
from headrace.profiles.source import Upstream, read_source

DATE = "2026-07-02"


def entry(model: str, **more: Any) -> dict[str, Any]:
    return {
        "id": model,
        "name": model.upper(),
        "attachment": False,
        "reasoning": False,
        "tool_call": True,
        "release_date": "2026-01-01",
        "last_updated": "2026-02-01",
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "open_weights": False,
        "limit": {"context": 1000, "output": 100},
        **more,
    }


WORLD = {
    "acme": {
        "id": "acme",
        "name": "Acme",
        "env": ["ACME_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://acme.test/v1",
        "doc": "https://acme.test/docs",
        "models": {
            "big": entry("big", cost={"input": 1, "output": 2.5}, temperature=True),
            "old-20250514": entry("old-20250514"),
            "old-20240101": entry("old-20240101"),
            "org/Cased": entry("org/Cased"),
        },
    },
    "groq": {
        "id": "groq",
        "name": "G",
        "env": [],
        "npm": "@ai-sdk/groq",
        "doc": "https://g.test",
        "models": {
            "org/tiny3-8b": entry("org/tiny3-8b", open_weights=True, reasoning=True),
            "tiny3-8b-instruct": entry("tiny3-8b-instruct", open_weights=True, family="tiny"),
            "tiny3-vl-2b": entry("tiny3-vl-2b", open_weights=True, tool_call=False),
        },
    },
}


@pytest.fixture
def world() -> dict[str, Any]:
    """The data of a small models.dev, to be changed freely."""
    return copy.deepcopy(WORLD)


@pytest.fixture
def source(tmp_path: Path, world: dict[str, Any]) -> Callable[[], Upstream]:
    """Reads `world` as it then is from a file."""

    def read() -> Upstream:
        path = tmp_path / "api.json"
        path.write_text(json.dumps(world))
        return read_source(str(path), on=DATE)

    return read


@pytest.fixture
def package(tmp_path: Path, source: Callable[[], Upstream]) -> Path:
    """A folder with the data of `acme` and of open weights, as a partner has it."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "profile_augmentations.toml").write_text("[aliases]\nlarge = 'big'\n")
    plan_refresh("acme", folder, source()).write()
    (folder / "profile_augmentations.toml").unlink()
    plan_refresh("open_weights", folder, source()).write()
    files.forget()
    return folder
