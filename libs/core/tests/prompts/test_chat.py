from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    DeveloperMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)
from headrace.prompts import (
    AIMessagePromptTemplate,
    ChatPromptTemplate,
    ChatPromptValue,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    SystemMessagePromptTemplate,
)
from headrace.runnables import RunnablePassthrough


def test_a_template_of_one_text_is_a_message_of_the_user(world: Any) -> None:
    value = world.invoke(ChatPromptTemplate.from_template("Hi {name}"), {"name": "Ada"})
    assert value == ChatPromptValue([HumanMessage("Hi Ada")])


def test_every_kind_of_part_makes_its_message(world: Any) -> None:
    prompt = ChatPromptTemplate.from_messages(
        [
            ("system", "You are {who}."),
            ("developer", "Rank {who}."),
            SystemMessage("{kept}"),
            {"role": "user", "content": "{x}", "name": "ada"},
            ("ai", "{x}!"),
            "plain {x}",
            {"role": "tool", "content": "{x}", "tool_call_id": "1"},
            HumanMessagePromptTemplate.from_template("h {x}"),
            SystemMessagePromptTemplate.from_template("s {x}"),
            AIMessagePromptTemplate.from_template("a {x}"),
            ChatPromptTemplate.from_template("nested {x}"),
        ]
    )
    assert world.invoke(prompt, {"who": "w", "x": 1}).to_messages() == [
        SystemMessage("You are w."),
        DeveloperMessage("Rank w."),
        SystemMessage("{kept}"),
        HumanMessage("1", name="ada"),
        AIMessage("1!"),
        HumanMessage("plain 1"),
        ToolMessage("1", "1"),
        HumanMessage("h 1"),
        SystemMessage("s 1"),
        AIMessage("a 1"),
        HumanMessage("nested 1"),
    ]


def test_a_placeholder_holds_messages_in_any_form() -> None:
    prompt = ChatPromptTemplate([MessagesPlaceholder("history"), ("user", "{x}")])
    history = [("user", "a"), {"role": "assistant", "content": "b"}, HumanMessage("c")]
    found = prompt.format_messages(history=history, x="d")
    assert [(m.type, m.text) for m in found] == [
        ("human", "a"),
        ("ai", "b"),
        ("human", "c"),
        ("human", "d"),
    ]


def test_an_optional_placeholder_may_be_left_out() -> None:
    prompt = ChatPromptTemplate([("placeholder", "{history}"), ("user", "{x}")])
    assert (prompt.input_variables, prompt.optional_variables) == (["x"], ["history"])
    assert prompt.format_messages(x=1) == [HumanMessage("1")]
    assert len(prompt.format_messages(x=1, history=["a", "b"])) == 3


def test_a_needed_placeholder_may_not_be_left_out() -> None:
    prompt = ChatPromptTemplate([("placeholder", ["{history}", False])])
    with pytest.raises(InputError, match="misses `history`"):
        prompt.invoke({})


def test_a_placeholder_may_keep_the_last_messages_only() -> None:
    prompt = ChatPromptTemplate([MessagesPlaceholder("history", n_messages=1)])
    assert prompt.format_messages(history=["a", "b"]) == [HumanMessage("b")]


def test_what_is_no_message_in_a_placeholder_is_an_error_that_names_it() -> None:
    prompt = ChatPromptTemplate([MessagesPlaceholder("history")])
    with pytest.raises(InputError, match="variable `history`: message 1: cannot make a message"):
        prompt.invoke({"history": ["a", 3]})


def test_fields_are_filled_in_inside_blocks(world: Any) -> None:
    blocks = [
        {"type": "text", "text": "Describe {what}"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,{data}", "n": 1}},
        "and {what}",
    ]
    prompt = ChatPromptTemplate([("user", blocks)])
    (message,) = world.invoke(prompt, {"what": "it", "data": "aGk="}).messages
    assert message.content == [
        {"type": "text", "text": "Describe it"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "n": 1}},
        "and it",
    ]
    assert prompt.input_variables == ["data", "what"]


def test_a_given_message_is_not_shared_between_prompts() -> None:
    prompt = ChatPromptTemplate([HumanMessage([{"type": "text", "text": "x"}])])
    prompt.format_messages()[0].content.append("spoilt")  # type: ignore[union-attr]  # a list
    assert prompt.format_messages() == [HumanMessage([{"type": "text", "text": "x"}])]


def test_templates_add_up_whichever_way_they_are_nested() -> None:
    a = ChatPromptTemplate.from_template("{a}").partial(a=1)
    b, c = ChatPromptTemplate.from_template("{b}"), ChatPromptTemplate.from_template("{c}")
    assert (a + b) + c == a + (b + c)
    assert [m.text for m in ((a + b) + c).format_messages(b=2, c=3)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "more", ["{b}", ("user", "{b}"), [("user", "{b}")], {"role": "user", "content": "{b}"}]
)
def test_parts_of_any_kind_may_be_added(more: Any) -> None:
    total = ChatPromptTemplate.from_template("{a}") + more
    assert [m.text for m in total.format_messages(a=1, b=2)] == ["1", "2"]
    assert len((total + AIMessage("c")).parts) == 3


def test_a_partial_leaves_the_template_as_it_was() -> None:
    prompt = ChatPromptTemplate([("user", "{a}{b}"), ("placeholder", "{c}")])
    filled = prompt.partial(a=1, c=["x"])
    assert (prompt.input_variables, filled.input_variables) == (["a", "b"], ["b"])
    assert [m.text for m in filled.format_messages(b=2)] == ["12", "x"]


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([("sistem", "x")], r"message 0 of the prompt: unknown role 'sistem' \(did you mean"),
        (["a", 3], "message 1 of the prompt: give a"),
        ([("tool", "x")], "tool_call_id"),
        ([("placeholder", "x{y}")], "a placeholder is one field"),
        ([("user", 3)], "is a str or a list of blocks"),
        ("text", "`from_template` takes one text"),
        ([("user", "{a.b}")], "no attributes"),
    ],
)
def test_a_part_that_cannot_be_is_an_error_at_once(messages: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ChatPromptTemplate(messages)


def test_missing_variables_name_the_step_in_a_pipeline(world: Any) -> None:
    chain = ChatPromptTemplate.from_template("{a}") | RunnablePassthrough()
    with pytest.raises(InputError, match="misses `a`; it needs `a`, and was given `b`") as caught:
        world.invoke(chain, {"b": 1})
    assert caught.value.step == "0:ChatPromptTemplate"


def test_a_value_is_read_as_messages_and_as_text() -> None:
    value = ChatPromptTemplate([("system", "s"), ("user", "u")]).invoke({})
    assert convert_to_messages(value) == value.to_messages() == value.messages
    assert "s" in value.to_string()
    assert "u" in value.to_string()


def test_a_stream_gives_the_prompt_once(world: Any) -> None:
    prompt = ChatPromptTemplate.from_template("{a}")
    assert world.stream(prompt, {"a": 1}) == [prompt.invoke({"a": 1})]


def test_equal_templates_are_one_key() -> None:
    def make() -> ChatPromptTemplate:
        parts = [("user", "{a}"), MessagesPlaceholder("b"), HumanMessage("c")]
        return ChatPromptTemplate(parts)

    assert make() == make()
    assert len({make(), make()}) == 1
    assert make() != ChatPromptTemplate.from_template("{a}")


def test_the_representation_shows_the_parts() -> None:
    prompt = ChatPromptTemplate([("user", "{a}"), MessagesPlaceholder("b", optional=True)])
    expected = "ChatPromptTemplate([('user', '{a}'), MessagesPlaceholder('b', optional=True)])"
    assert repr(prompt) == expected
