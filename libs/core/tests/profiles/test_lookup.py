from __future__ import annotations

import json
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest

from headrace.profiles import ProfileError, find_profile


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("big", "big"),
        ("BIG", "big"),
        ("large", "big"),
        ("Large", "big"),
        ("org/cased", "org/Cased"),
        ("acme/big", "big"),
        ("models/big", "big"),
        ("publishers/acme/models/big", "big"),
        ("big-2024-08-06", "big"),
        ("big-20250514", "big"),
        ("big-latest", "big"),
        ("big@20250514", "big"),
        ("big@default", "big"),
        ("old-20250514", "old-20250514"),
        ("old", "old-20250514"),
        ("old-latest", "old-20250514"),
        ("ft:big-2024-08-06:org::id", "big"),
        ("ft:big:org:name:id", "big"),
    ],
)
def test_a_model_is_found_in_each_spelling(package: Path, asked: str, found: str) -> None:
    profile = find_profile("acme", asked, packages=package)
    assert (profile.model, bool(profile)) == (found, True)


@pytest.mark.parametrize(
    "asked", ["bigger", "old-20260101", "big-0613", "", "x" * 10_000, "../big/"]
)
def test_what_only_looks_alike_is_not_taken_for_it(package: Path, asked: str) -> None:
    assert not find_profile("acme", asked, packages=package, warn=False)


def test_a_fine_tuned_model_has_no_price_of_its_base(package: Path) -> None:
    assert find_profile("acme", "big", packages=package)["cost"] == {"input": 1, "output": 2.5}
    tuned = find_profile("acme", "ft:big:org::id", packages=package)
    assert "cost" not in tuned
    assert tuned["max_input_tokens"] == 1000


def test_sources_say_where_each_fact_came_from(package: Path) -> None:
    profile = find_profile("acme", "big", packages=package)
    assert set(profile.sources.values()) == {"models.dev 2026-07-02"}
    assert profile.sources.keys() == profile.keys()


def test_the_protocol_of_the_provider_is_that_of_its_models(package: Path) -> None:
    assert find_profile("acme", "big", packages=package)["wire"] == {
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://acme.test/v1",
    }


def test_an_unknown_model_has_an_empty_profile_and_one_warning(package: Path) -> None:
    with pytest.warns(UserWarning, match="nothing is known about model `unheard-of` of `acme`"):
        assert not find_profile("acme", "unheard-of", packages=package)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_profile("acme", "unheard-of", packages=package) == {}


def test_a_provider_without_data_is_no_reason_to_warn(package: Path) -> None:
    assert find_profile("acme", "m") == {}
    assert find_profile("nobody", "m", packages=package) == {}
    assert find_profile("acme", "m", packages="no_such_package_at_all") == {}


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("tiny3:8b", "tiny3-8b"),
        ("tiny3:8b-q4_K_M", "tiny3-8b"),
        ("tiny3", "tiny3"),
        ("tiny3:latest", "tiny3"),
        ("tiny3:70b", "tiny3"),
        ("Org/Tiny-3-8B-Instruct", "tiny3-8b"),
        ("tiny3-vl:2b", "tiny3-vl-2b"),
    ],
)
def test_a_tag_is_known_by_its_family(package: Path, tag: str, found: str) -> None:
    assert find_profile("ollama", tag, packages=package).model == found


@pytest.mark.parametrize("tag", ["tiny4:8b", "tiny3-code:8b", "tiny", "my-own"])
def test_another_family_is_not_known(package: Path, tag: str) -> None:
    assert not find_profile("vllm", tag, packages=package, warn=False)


def test_only_what_all_of_a_family_share_is_known(package: Path) -> None:
    profile = find_profile("ollama", "tiny3:8b", packages=package)
    assert profile["tool_calling"] is True
    assert not profile.keys() & {"reasoning_output", "family", "max_input_tokens", "cost"}
    assert "tool_calling" not in find_profile("ollama", "tiny3-vl:2b", packages=package)


def test_data_is_read_out_of_a_zipped_package(package: Path, tmp_path: Path) -> None:
    archive = tmp_path / "partner.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped_partner/__init__.py", "raise RuntimeError('imported')")
        file.write(package / "profiles" / "acme.json", "zipped_partner/profiles/acme.json")
    sys.path.insert(0, str(archive))
    try:
        assert find_profile("acme", "big", packages="zipped_partner")
    finally:
        sys.path.remove(str(archive))


def test_only_the_file_of_that_provider_is_opened_and_only_once(package: Path) -> None:
    code = (
        "import json, sys\nopened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0]))"
        " if event == 'open' else None)\n"
        "from headrace.profiles import find_profile\n"
        "at = len(opened)\n"
        f"for _ in range(3): find_profile('acme', 'big', packages={str(package)!r})\n"
        "print(json.dumps([name for name in opened[at:] if name.endswith(('.json', '.toml'))]))\n"
        "print(json.dumps(sorted({'pydantic', 'asyncio', 'urllib.request'} & {*sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    opened, loaded = map(json.loads, done.stdout.splitlines())
    assert [Path(name).name for name in opened] == ["providers.toml", "acme.json"]
    assert loaded == []


def test_a_broken_data_file_says_how_to_make_it_anew(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "acme.json").write_text('{"provider": 5}')
    with pytest.raises(ProfileError, match="headrace profiles refresh --provider acme"):
        find_profile("acme", "big", packages=tmp_path)
