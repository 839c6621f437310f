from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from headrace.chat_models.lifecycle import ageing, served_other
from headrace.messages import AIMessage
from headrace.testing import ScriptedChatModel

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, None),
        ({"status": "beta"}, None),
        ({"status": "deprecated"}, "`m` is deprecated"),
        ({"status": "deprecated", "successor": "n"}, "`m` is deprecated; use `n`"),
        (
            {"status": "deprecated", "deprecation_date": "2026-12-01", "successor": "n"},
            "`m` is deprecated and will be served until 2026-12-01; use `n`",
        ),
        ({"deprecation_date": "2026-11-21"}, "`m` is no longer served since 2026-11-21"),
        ({"deprecation_date": "2026-11"}, None),
        ({"deprecation_date": "2026-10", "successor": "n"}, "no longer served since 2026-10; use"),
    ],
)
def test_what_is_told_of_an_old_model(facts: Any, told: str | None) -> None:
    found = ageing("m", facts, TODAY)
    assert found is None if told is None else told in str(found)


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-3.5-turbo", "gpt-3.5-turbo-0125"),
        ("gpt-35-turbo", "gpt-3.5-turbo-0125"),
        ("mistral-large-latest", "mistral-large-2512"),
        ("gemini-2.5-flash", "models/gemini-2.5-flash-preview-05-20"),
        ("llama3.2", "llama3.2:latest"),
        ("openai/gpt-oss-120b", "GPT-OSS-120B"),
        ("claude-sonnet-4", "claude-sonnet-4-20250514"),
        ("m", None),
    ],
)
def test_dates_aliases_and_paths_do_not_make_another_model(asked: str, served: Any) -> None:
    assert not served_other(asked, served)


@pytest.mark.parametrize(
    ("asked", "served"),
    [("gpt-4o", "gpt-4o-mini"), ("deepseek-chat", "deepseek-v4-flash"), ("qwen3:8b", "qwen3:4b")],
)
def test_another_model_is_one(asked: str, served: str) -> None:
    assert served_other(asked, served)


def test_an_alias_known_to_the_profile_is_the_same_model() -> None:
    assert not served_other("chat", "gpt-9", known_as="gpt-9")


def test_the_answer_of_another_model_says_so(world: Any) -> None:
    reply = AIMessage("hi", response_metadata={"model_name": "b"})
    answer = world.invoke(ScriptedChatModel([reply], model="a"), "x")
    assert answer.response_metadata["model_asked"] == "a"
    total = sum(world.stream(ScriptedChatModel([reply], model="a"), "x"))
    assert total.response_metadata["model_asked"] == "a"
    same = ScriptedChatModel([AIMessage("hi", response_metadata={"model_name": "a-2026-01-01"})])
    assert "model_asked" not in world.invoke(same.bind(model="a"), "x").response_metadata


def test_an_old_model_is_told_of_once_with_its_successor(world: Any, request: Any) -> None:
    facts = {"status": "deprecated", "successor": "newer"}
    model = ScriptedChatModel(["a", "b"], model=request.node.name, profile=facts)
    with pytest.warns(UserWarning, match="is deprecated; use `newer`"):
        world.invoke(model, "x")
    assert world.invoke(model, "x").text == "b"
