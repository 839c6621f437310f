from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from headrace import registry
from headrace.cards import alist_models, catalog, list_models
from headrace.cards.card import card_of
from headrace.errors import ConfigurationError, InputError, UnknownProviderError
from headrace.profiles import ModelProfile


def names(**filters: Any) -> list[str]:
    return [card.name for card in list_models("acme", **filters)]


def card(name: str) -> Any:
    return list_models("acme", name=name)[0]


def test_chat_models_are_listed_by_name_and_no_others() -> None:
    assert names() == ["leaving", "old", "talker", "thinker"]


def test_a_card_says_what_the_profile_knows() -> None:
    said = card("thinker").model_dump(exclude={"parameter_overrides"})
    assert said == {
        "type": "chat_model", "provider": "acme", "name": "thinker", "label": "Thinker",
        "family": "think", "status": "active", "deprecated_at": None, "successor": None,
        "input_types": ("text/plain", "image/*"),
        "output_types": ("text/plain", "application/x-thinking"),
        "context_size": 1000, "output_size": 400, "prices": {"input": 1, "output": 2},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({}, "active"),
        ({"status": "beta"}, "active"),
        ({"status": "deprecated"}, "deprecated"),
        ({"deprecation_date": "2026-06-02"}, "deprecated"),
        ({"deprecation_date": "2026-06-01"}, "sunset"),
    ],
)
def test_a_model_is_deprecated_until_its_day_and_then_gone(
    facts: dict[str, Any], status: str, acme: Any
) -> None:
    profile = ModelProfile(facts, provider="acme", model="m")
    assert card_of(acme, profile, today=date(2026, 6, 1)).status == status


def test_a_list_is_the_same_from_provider_class_and_credential(acme: Any, credential: Any) -> None:
    assert list_models("acme") == acme.list_models() == credential.list_models()
    assert asyncio.run(acme.alist_models()) == asyncio.run(credential.alist_models())


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"status": "active"}, ["talker", "thinker"]),
        ({"name": "t*"}, ["talker", "thinker"]),
        ({"input_types": "image/png"}, ["thinker"]),
        ({"output_types": ["application/x-thinking", "text/plain"]}, ["thinker"]),
        ({"context_size": 1000}, ["thinker"]),
        ({"context_size": 1001}, []),
        ({"tool_calling": True}, ["thinker"]),
        ({"tool_calling": False, "label": "Talker"}, ["talker"]),
        ({"max_output_tokens": 100}, ["talker", "thinker"]),
    ],
)
def test_filters_are_fields_of_a_card_or_of_a_profile(
    filters: dict[str, Any], found: list[str]
) -> None:
    assert names(**filters) == found


def test_models_of_the_users_file_are_listed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "facts.toml").write_text('[acme.mine]\nname = "Mine"\ntool_calling = true\n')
    monkeypatch.setenv("HEADRACE_PROFILES", str(tmp_path / "facts.toml"))
    assert names(tool_calling=True) == ["mine", "thinker"]


def test_an_unknown_filter_is_an_error_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean `tool_calling`"):
        list_models("acme", tool_caling=True)


def test_a_live_list_is_what_the_provider_serves_now(credential: Any) -> None:
    cards = list_models("acme", live=True, credential=credential)
    assert [card.name for card in cards] == ["brand-new", "thinker"]
    assert (cards[0].label, cards[0].context_size) == ("brand-new", None)
    assert asyncio.run(alist_models("acme", live=True, credential=credential)) == cards
    assert credential.list_models(live=True) == cards


def test_an_unknown_provider_has_no_list() -> None:
    with pytest.raises(UnknownProviderError):
        list_models("acmee")


def test_a_provider_without_a_class_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = registry.Provider("plain", lambda **params: None)  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(registry, "_installed", lambda: {"plain": provider})
    with pytest.raises(ConfigurationError, match="model_class"):
        list_models("plain")


def test_the_catalog_is_one_json_document() -> None:
    document = json.loads(json.dumps(catalog()))
    (provider,) = document["providers"]
    assert provider["label"] == "Acme Inc."
    assert provider["credential"] in document["credentials"]
    assert provider["families"]["chat_model"] == names()
    chat = [model for model in document["models"] if model["type"] == "chat_model"]
    assert len(chat) == len(names())
    for model in chat:
        assert document["forms"][model["form"]] == card(model["name"]).parameter_schema


def test_alike_forms_are_in_the_catalog_once() -> None:
    document = catalog(["acme"])
    forms = {model["name"]: model["form"] for model in document["models"]}
    assert forms["old"] == forms["leaving"] != forms["thinker"]
    assert set(document["forms"]) == set(forms.values())
