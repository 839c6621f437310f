from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from headrace.errors import InputError
from headrace.tools import Tool, tool
from headrace.tools.docstring import read_docstring
from headrace.tools.schema import without_titles


def schema_of(function: Any) -> dict[str, Any]:
    return Tool(function, name="f", description="F.").parameters


class Unit(Enum):
    C = "celsius"
    F = "fahrenheit"


def test_types_and_defaults_of_the_signature_make_the_schema() -> None:
    def f(a: int, b: Literal["x", "y"] = "x", c: list[float] | None = None) -> None: ...

    assert schema_of(f) == {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "string", "enum": ["x", "y"], "default": "x"},
            "c": {
                "anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}],
                "default": None,
            },
        },
        "required": ["a"],
    }


def test_no_parameters_make_an_empty_object() -> None:
    assert schema_of(lambda: None) == {"type": "object", "properties": {}}


def test_a_parameter_without_an_annotation_takes_anything() -> None:
    assert schema_of(lambda x: x)["properties"] == {"x": {}}


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[int, "how many"],
        Annotated[int, Field(description="how many")],
        Annotated[int, "how many", Field(ge=0)],
        Annotated[int, "not this", Field(description="how many")],
    ],
)
def test_an_annotation_describes_its_argument(annotation: Any) -> None:
    def f(n: int) -> None:
        """F.

        Args:
            n: not this either
        """

    f.__annotations__["n"] = annotation
    assert schema_of(f)["properties"]["n"]["description"] == "how many"


def test_a_field_as_default_counts() -> None:
    def f(n: int = Field(2, description="how many")) -> int:
        return n

    expected = {"type": "integer", "default": 2, "description": "how many"}
    assert schema_of(f)["properties"]["n"] == expected
    assert Tool(f, name="f", description="F.").invoke({}) == 2


def described(a: int, b: int, config: Any = None) -> str:
    """Put two together.

    At some length.

    Args:
        a (int, optional): the first,
            which comes first
        b: the second: b
        config: hidden

    Returns:
        Both.
    """
    return f"{a}{b}"


def test_a_google_docstring_describes_the_arguments() -> None:
    made = tool(described)
    assert made.description == "Put two together.\n\nAt some length.\n\nReturns:\n    Both."
    assert made.args["a"]["description"] == "the first, which comes first"
    assert made.args["b"]["description"] == "the second: b"


def test_a_docstring_may_be_left_whole() -> None:
    made = tool(parse_docstring=False)(described)
    assert "the second: b" in made.description
    assert "description" not in made.args["a"]


def wrong(a: int) -> int:
    """Use a.

    Args:
        aa: renamed since
    """
    return a


def test_a_docstring_that_does_not_fit_is_left_whole() -> None:
    made = tool(wrong)
    assert "aa: renamed since" in made.description
    assert made.args["a"] == {"type": "integer"}


def test_a_docstring_that_must_fit_and_does_not_is_an_input_error() -> None:
    with pytest.raises(InputError, match="describes `aa`"):
        tool(parse_docstring=True)(wrong)


def test_a_docstring_is_left_whole_where_a_schema_is_given() -> None:
    class Args(BaseModel):
        a: int
        b: int

    assert "the second: b" in Tool(described, args_schema=Args).description


def test_arguments_that_are_no_entries_are_left_in_the_text() -> None:
    doc = read_docstring("Do it.\n\nArgs:\n    - one thing\n    - another")
    assert (doc.clear, doc.arguments) == (False, {})
    assert doc.text == doc.whole


def test_nested_models_are_definitions_and_titles_are_gone() -> None:
    class Place(BaseModel):
        """A place."""

        title: str
        unit: Unit = Unit.C

    def f(place: Place) -> None: ...

    schema = schema_of(f)
    assert schema["properties"] == {"place": {"$ref": "#/$defs/Place"}}
    assert set(schema["$defs"]) == {"Place", "Unit"}
    place = schema["$defs"]["Place"]
    assert place["properties"]["title"] == {"type": "string"}
    assert "title" not in place


def test_a_definition_that_only_a_hidden_parameter_needs_is_gone() -> None:
    from headrace.tools import InjectedToolArg

    class User(BaseModel):
        name: str

    class Args(BaseModel):
        n: int
        user: Annotated[User, InjectedToolArg]

    assert (
        "$defs"
        not in Tool(lambda n, user: n, name="f", description="F.", args_schema=Args).parameters
    )


def test_a_model_that_contains_itself_is_an_object_at_the_top() -> None:
    class Node(BaseModel):
        value: int
        kids: list[Node] = []

    Node.model_rebuild(_types_namespace={"Node": Node})
    schema = Tool(lambda value, kids: 1, name="f", description="F.", args_schema=Node).parameters
    assert schema["type"] == "object"
    assert schema["properties"]["kids"]["items"] == {"$ref": "#/$defs/Node"}


def test_a_default_that_json_has_not_is_left_out() -> None:
    missing = object()

    def f(a: Any = missing) -> bool:
        return a is missing

    assert schema_of(f)["properties"] == {"a": {}}
    assert Tool(f, name="f", description="F.").invoke({}) is True


def test_a_type_that_json_has_not_is_an_input_error() -> None:
    class Session:
        pass

    def f(session: Session) -> None: ...

    with pytest.raises(InputError, match="hide the parameter"):
        schema_of(f)


def test_an_annotation_that_cannot_be_found_is_an_input_error() -> None:
    def f(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(InputError, match="name 'Nowhere' is not defined"):
        schema_of(f)


def test_a_dataclass_describes_arguments_with_its_defaults() -> None:
    @dataclasses.dataclass
    class Args:
        n: Annotated[int, "how many"]
        tags: list[str] = dataclasses.field(default_factory=list)

    made = Tool(lambda n, tags: tags, name="f", description="F.", args_schema=Args)
    assert made.parameters["required"] == ["n"]
    assert made.invoke({"n": 1}) == []


def test_titles_go_but_a_property_named_title_stays() -> None:
    schema = {"title": "T", "properties": {"title": {"title": "x", "default": {"title": 1}}}}
    assert without_titles(schema) == {"properties": {"title": {"default": {"title": 1}}}}
