from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from headrace.errors import InputError, SuspendedError, ToolError
from headrace.messages import ToolMessage
from headrace.tools import Tool, ToolArgumentError, tool


def call(name: str = "add", id: str | None = "call_1", **args: Any) -> dict[str, Any]:
    return {"type": "tool_call", "name": name, "args": args, "id": id}


@tool
def add(a: int, b: int = 3) -> int:
    """Add two numbers."""
    return a + b


def test_a_dict_of_arguments_gives_the_value_of_the_function(world: Any) -> None:
    assert world.invoke(add, {"a": 1, "b": 2}) == 3


def test_a_call_gives_a_message_that_answers_it(world: Any) -> None:
    expected = ToolMessage("5", "call_1", name="add")
    assert world.invoke(add, call(a=2)) == expected


def test_a_str_is_the_only_argument(world: Any) -> None:
    assert world.invoke(add, "4") == 7


def test_a_str_for_several_needed_arguments_is_an_input_error() -> None:
    both = Tool(lambda a, b: a + b, name="both", description="Both.")
    with pytest.raises(InputError, match="takes a dict of `a`, `b`"):
        both.invoke("x")


def test_values_are_coerced_and_defaults_filled_in(world: Any) -> None:
    assert world.invoke(add, {"a": "4"}) == 7


def test_many_calls_are_answered_in_order(world: Any) -> None:
    answers = world.batch(add, [call(id="1", a=1), call(id="2", a=2)])
    assert [(m.tool_call_id, m.content) for m in answers] == [("1", "4"), ("2", "5")]


def test_a_coroutine_function_is_a_tool_in_both_worlds(world: Any) -> None:
    @tool
    async def double(x: int) -> int:
        """Double it."""
        return 2 * x

    assert world.invoke(double, {"x": 2}) == 4


def test_each_world_calls_its_own_function(world: Any) -> None:
    async def there(x: int) -> str:
        return "async"

    both = Tool(lambda x: "sync", there, name="both", description="Both.")
    assert world.invoke(both, {"x": 1}) == ("async" if world.is_async else "sync")


def test_a_coroutine_that_waits_in_a_sync_run_is_a_suspended_error() -> None:
    import asyncio

    @tool
    async def slow() -> None:
        """Wait."""
        await asyncio.sleep(0)

    with pytest.raises(SuspendedError, match="slow"):
        slow.invoke({})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"a": "x"}, "`a`: Input should be a valid integer.*found 'x'"),
        ({}, "`a` is missing"),
        ({"a": 1, "bb": 2}, r"no argument `bb` \(did you mean `b`\?\); the tool takes `a`, `b`"),
    ],
)
def test_bad_arguments_are_a_tool_error_that_says_which(
    world: Any, args: dict[str, Any], message: str
) -> None:
    with pytest.raises(ToolArgumentError, match=f"bad arguments for tool `add`: .*{message}"):
        world.invoke(add, args)


def test_the_error_of_an_argument_names_the_place_in_a_nested_value() -> None:
    class Place(BaseModel):
        city: str

    @tool
    def weather(place: Place) -> str:
        """Tell the weather."""
        return place.city

    assert weather.invoke({"place": {"city": "Bern"}}) == "Bern"
    with pytest.raises(ToolError, match=r"`place\.city` is missing"):
        weather.invoke({"place": {}})


@pytest.mark.parametrize(
    ("policy", "content"),
    [(True, "no such city"), ("try again", "try again"), (lambda e: f"<{e}>", "<no such city>")],
)
def test_a_policy_makes_a_tool_error_the_answer(world: Any, policy: Any, content: str) -> None:
    @tool(handle_tool_error=policy)
    def find(city: str) -> str:
        """Find a city."""
        raise ToolError("no such city")

    answer = world.invoke(find, call("find", city="x"))
    assert (answer.content, answer.status) == (content, "error")
    assert world.invoke(find, {"city": "x"}) == content


def test_without_a_policy_a_tool_error_is_raised(world: Any) -> None:
    @tool
    def find(city: str) -> str:
        """Find a city."""
        raise ToolError("no such city")

    with pytest.raises(ToolError, match="no such city"):
        world.invoke(find, call("find", city="x"))


def test_a_policy_for_tool_errors_is_not_one_for_other_errors(world: Any) -> None:
    @tool(handle_tool_error=True, handle_validation_error=True)
    def find(city: str) -> str:
        """Find a city."""
        raise KeyError(city)

    with pytest.raises(KeyError):
        world.invoke(find, call("find", city="x"))


def test_a_policy_for_bad_arguments_tells_the_model_what_is_wrong(world: Any) -> None:
    lenient = Tool(add.func, handle_validation_error=True)
    answer = world.invoke(lenient, call(a="x"))
    assert answer.status == "error"
    assert "`a`: Input should be a valid integer" in answer.content


def test_a_call_that_could_not_be_read_is_never_run(world: Any) -> None:
    cut = {"type": "invalid_tool_call", "name": "add", "args": '{"a', "id": "1", "error": "cut"}
    with pytest.raises(ToolArgumentError, match="not run: cut"):
        world.invoke(add, cut)
    lenient = Tool(add.func, handle_validation_error=True)
    assert world.invoke(lenient, cut).status == "error"


def test_a_call_without_an_id_is_an_input_error() -> None:
    with pytest.raises(InputError, match="no `id`"):
        add.invoke(call(id=None, a=1))


def test_content_and_artifact_are_told_apart(world: Any) -> None:
    @tool(response_format="content_and_artifact")
    def draw(what: str) -> tuple[str, bytes]:
        """Draw something."""
        return f"drew {what}", b"png"

    answer = world.invoke(draw, call("draw", what="a cat"))
    assert (answer.content, answer.artifact) == ("drew a cat", b"png")
    assert world.invoke(draw, {"what": "a cat"}) == "drew a cat"


def test_a_missing_artifact_is_a_tool_error_that_no_policy_hides() -> None:
    @tool(response_format="content_and_artifact", handle_tool_error=True)
    def draw(what: str) -> str:
        """Draw something."""
        return what

    with pytest.raises(ToolError, match=r"must return \(content, artifact\)"):
        draw.invoke({"what": "a cat"})


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("text", "text"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (["Rome", "Bern"], '["Rome","Bern"]'),
        ([{"type": "text", "text": "x"}, "y"], [{"type": "text", "text": "x"}, "y"]),
        ([{"type": "file", "name": "a.txt"}], '[{"type":"file","name":"a.txt"}]'),
        (None, "null"),
    ],
)
def test_a_result_is_text_or_blocks_or_else_json(value: Any, content: Any) -> None:
    given = Tool(lambda: value, name="given", description="Give it.")
    assert given.invoke(call("given")).content == content


def test_a_result_that_json_cannot_hold_is_shown_as_text() -> None:
    given = Tool(lambda: ["\ud800"], name="given", description="Give it.")
    assert given.invoke(call("given")).content == "['\\ud800']"


def test_a_message_that_a_tool_returns_passes_as_it_is(world: Any) -> None:
    message = ToolMessage("mine", "other")
    given = Tool(lambda: message, name="given", description="Give it.")
    assert world.invoke(given, call("given")) is message


def test_config_and_run_are_given_and_hidden(world: Any) -> None:
    @tool
    def who(x: int, config: Any, run: Any) -> Any:
        """Say who."""
        return config["metadata"]["user"], run.io.is_async

    assert list(who.args) == ["x"]
    found = world.invoke(who, {"x": 1}, {"metadata": {"user": "ada"}})
    assert found == ("ada", world.is_async)


def test_a_tool_called_inside_a_tool_is_of_the_same_run() -> None:
    @tool
    def outer(x: int) -> Any:
        """Call the inner one."""
        return inner.invoke({"x": x})

    @tool
    def inner(x: int, config: Any) -> Any:
        """Say the tags."""
        return config["tags"]

    assert outer.invoke({"x": 1}, {"tags": ["t"]}) == ["t"]


def test_a_name_may_be_given() -> None:
    @tool("plus", return_direct=True)
    def add(a: int) -> int:
        """Add."""
        return a

    assert (add.name, add.return_direct, add.get_name()) == ("plus", True, "plus")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"description": "Given."}, "Given."),
        ({}, "Written."),
    ],
)
def test_a_given_description_comes_before_the_docstring(
    options: dict[str, Any], expected: str
) -> None:
    def f(a: int) -> int:
        """Written."""
        return a

    assert Tool(f, **options).description == expected


def test_the_description_of_the_schema_is_the_last_resort() -> None:
    class Args(BaseModel):
        """Of the schema."""

        a: int

    made = Tool(lambda a: a, name="f", args_schema=Args)
    assert made.description == "Of the schema."
    assert "description" not in made.parameters


def test_a_tool_without_a_description_is_an_input_error() -> None:
    def f(a: int) -> int:
        return a

    with pytest.raises(InputError, match="tool `f` has no description"):
        tool(f)


@pytest.mark.parametrize("given", [3, None, int])
def test_what_is_no_function_is_no_tool(given: Any) -> None:
    with pytest.raises(InputError):
        Tool(given, name="f", description="F.")


def test_a_lambda_needs_a_name() -> None:
    with pytest.raises(InputError, match="needs a name"):
        Tool(lambda: 1, description="One.")


class Args(BaseModel):
    n: int = Field(description="how many", ge=1)


class Keys(TypedDict, total=False):
    n: Annotated[int, "how many"]


@pytest.mark.parametrize("schema", [Args, Keys])
def test_a_schema_given_for_the_arguments_checks_and_describes_them(schema: Any) -> None:
    made = Tool(lambda n: n, name="f", description="F.", args_schema=schema)
    assert made.args["n"]["description"] == "how many"
    assert made.invoke({"n": "2"}) == 2


def test_a_key_that_may_be_absent_is_not_passed_when_it_is() -> None:
    made = Tool(lambda n=7: n, name="f", description="F.", args_schema=Keys)
    assert made.invoke({}) == 7
    assert "required" not in made.parameters


def test_a_json_schema_is_shown_as_it_is_and_its_names_are_checked() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    made = Tool(lambda **kwargs: kwargs, name="f", description="F.", args_schema=schema)
    assert made.parameters == schema
    assert made.invoke({"n": 1}) == {"n": 1}
    for bad in ({}, {"n": 1, "m": 2}):
        with pytest.raises(ToolArgumentError):
            made.invoke(bad)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: 1, "the schema has `n`, the function has not"),
        (lambda n, m: 1, "the function needs `m`, the schema has it not"),
    ],
)
def test_a_schema_that_does_not_fit_the_function_is_an_input_error(
    function: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Tool(function, name="f", description="F.", args_schema=Args)


def test_any_other_argument_is_taken_where_the_function_takes_any() -> None:
    made = Tool(lambda a, **rest: (a, rest), name="f", description="F.")
    assert made.invoke({"a": 1, "b": 2}) == (1, {"b": 2})


def test_what_a_partial_has_bound_is_not_the_models() -> None:
    def f(a: int, key: str) -> Any:
        """Use a key."""
        return a, key

    made = Tool(partial(f, key="secret"))
    assert (made.name, list(made.args)) == ("f", ["a"])
    assert made.invoke({"a": 1}) == (1, "secret")


def test_names_that_pydantic_keeps_for_itself_are_arguments_like_others() -> None:
    def f(schema: str, model_config: int, _hidden: int = 1, copy: bool = False) -> Any:
        """Take odd names."""
        return schema, model_config, _hidden, copy

    assert list(tool(f).args) == ["schema", "model_config", "_hidden", "copy"]
    assert tool(f).invoke({"schema": "s", "model_config": 2, "_hidden": 3}) == ("s", 2, 3, False)


def test_positional_parameters_are_filled_by_name() -> None:
    def f(a: int, b: int = 2, /, *, c: Literal["x", "y"] = "x") -> Any:
        """Take some by position."""
        return a, b, c

    assert tool(f).invoke({"a": 1, "c": "y"}) == (1, 2, "y")


class Greeter:
    def __call__(self, name: str) -> str:
        """Greet somebody."""
        return f"hi {name}"

    def greet(self, name: str) -> str:
        """Greet by a method."""
        return f"hi {name}"


def test_an_object_that_can_be_called_and_a_method_are_tools() -> None:
    assert Tool(Greeter()).definition()["description"] == "Greet somebody."
    assert Tool(Greeter()).name == "Greeter"
    assert Tool(Greeter().greet).invoke("ada") == "hi ada"


def test_a_builtin_needs_a_schema() -> None:
    assert Tool(max, args_schema={"type": "object"}, description="Max.").name == "max"
    with pytest.raises(InputError, match="give `args_schema`"):
        Tool(max)


@pytest.mark.parametrize("input", [3, None, ["a"]])
def test_what_holds_no_arguments_is_an_input_error(input: Any) -> None:
    with pytest.raises(InputError, match="takes a dict of arguments or a tool call"):
        add.invoke(input)


def test_arguments_that_are_no_object_are_refused() -> None:
    with pytest.raises(ToolArgumentError, match="must be an object"):
        add.invoke({"type": "tool_call", "name": "add", "args": "{}", "id": "1"})


def test_what_is_neither_a_function_nor_a_name_cannot_decorate() -> None:
    with pytest.raises(InputError, match="a function or a name"):
        tool(3)  # type: ignore[call-overload]  # the error is the point


def test_the_function_stays_within_reach() -> None:
    assert add.func is not None
    assert add.func(1, 1) == 2


def test_a_tool_is_a_step_of_a_pipeline(world: Any) -> None:
    chain = add | str
    assert world.invoke(chain, {"a": 1}) == "4"
    with pytest.raises(ToolError) as caught:
        world.invoke(chain, {"c": 1})
    assert caught.value.step == "0:add"


def test_an_argument_arrives_as_the_type_it_is_annotated_with() -> None:
    @tool
    def f(pairs: list[tuple[int, str]]) -> Any:
        """Take pairs."""
        return pairs

    assert f.invoke({"pairs": [[1, "x"]]}) == [(1, "x")]


Shadowed = "not a type"


def test_an_annotation_means_the_name_where_the_function_stands() -> None:
    Shadowed = int  # noqa: F841, N806

    @tool
    def f(n: Shadowed) -> Any:
        """Take it."""
        return n

    assert f.invoke({"n": "1"}) == 1
