from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    convert_to_message,
    convert_to_messages,
)

CALL = {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "1"}
WIRE_CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


class Prompt:
    def to_messages(self) -> list[Any]:
        return [SystemMessage("s"), ("user", "u")]


class SdkMessage:
    role = "assistant"

    def model_dump(self) -> dict[str, Any]:
        return {"role": "assistant", "content": None, "tool_calls": [WIRE_CALL], "refusal": None}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("hi", [HumanMessage("hi")]),
        (HumanMessage("hi"), [HumanMessage("hi")]),
        (("system", "s"), [SystemMessage("s")]),
        ({"role": "user", "content": "hi"}, [HumanMessage("hi")]),
        (["a", "b"], [HumanMessage("a"), HumanMessage("b")]),
        ((HumanMessage("a"), "b"), [HumanMessage("a"), HumanMessage("b")]),
        ([["assistant", "b"]], [AIMessage("b")]),
        ((m for m in ["a"]), [HumanMessage("a")]),
        (Prompt(), [SystemMessage("s"), HumanMessage("u")]),
        (["x", Prompt()], [HumanMessage("x"), SystemMessage("s"), HumanMessage("u")]),
        ([SdkMessage()], [AIMessage(tool_calls=[CALL])]),
        ([], []),
    ],
)
def test_every_form_is_read(given: Any, expected: Any) -> None:
    assert convert_to_messages(given) == expected


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("user", HumanMessage), ("human", HumanMessage), ("assistant", AIMessage),
        ("ai", AIMessage), ("system", SystemMessage), ("developer", DeveloperMessage),
        ("User", HumanMessage),
    ],
)  # fmt: skip
def test_every_role_is_known(role: str, kind: Any) -> None:
    assert convert_to_messages([(role, "x")]) == [kind("x")]
    assert convert_to_messages([{"role": role, "content": "x"}]) == [kind("x")]


def test_no_content_is_an_empty_text() -> None:
    assert convert_to_message({"role": "assistant", "content": None}) == AIMessage("")
    assert convert_to_message(("ai", None)) == AIMessage("")


@pytest.mark.parametrize(
    "given_call", [CALL, WIRE_CALL, {"name": "f", "args": {"a": 1}, "id": "1"}]
)
def test_tool_calls_are_read_in_each_shape(given_call: Any) -> None:
    message = {"role": "assistant", "content": "", "tool_calls": [given_call]}
    assert convert_to_message(message) == AIMessage(tool_calls=[CALL])


def test_a_wire_call_with_broken_arguments_is_invalid_not_lost() -> None:
    broken = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":'}}
    message = convert_to_message({"role": "assistant", "content": "", "tool_calls": [broken]})
    assert isinstance(message, AIMessage)
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == '{"a":'


def test_a_wire_call_keeps_what_its_provider_added() -> None:
    wire = {**WIRE_CALL, "extra_content": {"signature": "s"}}
    message = convert_to_message({"role": "assistant", "content": "", "tool_calls": [wire]})
    assert isinstance(message, AIMessage)
    assert message.tool_calls[0]["extras"] == {"extra_content": {"signature": "s"}}


def test_a_tool_dict_needs_the_id_of_its_call() -> None:
    answer = {"role": "tool", "content": "r", "tool_call_id": "1", "name": "f"}
    assert convert_to_message(answer) == ToolMessage("r", tool_call_id="1", name="f")
    with pytest.raises(InputError, match="tool_call_id"):
        convert_to_messages([{"role": "tool", "content": "r"}])


def test_a_legacy_function_call_and_its_answer_are_paired_by_name() -> None:
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    asked, answer = convert_to_messages([call, {"role": "function", "name": "f", "content": "r"}])
    assert isinstance(asked, AIMessage)
    assert isinstance(answer, ToolMessage)
    assert asked.tool_calls[0]["id"] == answer.tool_call_id == "f"


def test_fields_no_message_has_go_to_additional_kwargs() -> None:
    message = convert_to_message({"role": "user", "content": "x", "weight": 1, "other": None})
    assert message == HumanMessage("x", additional_kwargs={"weight": 1})


def test_tool_results_in_a_users_message_become_tool_messages() -> None:
    content = [
        {"type": "tool_result", "tool_use_id": "1", "content": "r", "is_error": True},
        {"type": "text", "text": "and?"},
    ]
    assert convert_to_messages([{"role": "user", "content": content}]) == [
        ToolMessage("r", tool_call_id="1", status="error"),
        HumanMessage([{"type": "text", "text": "and?"}]),
    ]


def test_a_chat_dict_keeps_its_own_role() -> None:
    message = {"type": "chat", "role": "critic", "content": "x"}
    assert convert_to_message(message) == ChatMessage("x", role="critic")


@pytest.mark.parametrize(
    ("name", "kwargs", "expected"),
    [
        ("HumanMessage", {"content": "x", "type": "human"}, HumanMessage("x")),
        ("AIMessageChunk", {"content": "x", "tool_calls": []}, AIMessageChunk("x")),
        ("SystemMessageChunk", {"content": "x"}, SystemMessage("x")),
        ("ToolMessage", {"content": "x", "tool_call_id": "1"}, ToolMessage("x", "1")),
        ("RemoveMessage", {"content": "", "id": "1"}, RemoveMessage("1")),
        ("ChatMessage", {"content": "x", "role": "r"}, ChatMessage("x", "r")),
        (
            "SystemMessage",
            {"content": "x", "additional_kwargs": {"__openai_role__": "developer"}},
            DeveloperMessage("x"),
        ),
    ],
)
def test_envelopes_are_read_as_data(name: str, kwargs: Any, expected: Any) -> None:
    path = ["langchain", "schema", "messages", name]
    envelope = {"lc": 1, "type": "constructor", "id": path, "kwargs": kwargs}
    assert convert_to_message(envelope) == expected


@pytest.mark.parametrize("name", ["ChatOpenAI", "Popen", "BaseMessage"])
def test_an_envelope_of_anything_else_is_refused(name: str) -> None:
    envelope = {"lc": 1, "type": "constructor", "id": ["subprocess", name], "kwargs": {}}
    with pytest.raises(InputError, match=name):
        convert_to_messages([envelope])


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([{"role": "asistant", "content": "x"}], "message 0: unknown role 'asistant'.*`assistant`"),
        (["a", ("usr", "x")], "message 1: unknown role 'usr' .did you mean `user`"),
        ([{"type": "humn", "content": "x"}], "unknown message type 'humn'.*`human`"),
        ([{"content": "x"}], "needs `role`"),
        ([{"role": 5, "content": "x"}], "unknown role 5"),
        ([{"role": "user"}], "needs `content`"),
        ([{"role": "user", "content": 5}], "not int"),
        ([{"role": "user", "content": "x", "name": 5}], "`name` of HumanMessage"),
        ([{"role": "ai", "content": "x", "response_metadata": 5}], "must be a dict"),
        ([{"role": "ai", "content": "x", "tool_calls": 5}], "must be a list"),
        ([5], "message 0: cannot make a message of 5"),
        (5, "must be a str"),
        (b"hi", "must be a str"),
        (None, "must be a str"),
        ([("user", "a", "b")], "cannot make"),
        ([{"type": "chat", "content": "x"}], "chat"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(bad: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        convert_to_messages(bad)


def test_exactly_one_message_is_asked_for() -> None:
    with pytest.raises(InputError, match="found 2"):
        convert_to_message(["a", "b"])


contents = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.lists(
        st.sampled_from([
            "text",
            {"type": "text", "text": "x"},
            {"type": "image_url", "image_url": {"url": "http://x/y"}},
            {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "r"}]},
            {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
        ]).map(copy.deepcopy),
        max_size=3,
    ),
)  # fmt: skip
dicts = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": contents},
    optional={"tool_calls": st.just([copy.deepcopy(WIRE_CALL)]), "extra": st.just({"a": [1]})},
)


@given(st.lists(dicts | st.text(max_size=3) | st.tuples(st.just("user"), st.text()), max_size=4))
def test_the_input_is_never_changed(messages: Any) -> None:
    before = copy.deepcopy(messages)
    for message in convert_to_messages(messages):
        message.content_blocks.clear()
        message.additional_kwargs["new"] = 1
        if isinstance(message.content, list):
            message.content.append("more")
    assert messages == before


@given(st.lists(dicts, max_size=4))
def test_converting_twice_changes_nothing(messages: Any) -> None:
    once = convert_to_messages(messages)
    assert convert_to_messages(once) == once
    assert convert_to_messages([message.model_dump() for message in once]) == once
