"""What a pipeline takes and gives, read from its functions, classes and shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from operator import itemgetter
from typing import Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from headrace.runnables import (
    ConfigurableField,
    ConfigurableFieldSingleOption,
    Runnable,
    RunnableBranch,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)


class Movie(BaseModel):
    title: str


class Query(TypedDict):
    text: str
    limit: int


def count(text: str) -> int:
    return len(text)


def halve(number: int, config: Any) -> float:
    return number / 2


def letters(chunks: Iterator[str]) -> Iterator[list[str]]:
    yield [*chunks]


async def movies(text: str) -> AsyncIterator[Movie]:
    yield Movie(title=text)


class Shout(Runnable[str, str]):
    async def _invoke(self, input: str, run: Any) -> str:
        return input.upper()


class Plain(Runnable):  # type: ignore[type-arg]  # written without arguments, as users do
    async def _invoke(self, input: int, run: Any) -> str:
        return str(input)


class Loud(Shout):
    pass


@pytest.mark.parametrize(
    ("step", "takes", "gives"),
    [
        (RunnableLambda(count), str, int),
        (RunnableLambda(partial(halve, config=None)), int, float),
        (RunnableLambda(movies), str, Movie),
        (RunnableGenerator(letters), str, list[str]),
        (RunnableLambda(Movie), Any, Movie),
        (RunnableLambda(lambda x: x), Any, Any),
        (Shout(), str, str),
        (Loud(), str, str),
        (Plain(), int, str),
        (RunnableLambda(count) | halve, str, float),
        (RunnableLambda(count).map(), list[str], list[int]),
        (RunnableLambda(count).with_retry().with_config(tags=["t"]), str, int),
        (RunnableLambda(count).with_fallbacks([Shout()]), str, int | str),
        (RunnableBranch((lambda x: x, Shout()), count), str, str | int),
        (RunnableLambda(len).with_types(input_type=str, output_type=int), str, int),
        (RunnableLambda(count) | RunnablePassthrough(), str, int),
    ],
)
def test_annotations_say_the_types(step: Any, takes: Any, gives: Any) -> None:
    assert step.InputType == takes
    assert step.OutputType == gives


def keys(schema: dict[str, Any]) -> set[str]:
    """The properties of a JSON Schema, the required ones with a `!`."""
    required = schema.get("required", ())
    return {f"{key}!" if key in required else key for key in schema["properties"]}


def test_keys_that_a_function_reads_are_its_input() -> None:
    step = RunnableLambda(lambda x: x["text"] + x.get("more", ""))
    assert keys(step.get_input_jsonschema()) == {"text!", "more"}


def test_each_of_two_functions_in_one_line_is_told_from_the_other() -> None:
    one, two = RunnableLambda(lambda x: x["a"]), RunnableLambda(lambda x: x["b"])
    assert keys(one.get_input_jsonschema()) == {"a!"}
    assert keys(two.get_input_jsonschema()) == {"b!"}


def test_a_function_that_uses_its_dict_otherwise_is_not_guessed_at() -> None:
    assert RunnableLambda(lambda x: (x["a"], len(x))).InputType is Any


def test_itemgetter_and_parallel_steps_say_their_keys() -> None:
    step = RunnableParallel(a=itemgetter("x"), b=lambda d: d["y"], c=count) | len
    assert step.InputType is Any  # `count` takes a str: no dict suits all three
    step = RunnableParallel(a=itemgetter("x", "z"), b=lambda d: d.get("y"))
    assert keys(step.get_input_jsonschema()) == {"x!", "z!", "y"}


def test_a_parallel_step_gives_a_dict_of_its_outputs() -> None:
    schema = RunnableParallel(n=count, m=Shout()).get_output_jsonschema()
    assert {k: v["type"] for k, v in schema["properties"].items()} == {
        "n": "integer",
        "m": "string",
    }


def test_the_output_schema_of_a_one_step_tail_is_its_output() -> None:
    step = RunnablePassthrough.assign(n=itemgetter("text") | RunnableLambda(count))
    chain = step | RunnableLambda(lambda x: x["n"]).with_types(output_type=int)
    assert chain.get_output_jsonschema()["type"] == "integer"
    assert keys((chain | {"k": halve}).get_output_jsonschema()) == {"k!"}


def test_assigned_keys_add_to_the_output_and_are_not_asked_for() -> None:
    step = RunnablePassthrough.assign(n=itemgetter("text") | RunnableLambda(count)) | (
        lambda x: x["n"] * x["times"]
    )
    assert keys(step.get_input_jsonschema()) == {"text!", "times!"}
    assert keys(RunnablePassthrough.assign(n=itemgetter("text")).get_output_jsonschema()) == {
        "n!",
        "text!",
    }


def test_picked_keys_keep_their_types() -> None:
    def query(text: str) -> Query:
        return {"text": text, "limit": 3}

    both = RunnableLambda(query)
    assert both.pick("limit").OutputType is int
    assert keys(both.pick(["text"]).get_output_jsonschema()) == {"text!"}


def test_a_typed_dict_and_a_model_are_the_schema_themselves() -> None:
    def ask(query: Query) -> Movie:
        return Movie(title=query["text"])

    step = RunnableLambda(ask)
    assert step.get_input_schema()(text="x", limit=1).limit == 1  # type: ignore[attr-defined]
    assert step.get_output_schema() is Movie


def test_names_a_model_cannot_have_are_still_keys_of_the_schema() -> None:
    step = RunnableParallel({"copy": len, "_x": len, "a b": len, "model_name": len})
    assert set(step.get_output_jsonschema()["properties"]) == {"copy", "_x", "a b", "model_name"}


def test_a_type_without_a_schema_is_shown_as_anything() -> None:
    class Odd:
        pass

    step = RunnableLambda(len).with_types(input_type=Odd)
    assert step.get_input_jsonschema() == {"title": "lenInput"}


def test_prompts_say_their_variables() -> None:
    class Prompt(Runnable[dict[str, Any], str]):
        input_variables = ("topic",)
        optional_variables = ("history",)

        async def _invoke(self, input: Any, run: Any) -> str:
            return str(input)

    assert keys((Prompt() | count).get_input_jsonschema()) == {"topic!", "history"}


def test_a_class_may_say_its_types_by_properties() -> None:
    class Own(Runnable[Any, Any]):
        @property
        def InputType(self) -> Any:  # noqa: N802 - the name the field knows
            return bytes

        async def _invoke(self, input: Any, run: Any) -> Any:
            return input

    assert (Own() | count).InputType is bytes


def test_the_config_schema_lists_what_may_be_configured() -> None:
    fields = RunnableLambda(count).configurable_fields(
        name=ConfigurableField("label", "Label", "What it is called", annotation=str),
        inline=ConfigurableFieldSingleOption("speed", {"fast": True, "slow": False}, "slow"),
    )
    which = ConfigurableField("which")
    step = fields.configurable_alternatives(which, prefix_keys=True, other=Shout()) | halve
    schema = step.get_config_jsonschema()["properties"]
    assert set(schema) == {"which", "which==default/label", "which==default/speed"}
    assert schema["which"]["enum"] == ["default", "other"]
    assert schema["which==default/label"]["description"] == "What it is called"
    assert schema["which==default/speed"]["default"] == "slow"
