from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import InputError
from headrace.messages import HumanMessage, convert_to_messages
from headrace.prompts import PromptTemplate, StringPromptValue


def filled(template: str, **values: Any) -> str:
    return PromptTemplate.from_template(template).format(**values)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("", ""),
        ("no fields", "no fields"),
        ("{a}", "1.5"),
        ("{a}{b}{a}", "1.5x1.5"),
        ("{{{a}}}", "{1.5}"),
        ("{{a}}", "{a}"),
        ('{{"k": {a:.2f}}}', '{"k": 1.50}'),
        ("{b!r:>5}|{a:<6}|", "  'x'|1.5   |"),
        ("{user-name}", "ada"),
    ],
)
def test_fields_are_filled_in_as_python_would(template: str, expected: str) -> None:
    assert filled(template, a=1.5, b="x", **{"user-name": "ada"}) == expected


@given(st.text(), st.text(), st.text())
def test_texts_and_values_come_through_exactly(before: str, value: str, after: str) -> None:
    def escaped(text: str) -> str:
        return text.replace("{", "{{").replace("}", "}}")

    template = f"{escaped(before)}{{x}}{escaped(after)}"
    assert filled(template, x=value) == before + value + after


@given(st.text(alphabet=st.sampled_from("{}ab.[]!:0 r")))
def test_a_template_is_read_as_python_reads_it_or_refused(template: str) -> None:
    try:
        made = PromptTemplate(template)
        values = dict.fromkeys(made.input_variables, "v")
        text = made.format(**values)
    except InputError:
        return
    assert text == string.Formatter().vformat(template, (), values)


def test_a_format_spec_that_does_not_fit_the_value_is_an_input_error() -> None:
    with pytest.raises(InputError, match="the field `a`: Unknown format code 'd'"):
        filled("{a:d}", a="x")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{a.__class__}", "takes no attributes and no items"),
        ("{a[0]}", "takes no attributes and no items"),
        ("{}", r"a field is a name; write \{\{ and \}\} for braces"),
        ("{0}", "a field is a name"),
        ('{"k": 1}', r"write \{\{ and \}\}"),
        ("{a", r"write \{\{ and \}\}"),
        ("a}", r"write \{\{ and \}\}"),
        ("{a!x}", "unknown conversion"),
        ("{a:{b}}", "not plain"),
        ("{a:>999999999}", "not plain"),
    ],
)
def test_what_is_no_plain_field_is_an_input_error(template: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PromptTemplate(template)


def test_what_a_value_holds_is_not_read_for_fields() -> None:
    assert filled("{a}", a="{b}{{c}}") == "{b}{{c}}"


def test_a_text_prompt_is_a_text_and_a_message_of_the_user(world: Any) -> None:
    value = world.invoke(PromptTemplate("Hi {name}"), {"name": "Ada"})
    assert value == StringPromptValue("Hi Ada")
    assert (value.to_string(), convert_to_messages(value)) == ("Hi Ada", [HumanMessage("Hi Ada")])


def test_missing_variables_are_named_with_those_needed_and_given() -> None:
    message = (
        r"misses `name` \(did you mean `nme`\?\); it needs `b`, `name`, and was given `b`, `nme`"
    )
    with pytest.raises(InputError, match=message):
        PromptTemplate("{name}{b}").invoke({"b": 1, "nme": 2})


def test_surplus_variables_are_ignored() -> None:
    assert filled("{a}", a=1, b=2) == "1"


def test_one_variable_may_come_without_a_dict(world: Any) -> None:
    assert world.invoke(PromptTemplate("Hi {name}"), "Ada").text == "Hi Ada"
    with pytest.raises(InputError, match="takes a dict of its variables"):
        world.invoke(PromptTemplate("{a}{b}"), "Ada")


def test_a_partial_fills_in_some_and_calls_functions_at_each_use(world: Any) -> None:
    days = iter("12")
    prompt = PromptTemplate("{day}: {name}").partial(day=lambda: next(days))
    assert prompt.input_variables == ["name"]
    assert [world.invoke(prompt, {"name": "x"}).text for _ in range(2)] == ["1: x", "2: x"]
    assert world.invoke(prompt, {"name": "x", "day": 3}).text == "3: x"


def test_a_partial_of_an_unknown_variable_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"no variable `nane` \(did you mean `name`\?\)"):
        PromptTemplate("{name}").partial(nane=1)


def test_templates_add_up() -> None:
    total = PromptTemplate("{a}").partial(a=1) + " and {b}" + PromptTemplate("{c}")
    assert total.format(b=2, c=3) == "1 and 23"
