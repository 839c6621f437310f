from __future__ import annotations

import json
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
    messages_from_dict,
    messages_to_dict,
)

text = st.text(max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(text, values, max_size=3)
blocks = st.one_of(
    text,
    st.builds(lambda t: {"type": "text", "text": t}, text),
    st.builds(lambda v: {"type": "non_standard", "value": v}, objects),
    st.just({"type": "image", "base64": "AA==", "mime_type": "image/png"}),
)
common: Any = {
    "content": text | st.lists(blocks, max_size=3),
    "name": st.none() | text,
    "id": st.none() | text,
    "additional_kwargs": objects,
    "response_metadata": objects,
}
calls = st.builds(
    lambda name, args, id: {"name": name, "args": args, "id": id},
    st.text(min_size=1, max_size=3), objects, st.none() | st.text(min_size=1, max_size=3),
)  # fmt: skip
bad_calls = st.builds(
    lambda name, args: {"name": name, "args": args, "id": "1", "error": "cut"}, text, text
)
messages = st.one_of(
    st.builds(SystemMessage, **common),
    st.builds(DeveloperMessage, **common),
    st.builds(HumanMessage, **common),
    st.builds(
        AIMessage,
        **common,
        tool_calls=st.none() | st.lists(calls, max_size=2),
        invalid_tool_calls=st.lists(bad_calls, max_size=1),
        usage_metadata=st.none() | st.just({"input_tokens": 1, "output_tokens": 2}),
    ),
    st.builds(
        ToolMessage,
        **common,
        tool_call_id=text,
        artifact=values,
        status=st.sampled_from(["success", "error"]),
    ),
    st.builds(ChatMessage, **common, role=st.text(min_size=1, max_size=3)),
    st.builds(RemoveMessage, text),
    st.builds(
        AIMessageChunk,
        **common,
        chunk_position=st.sampled_from([None, "last"]),
        usage_kind=st.sampled_from(["delta", "snapshot"]),
    ),
)


@given(st.lists(messages, max_size=4))
def test_values_to_json_to_values_are_equal(conversation: Any) -> None:
    stored = json.loads(json.dumps(messages_to_dict(conversation)))
    assert messages_from_dict(stored) == conversation


@given(messages)
def test_each_message_survives_its_own_json(message: Any) -> None:
    assert type(message).model_validate_json(message.model_dump_json()) == message


def test_the_form_is_type_and_data() -> None:
    (stored,) = messages_to_dict([HumanMessage("x")])
    assert stored["type"] == "human"
    assert stored["data"]["content"] == "x"


def test_what_langchain_wrote_is_read() -> None:
    data = {
        "content": "x", "additional_kwargs": {}, "response_metadata": {}, "type": "ai",
        "name": None, "id": "run-1", "example": False, "invalid_tool_calls": [],
        "tool_calls": [{"name": "f", "args": {}, "id": "1", "type": "tool_call"}],
        "usage_metadata": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    }  # fmt: skip
    (message,) = messages_from_dict([{"type": "ai", "data": data}])
    assert message == AIMessage(
        "x", id="run-1", tool_calls=data["tool_calls"], usage_metadata=data["usage_metadata"]
    )  # type: ignore[arg-type]  # plain dicts


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("HumanMessageChunk", {}, HumanMessage("x")),
        ("ToolMessageChunk", {"tool_call_id": "1"}, ToolMessage("x", "1")),
        ("function", {"name": "f"}, ToolMessage("x", "f", name="f")),
        ("chat", {"role": "r"}, ChatMessage("x", "r")),
        ("AIMessageChunk", {"tool_calls": [], "chunk_position": "last"},
         AIMessageChunk("x", chunk_position="last")),
    ],
)  # fmt: skip
def test_other_types_of_langchain_are_read(kind: str, fields: Any, expected: Any) -> None:
    assert messages_from_dict([{"type": kind, "data": {"content": "x", **fields}}]) == [expected]


@pytest.mark.parametrize("kind", ["hologram", "os.system", "BaseMessage", ""])
def test_an_unknown_type_is_named_never_instantiated(kind: str) -> None:
    stored = messages_to_dict([HumanMessage("a")])
    with pytest.raises(InputError, match=f"message 1: .*{kind}"):
        messages_from_dict([*stored, {"type": kind, "data": {"content": "x"}}])


def test_something_else_in_the_list_is_an_input_error() -> None:
    with pytest.raises(InputError, match="message 0: expected a dict"):
        messages_from_dict(["x"])  # type: ignore[list-item]  # the point of the test
