from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from headrace import ChatPromptTemplate, PromptTemplate
from headrace.errors import InputError, MissingPackageError
from headrace.prompts import (
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
    MessagesPlaceholder,
    load_prompt,
)

PAIR = ChatPromptTemplate([("user", "{q}"), ("assistant", "{a}")])
SUMS = [{"q": "1+1", "a": "2"}, {"q": "2+2", "a": "4"}]


def longest(values: Any) -> Any:
    return [e for e in SUMS if e["q"] != values["question"]][:1]


def test_fixed_examples_stand_in_a_chat_prompt(world: Any) -> None:
    shots = FewShotChatMessagePromptTemplate(PAIR, SUMS)
    prompt = ChatPromptTemplate([("system", "Add."), shots, ("user", "{question}")])
    messages = world.invoke(prompt, {"question": "3+3"}).messages
    assert [m.text for m in messages] == ["Add.", "1+1", "2", "2+2", "4", "3+3"]
    assert len(world.invoke(shots, {}).messages) == 4


def test_a_selector_sees_the_input_and_chooses(world: Any) -> None:
    shots = FewShotChatMessagePromptTemplate(
        PAIR, example_selector=longest, input_variables=["question"]
    )
    prompt = ChatPromptTemplate([shots, ("user", "{question}")])
    assert prompt.input_variables == ["question"]
    messages = world.invoke(prompt, {"question": "1+1"}).messages
    assert [m.text for m in messages] == ["2+2", "4", "1+1"]


def test_examples_of_a_text_stand_between_prefix_and_suffix(world: Any) -> None:
    prompt = FewShotPromptTemplate("{q}={a}", "{question}=", SUMS, prefix="Add in {base}:")
    text = world.invoke(prompt.partial(base="ten"), {"question": "3+3"}).text
    assert text == "Add in ten:\n\n1+1=2\n\n2+2=4\n\n3+3="
    assert prompt.input_variables == ["base", "question"]


def test_an_example_that_misses_a_variable_is_named() -> None:
    shots = FewShotChatMessagePromptTemplate(PAIR, [{"q": "1"}])
    with pytest.raises(InputError, match="example 0 misses `a`"):
        shots.invoke({})
    for given in ({}, {"examples": SUMS, "example_selector": longest}):
        with pytest.raises(InputError, match="either `examples`"):
            FewShotChatMessagePromptTemplate(PAIR, **given)


def test_mustache_has_fields_and_sections_and_escapes_nothing(world: Any) -> None:
    prompt = PromptTemplate.from_template(
        "{{#items}}- {{name}}\n{{/items}}{{^items}}none{{/items}}{{who.name}} {{{x}}} {json}",
        template_format="mustache",
    )
    assert prompt.input_variables == ["items", "who", "x"]
    values = {"items": [{"name": "<a>"}, {"name": "b"}], "who": {"name": "Ann"}, "x": "&"}
    assert world.invoke(prompt, values).text == "- <a>\n- b\nAnn & {json}"
    assert pickle.loads(pickle.dumps(prompt)) == prompt


class Secret:
    key = "s3cret"

    def __str__(self) -> str:
        return "a secret"


def test_mustache_reads_no_attributes_and_calls_nothing(world: Any) -> None:
    prompt = ChatPromptTemplate.from_template(
        "{{x}} [{{x.key}}{{x.__class__}}{{f}}]", template_format="mustache"
    )
    text = world.invoke(prompt, {"x": Secret(), "f": print}).to_string()
    assert text == f"Human: a secret [{print}]"


@pytest.mark.parametrize("text", ["{{> other}}", "{{=<% %>=}}", "{{#a}}"])
def test_mustache_that_is_not_taken_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="mustache"):
        PromptTemplate(text, template_format="mustache")


def test_without_the_library_the_error_holds_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pystache", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'headrace\[mustache\]'"):
        PromptTemplate("{{x}}", template_format="mustache")
    with pytest.raises(InputError, match="`template_format` is"):
        PromptTemplate("x", template_format="jinja2")  # type: ignore[arg-type]


TOML = """
[partial_variables]
language = "French"

[[messages]]
role = "system"
content = "Answer in {language}."

[[messages]]
placeholder = "history"
optional = true

[[messages]]
role = "user"
content = "{question}"
"""


def test_a_chat_prompt_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "prompt.toml"
    path.write_text(TOML)
    expected = ChatPromptTemplate(
        [
            ("system", "Answer in {language}."),
            MessagesPlaceholder("history", optional=True),
            ("user", "{question}"),
        ],
        {"language": "French"},
    )
    assert load_prompt(path) == expected


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_a_text_prompt_comes_from_a_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"prompt.{kind}"
    path.write_text(json.dumps({"template": "Hi {{name}}", "template_format": "mustache"}))
    assert load_prompt(path) == PromptTemplate("Hi {{name}}", template_format="mustache")
    plain = tmp_path / "prompt.txt"
    plain.write_text("Hi {name}")
    assert PromptTemplate.from_file(plain).format(name="Ann") == "Hi Ann"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('{"templat": "x"}', "no key `templat`"),
        ("{}", "either `template`"),
        ("{", "cannot be read"),
        ("[]", "holds no table"),
        ('{"messages": "x"}', "`messages` is a list"),
        ('{"messages": [{"placeholder": "h", "many": 1}]}', "takes no 'many'"),
        ('{"template": "{x.y}"}', "no attributes"),
    ],
)
def test_a_file_that_holds_no_prompt_is_named(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "prompt.json"
    path.write_text(text)
    with pytest.raises(InputError, match=match) as found:
        load_prompt(path)
    assert "prompt.json" in str(found.value)


def test_a_file_that_is_not_there_or_of_another_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.toml cannot be read"):
        load_prompt(tmp_path / "gone.toml")
    (tmp_path / "x.md").write_text("hi")
    with pytest.raises(InputError, match=r"is \.toml, \.json"):
        load_prompt(tmp_path / "x.md")
