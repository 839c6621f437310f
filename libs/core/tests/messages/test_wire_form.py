from __future__ import annotations

from typing import Any

import pytest

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
    convert_to_messages,
    convert_to_openai_messages,
)

CALL = {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "1"}
WIRE_CALL = {"type": "function", "id": "1", "function": {"name": "f", "arguments": '{"a":1}'}}


def parts(*blocks: Any) -> Any:
    found: Any = convert_to_openai_messages(HumanMessage(list(blocks)))
    return found["content"]


def test_one_in_gives_one_out_and_a_list_a_list() -> None:
    one = {"role": "user", "content": "x"}
    assert convert_to_openai_messages(HumanMessage("x")) == one
    assert convert_to_openai_messages({"role": "user", "content": "x"}) == one
    assert convert_to_openai_messages(("user", "x")) == one
    assert convert_to_openai_messages([HumanMessage("x")]) == [one]
    assert convert_to_openai_messages([]) == []


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (SystemMessage("x"), {"role": "system", "content": "x"}),
        (DeveloperMessage("x"), {"role": "developer", "content": "x"}),
        (HumanMessage("x", name="n"), {"role": "user", "name": "n", "content": "x"}),
        (ChatMessage("x", role="critic"), {"role": "critic", "content": "x"}),
        (AIMessage("x"), {"role": "assistant", "content": "x"}),
        (AIMessage(tool_calls=[CALL]),
         {"role": "assistant", "content": "", "tool_calls": [WIRE_CALL]}),
        (ToolMessage("r", tool_call_id="1", artifact="secret"),
         {"role": "tool", "content": "r", "tool_call_id": "1"}),
    ],
)  # fmt: skip
def test_each_kind_has_its_wire_form(message: Any, wire: Any) -> None:
    assert convert_to_openai_messages(message) == wire


def test_a_finished_total_is_written_like_its_message() -> None:
    piece = {"name": "f", "args": '{"a":1}', "id": "1", "index": 0}
    total = AIMessageChunk("x") + AIMessageChunk(tool_call_chunks=[piece])
    assert convert_to_openai_messages(total) == {
        "role": "assistant", "content": "x", "tool_calls": [WIRE_CALL],
    }  # fmt: skip


def test_an_invalid_call_keeps_the_models_own_words() -> None:
    bad = {"name": "f", "args": '{"a', "id": "1", "error": "cut"}
    wire: Any = convert_to_openai_messages(AIMessage(invalid_tool_calls=[bad]))
    assert wire["tool_calls"][0]["function"]["arguments"] == '{"a'


def test_texts_become_one_string_or_stay_parts() -> None:
    message = HumanMessage(["a", {"type": "text", "text": "b"}])
    assert convert_to_openai_messages(message) == {"role": "user", "content": "a\nb"}
    assert convert_to_openai_messages(message, text_format="block") == {
        "role": "user",
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
    }
    assert convert_to_openai_messages("", text_format="block") == {"role": "user", "content": []}


def test_an_id_is_written_when_asked_for() -> None:
    message = HumanMessage("x", id="m")
    assert "id" not in convert_to_openai_messages(message)
    assert convert_to_openai_messages(message, include_id=True) == {
        "role": "user", "id": "m", "content": "x",
    }  # fmt: skip


URL = "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": "AAAA", "mime_type": "image/png"},
        {"type": "image_url", "image_url": URL},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"image": {"format": "png", "source": {"bytes": b"\x00\x00\x00"}}},
        {"type": "media", "mime_type": "image/png", "data": "AAAA"},
    ],
)
def test_images_of_every_shape_become_image_urls(block: Any) -> None:
    assert parts("x", block) == [
        {"type": "text", "text": "x"},
        {"type": "image_url", "image_url": {"url": URL}},
    ]


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "image", "url": "http://x", "extras": {"detail": "low"}},
         {"type": "image_url", "image_url": {"url": "http://x", "detail": "low"}}),
        ({"type": "audio", "base64": "AA", "mime_type": "audio/mpeg"},
         {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}),
        ({"type": "file", "base64": "AA", "mime_type": "application/pdf"},
         {"type": "file",
          "file": {"file_data": "data:application/pdf;base64,AA", "filename": "file"}}),
        ({"type": "image", "file_id": "f"}, {"type": "file", "file": {"file_id": "f"}}),
        ({"document": {"format": "pdf", "name": "n", "source": {"bytes": b"\x00\x00\x00"}}},
         {"type": "file",
          "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "n"}}),
        ({"type": "refusal", "refusal": "no"}, {"type": "refusal", "refusal": "no"}),
    ],
)  # fmt: skip
def test_other_blocks_have_their_wire_form(block: Any, part: Any) -> None:
    assert parts(block) == [part]


def test_text_documents_and_cache_points() -> None:
    assert parts({"type": "text-plain", "text": "x"}, {"cachePoint": {"type": "default"}}) == "x"


def test_tool_results_in_a_users_message_come_out_as_messages() -> None:
    message = HumanMessage([
        {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "r"}]},
        {"toolResult": {"toolUseId": "2", "content": [{"json": {"a": 1}}]}},
        "go on",
    ])  # fmt: skip
    assert convert_to_openai_messages([message]) == [
        {"role": "tool", "tool_call_id": "1", "content": "r"},
        {"role": "tool", "tool_call_id": "2", "content": '{"a":1}'},
        {"role": "user", "content": "go on"},
    ]


def test_calls_of_every_shape_become_tool_calls() -> None:
    blocks = [
        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
        {"toolUse": {"toolUseId": "1", "name": "f", "input": {"a": 1}}},
    ]
    wire: Any = convert_to_openai_messages(AIMessage(blocks))
    assert wire["tool_calls"] == [WIRE_CALL, WIRE_CALL]


def test_what_the_form_cannot_carry_is_passed_on_or_refused_never_dropped() -> None:
    video = {"type": "video", "url": "http://x"}
    novel = {"type": "novel", "x": 1}
    assert parts(video, novel) == [video, novel]
    with pytest.raises(InputError, match="`video`"):
        convert_to_openai_messages(HumanMessage([video]), pass_through_unknown_blocks=False)


def test_a_remove_message_and_a_wrong_word_are_refused() -> None:
    with pytest.raises(InputError, match="RemoveMessage"):
        convert_to_openai_messages(RemoveMessage("1"))
    with pytest.raises(InputError, match="'blocks'"):
        convert_to_openai_messages("x", text_format="blocks")  # type: ignore[arg-type]  # the point


def test_the_wire_form_is_read_back() -> None:
    conversation = [
        SystemMessage("s"), HumanMessage("u"), AIMessage("a", tool_calls=[CALL]),
        ToolMessage("r", tool_call_id="1"),
    ]  # fmt: skip
    assert convert_to_messages(convert_to_openai_messages(conversation)) == conversation
