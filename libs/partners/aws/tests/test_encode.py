"""Messages as Converse requests."""

from __future__ import annotations

from typing import Any

import pytest
from converse_writing import CALL, PNG, content, document, noted, written

from headrace.errors import InputError, UnsupportedContentError
from headrace.messages import AIMessage, DeveloperMessage, SystemMessage

# Messages


def test_neighbours_of_one_role_are_one_message() -> None:
    body = written("a", "b", AIMessage("c"), AIMessage("d"), "e")
    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"] == [{"text": "a"}, {"text": "b"}]


def test_instructions_stand_apart_and_later_ones_are_noted() -> None:
    body = written(SystemMessage("one"), "hi", DeveloperMessage("two"), "ho", system="zero")
    assert body["system"] == [{"text": "zero"}, {"text": "one"}, {"text": "two"}]
    assert noted(body) == [("developer message", "translated"), ("system message", "translated")]


def test_later_instructions_keep_their_place_where_the_model_takes_them() -> None:
    facts = {"mid_conversation_system_messages": True}
    body = written("hi", SystemMessage("be brief"), profile=facts)
    assert body["messages"][-1] == {"role": "system", "content": [{"text": "be brief"}]}


def test_blank_text_is_left_out_beside_other_content() -> None:
    call = AIMessage("\n\n", tool_calls=[CALL])
    assert content("hi", call) == [
        {"toolUse": {"toolUseId": "call_1", "name": "add", "input": {"a": 1}}}
    ]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_blank_message_of_the_user_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="blank"):
        written(text)


def test_a_beginning_of_an_answer_ends_without_white_space() -> None:
    body = written("hi", AIMessage("Once upon \n"))
    assert body["messages"][-1]["content"] == [{"text": "Once upon"}]
    assert noted(body) == [("text", "translated")]


def test_white_space_at_the_end_of_an_earlier_answer_stays() -> None:
    body = written("hi", AIMessage("Yes.\n"), "ho")
    assert body["messages"][1]["content"] == [{"text": "Yes.\n"}]


# Media


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": PNG, "mime_type": "image/png"},
        {"type": "image", "base64": PNG},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"image": {"format": "png", "source": {"bytes": b"\x89PNG\r\n\x1a\n"}}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    ],
)
def test_an_image_in_every_spelling_is_one_block(block: Any) -> None:
    assert content([block]) == [{"image": {"format": "png", "source": {"bytes": PNG}}}]


def test_media_at_s3_are_located() -> None:
    block = {"type": "video", "url": "s3://bucket/film.mp4", "extras": {"bucketOwner": "12"}}
    location = {"uri": "s3://bucket/film.mp4", "bucketOwner": "12"}
    assert content([block]) == [{"video": {"format": "mp4", "source": {"s3Location": location}}}]


@pytest.mark.parametrize(
    ("kind", "mime", "form"),
    [("video", "video/quicktime", "mov"), ("video", "video/3gpp", "three_gp"),
     ("audio", "audio/mpeg", "mp3"), ("audio", "audio/x-wav", "wav")],
)  # fmt: skip
def test_formats_follow_media_types(kind: str, mime: str, form: str) -> None:
    block = {"type": kind, "base64": "AAAA", "mime_type": mime}
    assert content(["Look:", block])[-1][kind]["format"] == form


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "url": "https://example.com/cat.png"},
        {"type": "image", "base64": "AAAA", "mime_type": "image/tiff"},
        {"type": "file", "base64": "AAAA", "mime_type": "application/zip"},
        {"type": "file", "file_id": "file-1"},
    ],
)
def test_what_converse_cannot_carry_is_an_error(block: Any) -> None:
    with pytest.raises(UnsupportedContentError, match="Converse cannot carry"):
        content([block])


def test_names_of_documents_have_the_characters_that_are_taken_and_come_once() -> None:
    body = written(
        ["Read:", document(filename="Q3_report (final).pdf"), document(filename="a/b.pdf"),
         document(filename="a b.pdf"), document(), document(filename="日本.pdf")]
    )  # fmt: skip
    names = [part["document"]["name"] for part in body["messages"][0]["content"][1:]]
    assert names == ["Q3 report (final)", "a b", "a b (2)", "Document 4", "Document 5"]
    assert [record["name"] for record in body["notes"]] == ["document name"] * 4


def test_a_document_alone_gets_a_text_beside_it() -> None:
    body = written([document(filename="a.pdf")])
    assert body["messages"][0]["content"][-1] == {"text": "See the attached documents."}
    assert noted(body) == [("text", "added")]


def test_documents_say_their_context_and_ask_for_citations() -> None:
    extras = {"citations": {"enabled": True}, "context": "A manual."}
    part = content(["Read:", document(filename="a.pdf", extras=extras)])[-1]["document"]
    assert part["citations"] == {"enabled": True}
    assert part["context"] == "A manual."


def test_a_text_document_is_text_unless_it_is_to_be_cited() -> None:
    block = {"type": "text-plain", "text": "Body", "title": "Title"}
    assert content([block]) == [{"text": "Title\nBody"}]
    cited = {**block, "extras": {"citations": {"enabled": True}}}
    found = content(["Read:", cited])[-1]["document"]
    assert (found["source"], found["name"], found["format"]) == ({"text": "Body"}, "Title", "txt")


def test_unknown_marks_are_left_out_with_a_record() -> None:
    body = written([{"type": "text", "text": "a", "extras": {"mystery": 1}}])
    assert noted(body) == [("mystery", "left out")]
