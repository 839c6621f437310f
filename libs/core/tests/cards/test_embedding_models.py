from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from headrace.cards import CardError, EmbeddingModelCard, alist_models, catalog, list_models
from headrace.cli import main
from headrace.errors import InputError


def cards(**options: Any) -> dict[str, EmbeddingModelCard]:
    return {card.name: card for card in list_models("acme", type="embedding_model", **options)}


def test_embedding_models_have_a_list_of_their_own() -> None:
    assert sorted(cards()) == ["flat", "vector"]
    assert not {"flat", "vector"} & {card.name for card in list_models("acme")}


def test_a_card_says_what_a_text_may_be_how_long_its_vector_is_and_what_it_costs() -> None:
    card = cards()["vector"]
    assert isinstance(card, EmbeddingModelCard)
    assert card.model_dump(exclude_defaults=True) == {
        "provider": "acme", "name": "vector", "label": "Vector", "input_types": ("text/plain",),
        "context_size": 20, "dimensions": 3, "prices": {"input": 1},
    }  # fmt: skip
    assert (card.type, card.output_types) == ("embedding_model", ("application/x-embedding",))
    assert cards()["flat"].status == "sunset"


def test_its_form_holds_the_lengths_that_may_be_asked_for() -> None:
    form = cards()["vector"].parameter_schema["properties"]
    assert (form["dimensions"]["enum"], form["dimensions"]["default"]) == ([3, 2, None], 3)
    assert form["flavour"]["enum"] == ["plain", "rich", None]
    assert not {"batch_size", "api_key", "stop"} & set(form)
    assert "dimensions" not in cards()["flat"].parameter_schema["properties"]


def test_filters_hold_for_them_too() -> None:
    assert list(cards(dimensions=4)) == ["flat"]
    assert list(cards(status="active", context_size=20)) == ["vector"]


def test_a_live_list_keeps_those_that_are_known_to_make_vectors() -> None:
    assert list(cards(live=True)) == ["vector"]
    found = asyncio.run(alist_models("acme", type="embedding_model", live=True))
    assert [card.name for card in found] == ["vector"]


def test_a_class_and_a_credential_list_them(credential: Any) -> None:
    model = credential.embeddings("vector", dimensions=2)
    assert model.credential is credential
    assert model.embed_query("a") == [0.0, 0.0]
    assert type(model).list_models() == list(cards().values())
    assert credential.list_models(type="embedding_model") == list(cards().values())


def test_a_card_of_your_own_is_told_by_its_type(folder: Path) -> None:
    mine = {"type": "embedding_model", "name": "mine", "label": "Mine", "dimensions": 7}
    (folder / "mine.json").write_text(json.dumps(mine))
    (folder / "chat.toml").write_text('name = "thinker"\nlabel = "Ours"\n')
    found = cards(folders=folder)
    assert (found["mine"].dimensions, found["mine"].profile["embedding_dimensions"]) == (7, 7)
    assert "thinker" not in found
    assert "mine" not in [card.name for card in list_models("acme", folders=folder)]


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ({"type": "embeding", "name": "m"}, "`type`: one of chat_model, embedding_model"),
        ({"type": "embedding_model", "name": "m", "output_size": 3}, "`output_size`: a card has"),
        ({"type": "embedding_model", "name": "m", "dimensions": 0}, "`dimensions`"),
    ],
)
def test_a_bad_card_names_file_and_field(card: Any, told: str, folder: Path) -> None:
    (folder / "m.json").write_text(json.dumps(card))
    with pytest.raises(CardError, match=rf"m\.json: .*{told}"):
        cards(folders=folder)


def test_the_catalog_has_them_as_a_family() -> None:
    document = json.loads(json.dumps(catalog()))
    assert document["providers"][0]["families"]["embedding_model"] == ["flat", "vector"]
    model = next(model for model in document["models"] if model["name"] == "vector")
    assert model["type"] == "embedding_model"
    assert document["forms"][model["form"]] == cards()["vector"].parameter_schema


def test_another_type_is_an_error() -> None:
    with pytest.raises(InputError, match="`chat_model` or `embedding_model`, not 'speech'"):
        list_models("acme", type="speech")  # type: ignore[call-overload]  # the test


def test_the_command_line_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--type", "embedding_model"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["MODEL", "TOKENS", "DIMENSIONS", "IN", "$/M"]
    assert lines[1:] == [
        ["acme:flat", "?", "5", "?", "(sunset", "2020-01-01)"],
        ["acme:vector", "0.02k", "3", "1"],
    ]
    assert main(["models", "acme", "--type", "embedding_model", "--json"]) == 0
    assert [card["dimensions"] for card in json.loads(capsys.readouterr().out)] == [5, 3]
