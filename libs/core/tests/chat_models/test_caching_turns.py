"""Who asks the model although an answer is kept, or is on its way."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from pydantic import BaseModel

from headrace.caches import InMemoryCache
from headrace.errors import ModelTimeoutError, StructuredOutputError
from headrace.testing import FunctionChatModel, ScriptedChatModel


class City(BaseModel):
    name: str


def test_a_misfit_that_is_kept_is_asked_for_anew_before_it_is_an_error(world: Any) -> None:
    model = ScriptedChatModel(["no object", "none again", '{"name": "Ulm"}'], cache=InMemoryCache())
    asking = model.with_structured_output(City, method="prompted", retries=1)
    with pytest.raises(StructuredOutputError):
        world.invoke(asking, "hi")
    assert world.invoke(asking, "hi") == City(name="Ulm")
    assert world.invoke(asking, "hi") == City(name="Ulm")
    assert len(model.calls) == 3


def test_who_waits_for_anothers_answer_keeps_to_a_timeout_of_its_own() -> None:
    begun, goes_on, store = threading.Event(), threading.Event(), InMemoryCache()

    def slow(messages: Any) -> str:
        begun.set()
        goes_on.wait()
        return "late"

    leading = FunctionChatModel(slow, cache=store)
    thread = threading.Thread(target=leading.invoke, args=("hi",))
    thread.start()
    begun.wait()
    try:
        with pytest.raises(ModelTimeoutError, match="total"):
            FunctionChatModel(slow, cache=store, timeout={"total": 0.05}).invoke("hi")
    finally:
        goes_on.set()
        thread.join()
