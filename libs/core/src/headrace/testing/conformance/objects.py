"""Structured output, by each method that the model knows."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

import pytest
from pydantic import BaseModel, Field

from headrace.errors import StructuredOutputError
from headrace.messages import AIMessage
from headrace.testing.conformance.hooks import ConformanceHooks, Serve, ask


class Person(BaseModel):
    """A person."""

    name: str = Field(description="First name.")
    age: int | None = None
    mood: Literal["happy", "sad"] = "happy"


class Pair(TypedDict):
    """Two words."""

    first: str
    second: str


METHODS = pytest.mark.parametrize(
    "method", ["json_schema", "function_calling", "json_mode", "prompted"]
)
DOORS = pytest.mark.parametrize("way", ["invoke", "ainvoke"])


def _reply(method: str, name: str, text: str, args: dict[str, Any]) -> AIMessage:
    if method != "function_calling":
        return AIMessage(text)
    call = {"type": "tool_call", "name": name, "args": args, "id": "call_1_abcdefgh"}
    return AIMessage("", tool_calls=[call], response_metadata={"finish_reason": "tool_calls"})


class ObjectTests(ConformanceHooks):
    @METHODS
    @DOORS
    def test_an_object_comes_of_the_answer(self, serve: Serve, method: Any, way: str) -> None:
        self.needs(method)
        args = {"name": "Ann", "age": 7, "mood": "sad"}
        reply = _reply(method, "Person", '{"name": "Ann", "age": 7, "mood": "sad"}', args)
        model = serve(reply).model().with_structured_output(Person, method=method)
        assert ask(model, way, "Ann is 7 and sad. JSON.") == Person(name="Ann", age=7, mood="sad")

    @METHODS
    def test_objects_grow_in_a_stream(self, serve: Serve, method: Any) -> None:
        self.needs(method)
        args = {"first": "one", "second": "two"}
        reply = _reply(method, "Pair", '{"first": "one", "second": "two"}', args)
        model = serve(reply).model().with_structured_output(Pair, method=method)
        found = list(model.stream("Two words as JSON."))
        assert found[-1] == args

    @METHODS
    def test_the_schema_reaches_the_provider(self, serve: Serve, method: Any) -> None:
        self.needs(method)
        args = {"name": "Ann", "age": None, "mood": "happy"}
        served = serve(
            _reply(method, "Person", '{"name": "Ann", "age": null, "mood": "happy"}', args)
        )
        served.model().with_structured_output(Person, method=method).invoke("Ann. JSON.")
        wire = repr(served.last)
        if method != "json_mode":
            assert "First name." in wire
            assert "mood" in wire

    def test_the_raw_answer_can_be_kept(self, serve: Serve) -> None:
        reply = AIMessage("I would rather not.")
        model = (
            serve(reply)
            .model()
            .with_structured_output(Person, method=self._any_method(), include_raw=True)
        )
        found: Any = model.invoke("Ann. JSON.")
        assert found["parsed"] is None
        assert found["parsing_error"] is not None
        assert found["raw"].text == "I would rather not."

    def test_an_answer_without_an_object_is_an_error(self, serve: Serve) -> None:
        model = serve("No.").model().with_structured_output(Person, method=self._any_method())
        with pytest.raises(StructuredOutputError) as caught:
            model.invoke("Ann. JSON.")
        assert caught.value.raw.text == "No."

    def test_the_method_that_suits_the_model_is_chosen_by_itself(self, serve: Serve) -> None:
        served = serve()
        found = served.model().with_structured_output(Person).invoke('Her name is "Ann".')
        assert isinstance(found, Person)

    def _any_method(self) -> Any:
        for method in ("json_schema", "prompted", "json_mode"):
            if method in self.abilities:
                return method
        pytest.skip("no method that gives an object as text")
