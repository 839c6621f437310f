from __future__ import annotations

import asyncio
import pickle
import warnings
from typing import Any

import pytest

from headrace.chat_models import Model
from headrace.errors import ContextOverflowError, InputError
from headrace.testing import FunctionChatModel, OfflineChatModel, ScriptedChatModel

SMALL = {"context_size": 100, "max_input_tokens": 50}
LONG = "word " * 300


def small(**more: Any) -> ScriptedChatModel:
    return ScriptedChatModel(["small"] * 9, profile=SMALL, **more)


def asked(model: Model[Any], door: str) -> Any:
    if door == "invoke":
        return model.invoke(LONG)
    if door == "stream":
        return list(model.stream(LONG))
    return asyncio.run(model.ainvoke(LONG))


@pytest.mark.parametrize("door", ["invoke", "stream", "ainvoke"])
def test_a_request_without_room_is_refused_before_it_is_made(door: str) -> None:
    inner = small()
    with pytest.raises(ContextOverflowError, match=r"at most 50 tokens.*no request was made"):
        asked(inner.with_preflight("raise"), door)
    assert inner.calls == []


def test_what_is_reserved_for_the_answer_counts() -> None:
    model = small(max_tokens=99).with_preflight()
    with pytest.raises(ContextOverflowError, match=r"has room for 100 tokens.*99 reserved"):
        model.invoke("Hello there, how are you today?")


def test_a_request_with_room_and_one_of_unknown_limits_pass() -> None:
    assert small().with_preflight().invoke("Hi").text == "small"
    assert ScriptedChatModel(["any"]).with_preflight().invoke(LONG).text == "any"


def test_the_tools_and_all_that_is_bound_count() -> None:
    tool = {"name": "t", "description": LONG, "parameters": {"type": "object", "properties": {}}}
    model = small().with_preflight().bind_tools([tool])
    with pytest.raises(ContextOverflowError):
        model.invoke("Hi")


def test_inside_of_fallbacks_the_next_model_is_asked() -> None:
    large = ScriptedChatModel(["large"], profile={"context_size": 100_000})
    model = small().with_preflight().with_fallbacks([large])
    assert model.invoke(LONG).text == "large"
    assert model.invoke("Hi").text == "small"


def test_around_fallbacks_each_model_looks_for_itself() -> None:
    large = ScriptedChatModel(["large"], profile={"context_size": 100_000})
    assert small().with_fallbacks([large]).with_preflight().invoke(LONG).text == "large"


def test_a_warning_is_given_once_and_the_request_is_made() -> None:
    model = small(model="warned-of").with_preflight("warn")
    with pytest.warns(UserWarning, match="`warned-of` takes at most 50 tokens"):
        assert model.invoke(LONG).text == "small"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.invoke(LONG)


def test_preflight_tells_what_the_layer_would_raise() -> None:
    report = small().with_preflight().preflight(LONG)
    assert (report.ok, report.fits) == (False, False)
    assert "at most 50 tokens" in report.errors[0]
    assert small().preflight(LONG).errors == ()


def test_the_layer_pickles_and_says_what_it_is() -> None:
    model = pickle.loads(pickle.dumps(OfflineChatModel().with_preflight("warn")))
    assert repr(model).endswith(".with_preflight('warn')")


def test_another_word_is_an_error() -> None:
    with pytest.raises(InputError, match='"raise" or "warn", not \'never\''):
        FunctionChatModel(lambda messages: "x").with_preflight("never")  # type: ignore[arg-type]  # the test
