"""What messages carry beside text, as parts of a request."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from google_said import GEMINI_2, GEMINI_3, contents, decoded, encoded, noted

from headrace.errors import UnsupportedContentError
from headrace.messages import AIMessage, HumanMessage, audio, file, image, video
from headrace_google import ChatGoogleGenerativeAI

PNG = b64encode(b"\x89PNG\r\n\x1a\n1234").decode()
PDF = b64encode(b"%PDF-1.4").decode()
FILES = "https://generativelanguage.googleapis.com/v1beta/files/"


def inline(mime: str, data: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": data}}


def at(uri: str, mime: str | None = None) -> dict[str, Any]:
    return {"fileData": {"fileUri": uri, "mimeType": mime} if mime else {"fileUri": uri}}


# One row for each kind of content and each way to give it (the table of features, W16).
CARRIED: list[tuple[Any, dict[str, Any]]] = [
    (image(f"data:image/png;base64,{PNG}"), inline("image/png", PNG)),
    ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
     inline("image/png", PNG)),
    ({"inline_data": {"mime_type": "image/png", "data": PNG}}, inline("image/png", PNG)),
    ({"inlineData": {"mimeType": "image/png", "data": PNG}}, inline("image/png", PNG)),
    ({"type": "media", "mime_type": "image/png", "data": PNG}, inline("image/png", PNG)),
    ({"type": "image", "base64": PNG}, inline("image/png", PNG)),
    (image("https://a.example/b.webp"), at("https://a.example/b.webp", "image/webp")),
    ({"type": "image_url", "image_url": "https://a.example/b"},
     at("https://a.example/b", "image/jpeg")),
    (image("gs://bucket/b.png"), at("gs://bucket/b.png", "image/png")),
    ({"type": "image", "file_id": "files/abc"}, at(f"{FILES}abc")),
    ({"type": "file", "file_id": "abc"}, at(f"{FILES}abc")),
    ({"type": "file", "file_id": f"{FILES}abc", "mime_type": "application/pdf"},
     at(f"{FILES}abc", "application/pdf")),
    ({"type": "media", "mime_type": "video/mp4", "file_uri": "gs://b/c"},
     at("gs://b/c", "video/mp4")),
    ({"file_data": {"mime_type": "video/mp4", "file_uri": "gs://b/c"}},
     at("gs://b/c", "video/mp4")),
    (audio(b"ID3abc"), inline("audio/mpeg", b64encode(b"ID3abc").decode())),
    ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
     inline("audio/wav", "AAAA")),
    (audio("https://a.example/b.mp3"), at("https://a.example/b.mp3", "audio/mpeg")),
    (video("https://www.youtube.com/watch?v=x"),
     at("https://www.youtube.com/watch?v=x", "video/mp4")),
    (video("https://youtu.be/x"), at("https://youtu.be/x", "video/mp4")),
    (file(f"data:application/pdf;base64,{PDF}"), inline("application/pdf", PDF)),
    (file("https://a.example/b.pdf"), at("https://a.example/b.pdf", "application/pdf")),
    (file(b"a,b\n1,2", mime_type="text/csv"),
     inline("text/csv", b64encode(b"a,b\n1,2").decode())),
    ({"type": "text-plain", "text": "Once.", "title": "Tale"}, {"text": "Tale\nOnce."}),
    ({"type": "text-plain", "base64": b64encode(b"Once.").decode()}, {"text": "Once."}),
    ({"type": "text-plain", "url": "https://a.example/b.txt"},
     at("https://a.example/b.txt", "text/plain")),
]  # fmt: skip


@pytest.mark.parametrize(("block", "part"), CARRIED, ids=lambda v: str(v)[:60])
def test_each_kind_of_content_is_carried(block: Any, part: dict[str, Any]) -> None:
    assert contents([HumanMessage(["See:", block])])[0]["parts"] == [{"text": "See:"}, part]


@pytest.mark.parametrize("block", [row[0] for row in CARRIED], ids=lambda v: str(v)[:60])
def test_the_core_lets_each_through_to_a_model_that_sees_it(block: Any) -> None:
    model = ChatGoogleGenerativeAI(model=GEMINI_2, api_key="k")
    assert model.preflight([HumanMessage(["See:", block])]).request["contents"]


@pytest.mark.parametrize(
    ("extras", "sent"),
    [
        ({"media_resolution": "high"}, {"mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}}),
        ({"mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}},
         {"mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}}),
        ({"video_metadata": {"start_offset": "3s", "end_offset": "9s", "fps": 2}},
         {"videoMetadata": {"startOffset": "3s", "endOffset": "9s", "fps": 2}}),
        ({"detail": "low"}, {"mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}}),
        ({"detail": "auto"}, {}),
    ],
)  # fmt: skip
def test_how_closely_to_look_is_said_on_the_part(extras: Any, sent: Any) -> None:
    block = {"type": "video", "url": "gs://b/c.mp4", "extras": extras}
    assert contents([HumanMessage([block])])[0]["parts"] == [
        {**at("gs://b/c.mp4", "video/mp4"), **sent}
    ]


def test_a_video_in_the_services_spelling_keeps_its_metadata() -> None:
    block = {"fileData": {"fileUri": "gs://b/c.mp4", "mimeType": "video/mp4"},
             "videoMetadata": {"fps": 5}}  # fmt: skip
    assert contents([HumanMessage([block])])[0]["parts"] == [block]


def test_a_mark_with_no_place_is_left_out_and_noted() -> None:
    block = {"type": "text", "text": "x", "extras": {"cache_control": {"type": "ephemeral"}}}
    assert contents([HumanMessage([block])])[0]["parts"] == [{"text": "x"}]
    assert noted([HumanMessage([block])]) == [
        ("cache_control", {"type": "ephemeral"}, None, "left out")
    ]


def test_a_part_of_the_callers_own_goes_as_it_is() -> None:
    block = {"type": "non_standard", "value": {"newPart": {"a": 1}}}
    assert contents([HumanMessage([block])])[0]["parts"] == [{"newPart": {"a": 1}}]


@pytest.mark.parametrize(
    "block", [{"type": "reasoning", "reasoning": "x"}, {"type": "file", "filename": "x"}]
)
def test_what_cannot_be_carried_is_an_error(block: Any) -> None:
    from headrace.chat_models.notes import Notes
    from headrace_google.outgoing import Parts

    with pytest.raises(UnsupportedContentError, match="generateContent"):
        Parts(Notes()).part(block)


def test_an_image_that_the_model_made_goes_back_to_be_changed() -> None:
    made = decoded({"text": "Here:"}, {"inlineData": {"mimeType": "image/png", "data": PNG},
                                       "thoughtSignature": "s"})  # fmt: skip
    parts = contents([HumanMessage("Draw."), made, HumanMessage("Bluer.")])[1]["parts"]
    assert parts[1] == {**inline("image/png", PNG), "thoughtSignature": "s"}


# Histories that another model began.


@pytest.mark.parametrize("model", [GEMINI_2, GEMINI_3])
def test_a_history_of_another_provider_is_understood_without_its_marks(model: str) -> None:
    answer = AIMessage(
        [
            {"type": "thinking", "thinking": "hm", "signature": "theirs"},
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "a"}},
            {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
            {"type": "text", "text": "Hi.", "cache_control": {"type": "ephemeral"},
             "annotations": [{"type": "citation", "url": "https://a.example"}]},
            {"type": "refusal", "refusal": " No."},
        ],
        response_metadata={"model_provider": "anthropic"},
    )  # fmt: skip
    talk = [HumanMessage("?"), answer, HumanMessage("!")]
    sent = encoded(talk, model=model)
    assert sent["contents"][1]["parts"] == [{"text": "Hi."}, {"text": " No."}]
    assert "theirs" not in repr(sent)
    assert [note[0] for note in noted(talk, model=model)] == [
        "reasoning block", "server_tool_call block", "server_tool_result block", "cache_control",
    ]  # fmt: skip
