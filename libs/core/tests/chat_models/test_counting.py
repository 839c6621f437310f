"""Counting tokens before a request: on a model and through all that wraps it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headrace import init_chat_model
from headrace.chat_models import forbid_requests
from headrace.errors import UnsupportedParameterError
from headrace.messages import HumanMessage, count_tokens_approximately, trim_messages
from headrace.testing import FunctionChatModel, OfflineChatModel, ScriptedChatModel
from headrace.tools import tool

TEXT = "How many tokens are these?"
MESSAGES = [HumanMessage(TEXT), HumanMessage("And these?")]
SCHEMA = {"title": "Out", "type": "object", "properties": {"a": {"type": "string"}}}


@tool
def look(city: str) -> str:
    """Looks at a city."""
    return city


class Counting(FunctionChatModel):
    """A model whose provider counts: a thousand for each message, one for each tool."""

    async def _count_tokens(self, messages: Any, settings: Any, run: Any) -> int:
        await run.sleep(0)
        return 1000 * len(messages) + len(settings.tools)


def counted(world: Any, model: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """What a door says, or its async twin."""
    if world.is_async:
        return asyncio.run(getattr(model, f"a{method}")(*args, **kwargs))
    return getattr(model, method)(*args, **kwargs)


def test_a_text_counts_by_itself_and_messages_with_what_is_around_them(world: Any) -> None:
    model = OfflineChatModel()
    with forbid_requests():
        assert counted(world, model, "get_num_tokens", TEXT) == 7
        found = counted(world, model, "get_num_tokens", MESSAGES)
    assert found == count_tokens_approximately(MESSAGES)


def test_the_estimate_is_the_one_of_preflight(world: Any) -> None:
    model = OfflineChatModel().bind_tools([look]).with_structured_output(SCHEMA)
    found = counted(world, model, "get_num_tokens", MESSAGES)
    assert found == model.preflight(MESSAGES).input_tokens > count_tokens_approximately(MESSAGES)


def test_tools_count_whether_bound_or_given(world: Any) -> None:
    model = OfflineChatModel()
    given = counted(world, model, "get_num_tokens", MESSAGES, tools=[look])
    bound = counted(world, model.bind_tools([look]), "get_num_tokens", MESSAGES)
    assert given == bound > counted(world, model, "get_num_tokens", MESSAGES)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model.with_retry(),
        lambda model: model.with_config(tags=["t"]).bind(temperature=0),
        lambda model: model.with_fallbacks([OfflineChatModel()]),
        lambda model: init_chat_model("offline:demo", configurable_fields=("model",)),
    ],
)
def test_every_wrapper_counts_as_the_model_inside(world: Any, wrap: Any) -> None:
    model = wrap(OfflineChatModel())
    expected = OfflineChatModel().get_num_tokens(MESSAGES)
    assert counted(world, model, "get_num_tokens", MESSAGES) == expected


def test_exact_asks_the_provider_with_all_that_is_bound(world: Any) -> None:
    model = Counting(lambda messages, tools: "x").bind_tools([look]).with_retry()
    assert counted(world, model, "get_num_tokens", MESSAGES, exact=True) == 2001
    assert counted(world, model, "get_num_tokens", TEXT, exact=True) == 1001


def test_exact_where_nobody_counts_is_an_error_that_says_what_to_do(world: Any) -> None:
    with pytest.raises(UnsupportedParameterError, match=r"`scripted` has no endpoint.*estimate"):
        counted(world, ScriptedChatModel(), "get_num_tokens", TEXT, exact=True)


@pytest.mark.parametrize(
    ("facts", "given", "expected"),
    [
        ({}, {}, None),
        ({"max_input_tokens": 5000}, {}, 3000),
        ({"context_size": 5000}, {"max_tokens": 500}, 2500),
        ({"context_size": 5000, "max_input_tokens": 2500}, {"max_tokens": 500}, 500),
        ({"max_input_tokens": 1000}, {}, -1000),
    ],
)
def test_what_remains_is_what_the_nearest_limit_leaves(
    world: Any, facts: Any, given: Any, expected: Any
) -> None:
    model = Counting(lambda messages: "x", profile=facts, **given)
    assert counted(world, model, "remaining_tokens", MESSAGES, exact=True) == expected


def test_what_remains_is_estimated_where_it_need_not_be_exact(world: Any) -> None:
    model = ScriptedChatModel(profile={"max_input_tokens": 1000})
    left = counted(world, model, "remaining_tokens", TEXT, tools=[look])
    assert left == 1000 - model.get_num_tokens([HumanMessage(TEXT)], tools=[look])


def test_a_model_counts_for_trim_messages() -> None:
    model = OfflineChatModel()
    most = model.get_num_tokens(MESSAGES[1:])
    assert trim_messages(MESSAGES, max_tokens=most, token_counter=model) == MESSAGES[1:]
