"""Twenty models, field by field: all that models.dev says, what our augmentations lay over it.

Both are read here a second time, apart from the code under test, so that a field that gets lost
or changed on the way is seen. Needs the data of models.dev; see test_profiles.py.
"""

from __future__ import annotations

import datetime
import os
import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from headrace.profiles import FIELDS, files, find_profile
from headrace.profiles.naming import data_id, table
from headrace.profiles.refresh import plan_refresh
from headrace.profiles.source import Upstream, read_source

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(
    os.environ.get("HEADRACE_MODELS_DEV", ROOT.parent / "shared" / "models-dev" / "api.json")
)
Facts = dict[str, Any]

SAME = {
    "name": "name", "family": "family", "status": "status", "release_date": "release_date",
    "last_updated": "last_updated", "knowledge": "knowledge", "attachment": "attachment",
    "open_weights": "open_weights", "tool_call": "tool_calling", "temperature": "temperature",
    "structured_output": "structured_output", "reasoning": "reasoning_output",
}  # fmt: skip
PRICES = (
    "input", "output", "cache_read", "cache_write", "reasoning", "input_audio", "output_audio",
)  # fmt: skip
WEIGHTS = re.compile(r"family|knowledge|open_weights|reasoning_output|tool_calling|.*_(in|out)puts")


@pytest.fixture(scope="module")
def upstream() -> Upstream:
    if not DATA.is_file():
        pytest.skip(f"no data of models.dev at {DATA.name}; set HEADRACE_MODELS_DEV")
    return read_source(str(DATA), on="2026-07-02")


def of_upstream(entry: Facts) -> Facts:
    """All that an entry of models.dev says, in our words."""
    said = {ours: entry[theirs] for theirs, ours in SAME.items() if theirs in entry}
    for kind in ("text", "image", "pdf", "audio", "video"):
        for way in ("input", "output"):
            said[f"{kind}_{way}s"] = kind in entry["modalities"][way]
    limit = entry["limit"]
    said["context_size"], said["max_output_tokens"] = limit["context"], limit["output"]
    said["max_input_tokens"] = limit.get("input") or limit["context"]
    if (options := entry.get("reasoning_options")) is not None:
        by = {option["type"]: option for option in options}
        levels = by.get("effort", {}).get("values", [])
        said["reasoning_effort_levels"] = [level or "none" for level in levels]
        said["reasoning_toggle"] = "toggle" in by
        budget = by.get("budget_tokens")
        said["reasoning_budget"] = budget is not None and [budget.get("min"), budget.get("max")]
    if interleaved := entry.get("interleaved"):
        said["reasoning_interleaved"] = True
        said |= {} if interleaved is True else {"reasoning_field": interleaved["field"]}
    if "cost" in entry:
        said["cost"] = prices(entry["cost"])
    if modes := entry.get("experimental", {}).get("modes"):
        said["modes"] = {name: mode(value) for name, value in modes.items()}
    return {
        field: value for field, value in said.items() if value not in (0, None) or value is False
    }


def prices(cost: Facts) -> Facts:
    said = {name: cost[name] for name in PRICES if name in cost}
    tiers = [prices(tier) | {"above": tier["tier"]["size"]} for tier in cost.get("tiers", [])]
    tiers.sort(key=lambda tier: int(tier["above"]))
    return said | ({"tiers": tiers} if tiers else {})


def mode(value: Facts) -> Facts:
    said = {"cost": prices(value["cost"])} if "cost" in value else {}
    return said | dict(value.get("provider", {}))


def wire(provider: Facts, entry: Facts) -> Facts:
    own = {key: provider[key] for key in ("npm", "api") if key in provider}
    return own | entry.get("provider", {})


def augmented(provider: str, model: str, facts: Facts) -> Facts:
    """Facts with those of profiles/augmentations over them; None for the ones it takes away."""
    path = ROOT / "profiles" / "augmentations" / f"{provider}.toml"
    said = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    own = said.get("models", {}).get(model, {})
    for layer in (said.get("provider", {}), *said.get("groups", ()), own):
        if "facts" in layer or "match" in layer:
            names = layer.get("match", ["*"]), layer.get("except", [])
            inside, outside = (any(fnmatchcase(model, one) for one in some) for some in names)
            known = facts | own
            holds = all(known.get(key) == value for key, value in layer.get("when", {}).items())
            layer = layer["facts"] if inside and not outside and holds else {}
        for name in layer.get("unset", []):
            facts.pop(name, None)
        for name, value in layer.items():
            if name == "parameters":
                facts[name] = facts.get(name, {}) | value
            elif name not in ("unset", "base"):
                facts[name] = value.isoformat() if isinstance(value, datetime.date) else value
    return facts


def known(provider: str, asked: str, folder: Path, upstream: Upstream) -> Any:
    ours = ROOT / "profiles" / "augmentations" / f"{data_id(provider)}.toml"
    plan_refresh(provider, folder, upstream, augmentations=ours if ours.is_file() else None).write()
    files.forget()
    return find_profile(provider, asked, packages=folder)


@pytest.mark.parametrize(
    ("provider", "asked", "entry", "dropped"),
    [
        ("openai", "gpt-5", "gpt-5", ""),
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini", ""),
        ("openai", "ft:gpt-4.1-2025-04-14:org::id", "gpt-4.1", "cost modes"),
        ("openai", "gpt-35-turbo", "gpt-3.5-turbo", ""),
        ("openai", "gpt-5.4", "gpt-5.4", ""),
        ("openai", "o3", "o3", ""),
        ("openai", "text-embedding-3-large", "text-embedding-3-large", ""),
        ("azure_openai", "gpt-35-turbo", "gpt-3.5-turbo-0125", ""),
        ("azure_openai", "gpt-35-turbo-0613", "gpt-3.5-turbo-0613", ""),
        ("deepseek", "deepseek-chat", "deepseek-chat", ""),
        ("openrouter", "openai/gpt-5", "openai/gpt-5", ""),
        ("groq", "openai/gpt-oss-120b", "openai/gpt-oss-120b", ""),
        ("dashscope", "qwen-plus", "qwen-plus", ""),
        ("dashscope_openai", "qwen-plus", "qwen-plus", ""),
        ("mistralai", "mistral-large-latest", "mistral-large-latest", ""),
        ("gemini_openai", "models/gemini-2.5-pro", "gemini-2.5-pro", ""),
        ("xai", "grok-4.3", "grok-4.3", ""),
        ("anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4-20250514", ""),
        ("anthropic", "claude-sonnet-4-6", "claude-sonnet-4-6", ""),
        ("google_vertexai", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5@20250929", ""),
        ("bedrock_converse", "apac.anthropic.claude-sonnet-4-5-20250929-v1:0",
         "anthropic.claude-sonnet-4-5-20250929-v1:0", "cost"),
    ],
)  # fmt: skip
def test_every_field_is_that_of_upstream_under_our_augmentations(
    provider: str, asked: str, entry: str, dropped: str, upstream: Upstream, tmp_path: Path
) -> None:
    theirs = table()["upstream"][data_id(provider)]
    at = next(name for name in theirs if entry in upstream.providers[name]["models"])
    said = upstream.providers[at]["models"][entry]
    expected = augmented(provider, entry, of_upstream(said))
    expected["wire"] = wire(upstream.providers[at], said)
    profile = known(provider, asked, tmp_path, upstream)
    assert profile.model == entry
    assert dict(profile) == {
        field: value for field, value in expected.items() if field not in dropped.split()
    }
    assert set(profile) <= set(FIELDS)
    assert set(profile.sources.values()) <= {
        "models.dev 2026-07-02", "augmentations", "models.dev 2026-07-02, augmentations"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "asked", "key", "members"),
    [
        ("ollama", "qwen3:8b", "qwen3-8b", r"(.*/)?qwen3-8b(-.*)?"),
        ("ollama", "deepseek-r1", "deepseek-r1", r"(.*/)?deepseek-r1(-.*)?"),
        ("ollama", "gpt-oss", "gpt-oss", r"(.*/)?gpt-oss(-.*)?"),
        ("vllm", "meta-llama/Llama-3.3-70B-Instruct", "llama3.3-70b",
         r"(.*/)?(meta-)?llama-?3\.3-70b(-.*)?"),
    ],
)  # fmt: skip
def test_of_a_tag_is_known_what_all_who_serve_the_weights_say_alike(
    provider: str, asked: str, key: str, members: str, upstream: Upstream, tmp_path: Path
) -> None:
    said = [
        of_upstream(entry)
        for name in table()["open_weights"]
        for model, entry in upstream.providers[name]["models"].items()
        if re.fullmatch(members, model, re.IGNORECASE) and entry["open_weights"]
    ]
    assert said
    alike = {
        field: value
        for field, value in said[0].items()
        if WEIGHTS.fullmatch(field) and all(one.get(field) == value for one in said)
    }
    if not alike.get("tool_calling"):
        alike.pop("tool_calling", None)
    profile = known(provider, asked, tmp_path, upstream)
    assert (profile.model, dict(profile)) == (key, alike)
