"""Whatever the data, the answer is a message or an InputError."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    convert_to_messages,
    convert_to_openai_messages,
    count_tokens_approximately,
    get_buffer_string,
    merge_message_runs,
    message_chunk_to_message,
    messages_from_dict,
    partial_tool_calls,
    trim_messages,
)
from headrace.messages.blocks import STANDARD_FIELDS
from headrace.messages.foreign import FOREIGN_BY_KEY, FOREIGN_BY_TYPE

kinds = st.sampled_from(sorted({*STANDARD_FIELDS, *FOREIGN_BY_TYPE, "novel"}))
keys = st.sampled_from([
    *FOREIGN_BY_KEY, "source", "file", "image_url", "input_audio", "url", "base64", "mime_type",
    "data", "name", "input", "args", "id", "index", "extras", "annotations", "reasoning",
    "thinking", "content", "tool_use_id", "file_id", "arguments", "call_id", "source_type",
    "value", "output", "tool_call_id", "file_data", "file_uri", "bytes", "format", "partial_json",
])  # fmt: skip
junk: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", "{}", "base64"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)
blocks = st.builds(
    lambda kind, fields: {**fields, **({} if kind is None else {"type": kind})},
    st.none() | kinds | junk, st.dictionaries(keys, junk, max_size=4),
)  # fmt: skip
contents = st.lists(blocks | st.text(max_size=2), max_size=3)
roles = st.sampled_from(["user", "assistant", "tool", "system", "function", "chat", "nobody"])
wire = st.fixed_dictionaries(
    {},
    optional={
        "role": roles | junk,
        "type": st.sampled_from(["human", "ai", "tool", "AIMessageChunk", "constructor"]) | junk,
        "content": junk | contents,
        "tool_calls": junk | st.lists(st.fixed_dictionaries({"function": junk}), max_size=1),
        "function_call": junk,
        "tool_call_id": junk,
        "tool_call_chunks": junk,
        "invalid_tool_calls": junk,
        "usage_metadata": junk,
        "response_metadata": junk,
        "additional_kwargs": junk,
        "name": junk,
        "id": junk,
        "lc": junk,
        "kwargs": junk,
        "data": junk,
        "status": junk,
    },
)


def read_everything(message: BaseMessage) -> None:
    assert all(block["type"] in STANDARD_FIELDS for block in message.content_blocks)
    assert isinstance(message.text, str)
    assert isinstance(message.pretty_repr(), str)
    assert get_buffer_string([message], format="xml")
    assert count_tokens_approximately([message]) >= 0
    assert message.model_copy() == message
    assert type(message).model_validate(message.model_dump()) == message


@given(contents)
def test_any_blocks_make_a_readable_message(content: Any) -> None:
    with suppress(InputError):
        read_everything(HumanMessage(content))
    with suppress(InputError):
        read_everything(AIMessage(content))


@given(st.lists(contents, min_size=2, max_size=3))
def test_any_blocks_add_up(parts: Any) -> None:
    with suppress(InputError):
        total = sum((AIMessageChunk(part) for part in parts), AIMessageChunk())
        read_everything(total)
        assert partial_tool_calls(total) is not None
        read_everything(message_chunk_to_message(total))


@given(contents)
def test_any_blocks_are_written_or_refused(content: Any) -> None:
    for kind in (HumanMessage, AIMessage):
        with suppress(InputError):
            assert convert_to_openai_messages(kind(content), text_format="block")


@given(st.lists(wire | junk, max_size=3))
@example([{"role": "assistant", "function_call": {}, "invalid_tool_calls": False}])
def test_any_input_is_read_or_refused(data: Any) -> None:
    with suppress(InputError):
        found = convert_to_messages(data)
        assert merge_message_runs(found) is not None
        assert trim_messages(found, max_tokens=20, allow_partial=True) is not None
        for message in found:
            read_everything(message)
    with suppress(InputError):
        messages_from_dict(data)
