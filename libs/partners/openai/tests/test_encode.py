from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from headrace.chat_models import Notes, Settings, Timeout, Watch
from headrace.errors import InputError, UnsupportedContentError
from headrace.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from headrace_openai.decode import decode_response
from headrace_openai.dialects import COMPATIBLE, DIALECTS, OPENAI, Dialect
from headrace_openai.encode import encode

CALL = {"name": "f", "args": {"city": "Köln"}, "id": "c1"}
SETTINGS = Settings({"model": "m"}, Watch(Timeout()))


def wire(
    messages: Sequence[BaseMessage],
    dialect: Dialect = OPENAI,
    *,
    notes: Notes | None = None,
    **more: Any,
) -> list[Any]:
    settings = SETTINGS if notes is None else replace(SETTINGS, notes=notes)
    sent: list[Any] = encode(messages, settings, dialect, **more)["messages"]
    return sent


def quiet() -> Notes:
    """Notes whose warnings stay in a list."""
    return Notes("adapt", "raise", "m", [])


def parts(*blocks: Any, dialect: Dialect = OPENAI) -> Any:
    return wire([HumanMessage(list(blocks))], dialect)[0]["content"]


# Roles.


def test_each_kind_of_message_has_its_role() -> None:
    messages = [
        SystemMessage("s"), DeveloperMessage("d"), HumanMessage("u", name="Bo"), AIMessage("a"),
        ChatMessage("x", role="critic"),
    ]  # fmt: skip
    assert wire(messages) == [
        {"role": "system", "content": "s"},
        {"role": "developer", "content": "d"},
        {"role": "user", "content": "u", "name": "Bo"},
        {"role": "assistant", "content": "a"},
        {"role": "critic", "content": "x"},
    ]


def test_a_developer_message_is_a_system_message_where_there_is_no_such_role() -> None:
    notes = quiet()
    assert wire([DeveloperMessage("d")], COMPATIBLE, notes=notes)[0]["role"] == "system"
    assert notes.records[0]["action"] == "translated"


def test_names_are_left_out_where_they_are_refused_and_recorded() -> None:
    notes = quiet()
    assert "name" not in wire([HumanMessage("u", name="Bo")], DIALECTS["groq"], notes=notes)[0]
    assert notes.records == [
        {
            "name": "name", "asked": "Bo", "sent": None, "action": "left out",
            "reason": "`groq` takes no names",
        }
    ]  # fmt: skip


def test_a_name_that_openai_would_refuse_is_made_fit() -> None:
    assert wire([HumanMessage("u", name="Bo <x>")])[0]["name"] == "Bo_x_"


def test_a_remove_message_cannot_be_sent() -> None:
    with pytest.raises(InputError, match="RemoveMessage"):
        wire([RemoveMessage("1")])


def test_text_beside_a_call_goes_back_and_a_bare_call_has_null_content() -> None:
    tool_calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"city":"Köln"}'}}
    ]
    with_text, bare = wire([AIMessage("see", tool_calls=[CALL]), AIMessage(tool_calls=[CALL])])
    assert with_text == {"role": "assistant", "content": "see", "tool_calls": tool_calls}
    assert bare == {"role": "assistant", "content": None, "tool_calls": tool_calls}


def test_an_empty_answer_has_empty_text() -> None:
    assert wire([AIMessage("")])[0]["content"] == ""


def test_a_tool_result_names_its_call_and_never_sends_the_artifact() -> None:
    assert wire([ToolMessage("42", "c1", artifact=object(), name="f")]) == [
        {"role": "tool", "tool_call_id": "c1", "content": "42"}
    ]


def test_an_invalid_call_goes_back_only_with_its_result() -> None:
    bad = {"name": "f", "args": '{"a', "id": "c2", "error": "cut"}
    message = AIMessage("", invalid_tool_calls=[bad])
    assert "tool_calls" not in wire([message])[0]
    sent = wire([message, ToolMessage("bad JSON", "c2")])[0]["tool_calls"]
    assert sent[0]["function"]["arguments"] == '{"a'


def test_calls_without_id_are_given_one_that_their_results_share() -> None:
    calls: list[Any] = [
        {"name": "f", "args": {}, "id": None},
        {"name": "g", "args": {}, "id": None},
    ]
    sent = wire([AIMessage(tool_calls=calls), ToolMessage("1", ""), ToolMessage("2", "")])
    made = [call["id"] for call in sent[0]["tool_calls"]]
    assert len(set(made)) == 2
    assert [message["tool_call_id"] for message in sent[1:]] == made


def test_a_refusal_goes_back_as_such() -> None:
    message = AIMessage([{"type": "refusal", "refusal": "No."}])
    assert wire([message]) == [{"role": "assistant", "content": None, "refusal": "No."}]


def test_spoken_output_goes_back_by_its_id() -> None:
    message = AIMessage([{"type": "audio", "id": "a1", "base64": "QUJD"}])
    assert wire([message])[0]["audio"] == {"id": "a1"}


# Reasoning back out.


SAID = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "42"}]


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        ("openai", {}),
        ("openai_compatible", {}),
        ("deepseek", {"reasoning_content": "hm"}),
        ("moonshot", {"reasoning_content": "hm"}),
        ("vllm", {"reasoning": "hm"}),
        ("openrouter", {"reasoning": "hm"}),
    ],
)
def test_reasoning_goes_back_in_the_field_of_the_dialect(id: str, expected: Any) -> None:
    sent = wire([AIMessage(SAID)], DIALECTS[id])[0]
    assert sent == {"role": "assistant", "content": "42", **expected}


@pytest.mark.parametrize("id", ["groq", "openai", "xai", "together", "openai_compatible"])
def test_reasoning_that_a_service_does_not_take_back_is_in_the_record(id: str) -> None:
    notes = quiet()
    answer = AIMessage(SAID, response_metadata={"model_provider": id})
    assert wire([answer], DIALECTS[id], notes=notes) == [{"role": "assistant", "content": "42"}]
    assert [(note["name"], note["action"], note["reason"]) for note in notes.records] == [
        ("reasoning", "left out", f"`{id}` has no place for it in an answer")
    ]


def test_an_image_of_the_services_own_is_in_the_record_and_its_sound_goes_back_by_id() -> None:
    notes = quiet()
    made: list[Any] = [
        {"type": "image", "url": "https://h/a.png"}, {"type": "audio", "id": "audio_1"},
    ]  # fmt: skip
    answer = AIMessage(made, response_metadata={"model_provider": "openai"})
    assert wire([answer], notes=notes)[0]["audio"] == {"id": "audio_1"}
    assert [note["name"] for note in notes.records] == ["image"]


def test_mistral_gets_reasoning_as_a_part_of_the_content() -> None:
    assert wire([AIMessage(SAID)], DIALECTS["mistral_openai"])[0]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "42"},
    ]


def test_reasoning_details_go_back_unchanged() -> None:
    details = [{"type": "reasoning.text", "text": "hm", "signature": "s", "index": 0}]
    answer = {"content": "42", "reasoning": "hm", "reasoning_details": details}
    message = decode_response({"choices": [{"message": answer}]}, provider="openrouter")
    sent = wire([message], DIALECTS["openrouter"])[0]
    assert sent == {"role": "assistant", "content": "42", "reasoning_details": details}


def test_the_profile_may_name_the_field_of_reasoning() -> None:
    profile = {"reasoning_field": "reasoning_content"}
    assert wire([AIMessage(SAID)], COMPATIBLE, profile=profile)[0]["reasoning_content"] == "hm"


def test_deepseek_gets_an_empty_reasoning_beside_calls_that_have_none() -> None:
    sent = wire([AIMessage(tool_calls=[CALL])], DIALECTS["deepseek"])[0]
    assert sent["reasoning_content"] == ""


def test_signatures_of_calls_go_back_to_gemini_and_not_to_openai() -> None:
    sign = {"google": {"thought_signature": "s"}}
    message = AIMessage(tool_calls=[{**CALL, "extras": {"extra_content": sign}}])
    assert wire([message], DIALECTS["gemini_openai"])[0]["tool_calls"][0]["extra_content"] == sign
    assert "extra_content" not in wire([message])[0]["tool_calls"][0]


def test_a_custom_call_goes_back_as_one() -> None:
    call = {"name": "sql", "args": {"input": "x"}, "id": "c", "extras": {"type": "custom"}}
    assert wire([AIMessage(tool_calls=[call])])[0]["tool_calls"] == [
        {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "x"}}
    ]


# Content in.


def test_a_lone_text_block_is_a_str_and_several_are_parts() -> None:
    assert parts({"type": "text", "text": "a"}) == "a"
    assert parts("a", {"type": "text", "text": "b"}) == [
        {"type": "text", "text": "a"}, {"type": "text", "text": "b"},
    ]  # fmt: skip


DATA = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"},
        {"type": "image", "base64": "iVBORw0KGgo="},
        {"type": "image_url", "image_url": {"url": DATA}},
        {"type": "image_url", "image_url": DATA},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
        },
    ],
)
def test_an_image_in_any_spelling_is_an_image_url(block: Any) -> None:
    assert parts(block) == [{"type": "image_url", "image_url": {"url": DATA}}]


def test_an_image_by_url_keeps_its_detail() -> None:
    block = {"type": "image", "url": "https://h/x.png", "extras": {"detail": "low"}}
    value = {"url": "https://h/x.png", "detail": "low"}
    assert parts(block) == [{"type": "image_url", "image_url": value}]


@pytest.mark.parametrize(
    ("mime", "form"), [("audio/mpeg", "mp3"), ("audio/wav", "wav"), ("audio/x-wav", "wav")]
)
def test_audio_says_its_format(mime: str, form: str) -> None:
    block = {"type": "audio", "base64": "QUJD", "mime_type": mime}
    value = {"data": "QUJD", "format": form}
    assert parts(block) == [{"type": "input_audio", "input_audio": value}]


def test_a_file_has_data_and_a_name_or_an_id() -> None:
    data = {"type": "file", "base64": "QUJD", "mime_type": "application/pdf", "filename": "a.pdf"}
    value = {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}
    assert parts(data) == [{"type": "file", "file": value}]
    unnamed = parts({"type": "file", "base64": "QUJD", "mime_type": "text/csv"})
    assert unnamed[0]["file"]["filename"] == "file.csv"
    assert parts({"type": "file", "file_id": "f1"}) == [
        {"type": "file", "file": {"file_id": "f1"}}
    ]  # fmt: skip


def test_files_by_url_go_where_they_can() -> None:
    block = {"type": "file", "url": "https://h/a.pdf"}
    assert parts(block, dialect=DIALECTS["openrouter"])[0]["file"]["file_data"] == "https://h/a.pdf"
    assert parts(block, dialect=DIALECTS["mistral_openai"]) == [
        {"type": "document_url", "document_url": "https://h/a.pdf"}
    ]


def test_a_text_document_is_text() -> None:
    block = {"type": "text-plain", "text": "body", "title": "T", "mime_type": "text/plain"}
    assert parts(block) == "T\nbody"


def test_video_goes_to_those_who_watch() -> None:
    block = {"type": "video", "url": "https://h/v.mp4"}
    assert parts(block, dialect=DIALECTS["dashscope_openai"]) == [
        {"type": "video_url", "video_url": {"url": "https://h/v.mp4"}}
    ]


def test_a_part_in_the_services_own_form_passes() -> None:
    part = {"type": "brand_new", "brand_new": {"x": 1}}
    assert parts(part) == [part]


@pytest.mark.parametrize(
    ("block", "id"),
    [
        ({"type": "video", "url": "https://h/v.mp4"}, "openai"),
        ({"type": "audio", "url": "https://h/a.mp3"}, "openai"),
        ({"type": "file", "url": "https://h/a.pdf"}, "openai"),
        ({"type": "image", "file_id": "f1"}, "openai"),
        ({"type": "image", "url": "https://h/x.png"}, "deepseek"),
        ({"type": "audio", "base64": "QUJD"}, "groq"),
        ({"type": "reasoning", "reasoning": "x"}, "openai"),
    ],
)
def test_what_a_service_cannot_carry_is_an_error_that_names_it(block: Any, id: str) -> None:
    with pytest.raises(UnsupportedContentError, match=f"`{id}` cannot carry"):
        parts(block, dialect=DIALECTS[id])


def test_marks_go_out_where_they_mean_something_and_are_recorded_elsewhere() -> None:
    block = {"type": "text", "text": "a", "extras": {"cache_control": {"type": "ephemeral"}}}
    sent = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    assert parts(block, dialect=DIALECTS["openrouter"]) == [sent]
    notes = quiet()
    marked = {"type": "text", "text": "a", "extras": {"of_another_service": 1}}
    assert wire([SystemMessage([marked])], notes=notes)[0]["content"] == "a"
    assert notes.records[0]["name"] == "of_another_service"


def test_media_of_tool_results_follow_the_results_as_the_users() -> None:
    image = {"type": "image", "url": "https://h/x.png"}
    results = [ToolMessage([image], "c1"), ToolMessage(["b", image], "c2")]
    notes = quiet()
    sent = wire([*results, HumanMessage("and?")], notes=notes)
    assert [message["role"] for message in sent] == ["tool", "tool", "user", "user"]
    assert sent[1]["content"] == "b"
    kinds = [part["type"] for part in sent[2]["content"]]
    assert kinds == ["text", "image_url", "text", "image_url"]
    assert {record["action"] for record in notes.records} == {"translated"}


def test_a_request_never_changes_its_messages() -> None:
    messages = [
        SystemMessage([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]),
        HumanMessage([{"type": "image", "base64": "iVBORw0KGgo=", "extras": {"detail": "low"}}]),
        AIMessage(SAID, tool_calls=[CALL], additional_kwargs={"x": 1}),
        ToolMessage([{"type": "image", "url": "https://h/x.png"}], "c1"),
    ]
    before = copy.deepcopy(messages)
    for id in ("openai", "openrouter", "mistral_openai"):
        wire(messages, DIALECTS[id])
    assert messages == before
