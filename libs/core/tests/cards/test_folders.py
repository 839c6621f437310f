from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from headrace.cards import CardError, catalog, list_models
from headrace.errors import MissingPackageError


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def cards(folder: Path) -> dict[str, Any]:
    return {card.name: card for card in list_models("acme", folders=folder)}


def test_a_card_over_a_known_model_changes_what_it_says(folder: Path) -> None:
    write(folder, "a.toml", 'name = "thinker"\nlabel = "Ours"\noutput_size = 50\n')
    card = cards(folder)["thinker"]
    assert (card.label, card.output_size, card.context_size) == ("Ours", 50, 1000)
    assert card.parameter_schema["properties"]["max_tokens"]["maximum"] == 50
    assert card.profile.sources["max_output_tokens"].endswith("a.toml")


def test_a_card_of_a_model_of_your_own_joins_the_list(folder: Path) -> None:
    write(
        folder,
        "mine.json",
        json.dumps(
            {
                "name": "mine", "label": "Mine", "input_types": ["text/plain", "image/png"],
                "output_types": ["text/plain"], "context_size": 10, "deprecated_at": "2030-01-01",
                "status": "deprecated", "prices": {"input": 0, "output": 0},
            }
        ),
    )  # fmt: skip
    card = cards(folder)["mine"]
    assert card.input_types == ("text/plain", "image/png")
    assert card.profile["image_inputs"] is True
    assert "reasoning_effort" not in card.parameter_schema["properties"]
    assert "mine" in [model["name"] for model in catalog(folders=[folder])["models"]]


def test_overrides_merge_hide_and_reject(folder: Path) -> None:
    change = {
        "max_tokens": {"maximum": 7, "default": 5},
        "stop": {"hidden": True},
        "verbosity": None,
        "tag": {},
    }
    write(folder, "a.json", json.dumps({"name": "thinker", "parameter_overrides": change}))
    card = cards(folder)["thinker"]
    form = card.parameter_schema["properties"]
    assert form["max_tokens"]["maximum"] == 7
    assert (form["max_tokens"]["minimum"], form["max_tokens"]["default"]) == (1, 5)
    assert "stop" not in form
    assert "verbosity" not in form
    assert form["tag"]["maxLength"] == 3
    assert card.profile["parameters"] == {"verbosity": False}


def test_false_stands_for_null_in_toml(folder: Path) -> None:
    write(folder, "a.toml", 'name = "thinker"\n[parameter_overrides]\ntop_p = false\n')
    assert "top_p" not in cards(folder)["thinker"].parameter_schema["properties"]


def test_an_override_brings_back_what_the_profile_took_out(folder: Path) -> None:
    write(folder, "a.toml", 'name = "thinker"\n[parameter_overrides.temperature]\nmaximum = 1\n')
    assert cards(folder)["thinker"].parameter_schema["properties"]["temperature"]["maximum"] == 1


def test_cards_of_other_providers_are_passed_over(folder: Path) -> None:
    write(folder, "a.toml", 'name = "gpt"\nprovider = "openai"\n')
    assert "gpt" not in cards(folder)


def test_cards_may_be_written_in_yaml(folder: Path) -> None:
    pytest.importorskip("yaml")
    write(folder, "a.yaml", "name: thinker\nparameter_overrides:\n  top_p: null\n")
    write(folder, "b.yml", "name: dated\ndeprecated_at: 2999-05-01\n")
    found = cards(folder)
    assert "top_p" not in found["thinker"].parameter_schema["properties"]
    assert found["dated"].deprecated_at == "2999-05-01"


def test_yaml_without_its_package_is_told_with_the_pip_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "a.yaml", "name: thinker")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'headrace\[yaml\]'"):
        cards(folder)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.toml", "name = ", "cannot be read"),
        ("a.json", "[1]", "a card is a table"),
        ("a.json", "{", "cannot be read"),
        ("a.toml", 'label = "x"', "`name`: a text"),
        ("a.toml", 'name = "m"\nstatis = "active"', "`statis`: .*did you mean `status`"),
        ("a.toml", 'name = "m"\nstatus = "gone"', "`status`"),
        ("a.toml", 'name = "m"\ncontext_size = -1', "`context_size`"),
        ("a.toml", 'name = "m"\ncontext_size = "12"', "`context_size`"),
        ("a.toml", 'name = "m"\ninput_types = ["text"]', "`input_types`: .*MIME"),
        ("a.toml", 'name = "m"\ninput_types = "text/plain"', "`input_types`"),
        ("a.toml", 'name = "m"\nprices = {inputs = 1}', "`prices`"),
        ("a.toml", 'name = "m"\ndeprecated_at = "soon"', "`deprecated_at`"),
        ("a.toml", 'name = "m"\nparameter_overrides = 3', "`parameter_overrides`"),
        ("a.toml", 'name = "m"\nparameter_overrides = {top_q = {}}', "top_q`: .*`top_p`"),
        ("a.toml", 'name = "m"\nparameter_overrides = {top_p = 3}', "`parameter_overrides.top_p`"),
    ],
)
def test_a_bad_card_is_an_error_that_names_file_and_field(
    folder: Path, name: str, text: str, told: str
) -> None:
    write(folder, name, text)
    with pytest.raises(CardError, match=told) as caught:
        cards(folder)
    assert str(folder / name) in str(caught.value)


def test_two_cards_of_one_name_and_a_missing_folder_are_errors(folder: Path) -> None:
    write(folder, "a.toml", 'name = "m"')
    write(folder, "b.toml", 'name = "m"')
    with pytest.raises(CardError, match=r"b\.toml: `name`: 'm' is the name in .*a\.toml"):
        cards(folder)
    with pytest.raises(CardError, match="no folder"):
        cards(folder / "none")


def test_a_folder_of_the_process_counts_everywhere_and_under_the_folders_of_a_call(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(folder, "a.toml", 'name = "thinker"\nlabel = "Ours"\n')
    write(folder, "b.toml", 'name = "mine"\nlabel = "Mine"\n')
    write(other, "a.toml", 'name = "thinker"\nlabel = "Nearer"\n')
    monkeypatch.setenv("HEADRACE_CARDS", os.pathsep.join((str(folder), "")))
    assert cards(other)["thinker"].label == "Nearer"
    assert {"Ours", "Mine"} <= {card["label"] for card in catalog()["models"]}


def test_a_folder_of_the_process_that_is_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_CARDS", str(tmp_path / "gone"))
    with pytest.raises(CardError, match=r"no folder of cards at '.*gone' \(HEADRACE_CARDS\)"):
        list_models("acme")
