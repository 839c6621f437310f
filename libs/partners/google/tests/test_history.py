"""Conversations as contents: roles, system instructions, calls and results."""

from __future__ import annotations

from typing import Any

import pytest
from google_said import GEMINI_3, contents, encoded, noted

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

PNG = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}


def call(name: str = "look", id: str | None = "c1", **args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": id}])


def test_messages_of_one_role_in_a_row_stay_apart() -> None:
    talk = [HumanMessage("a"), HumanMessage("b"), AIMessage("c"), AIMessage("d")]
    assert contents(talk) == [
        {"role": "user", "parts": [{"text": "a"}]},
        {"role": "user", "parts": [{"text": "b"}]},
        {"role": "model", "parts": [{"text": "c"}]},
        {"role": "model", "parts": [{"text": "d"}]},
    ]


def test_leading_and_trailing_newlines_are_kept() -> None:
    found = contents([HumanMessage("\n a \n"), AIMessage("\n\nb\n"), HumanMessage("\n")])
    assert [content["parts"][0]["text"] for content in found] == ["\n a \n", "\n\nb\n", "\n"]


def test_system_messages_are_the_system_instruction() -> None:
    talk = [SystemMessage("Be brief."), SystemMessage("Be kind."), HumanMessage("hi")]
    sent = encoded(talk)
    assert sent["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]}
    assert noted(talk) == []


def test_a_later_system_message_moves_to_the_beginning_and_is_noted() -> None:
    talk = [HumanMessage("hi"), SystemMessage("Be brief."), HumanMessage("why?")]
    assert encoded(talk)["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert noted(talk) == [("system message", "later", "at the beginning", "translated")]


def test_a_system_message_alone_is_asked_as_the_user() -> None:
    sent = encoded([SystemMessage("Say hi.")])
    assert sent["contents"] == [{"role": "user", "parts": [{"text": "Say hi."}]}]
    assert "systemInstruction" not in sent


def test_a_developer_is_a_system_message_and_noted() -> None:
    talk = [DeveloperMessage("Be brief."), HumanMessage("hi")]
    assert encoded(talk)["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert noted(talk) == [("developer message", "developer", "system", "translated")]


@pytest.mark.parametrize(
    ("role", "sent"), [("user", "user"), ("assistant", "model"), ("model", "model")]
)
def test_roles_are_those_of_the_service(role: str, sent: str) -> None:
    assert contents([ChatMessage("x", role=role)])[0]["role"] == sent


def test_a_role_that_the_service_lacks_is_a_user_and_noted() -> None:
    assert noted([ChatMessage("x", role="critic")]) == [("role", "critic", "user", "translated")]


def test_the_name_of_a_speaker_is_left_out_and_noted() -> None:
    assert noted([HumanMessage("x", name="Ann")]) == [("name", "Ann", None, "left out")]


def test_an_empty_answer_is_left_out_and_noted() -> None:
    talk = [HumanMessage("a"), AIMessage(""), HumanMessage("b")]
    assert [content["role"] for content in contents(talk)] == ["user", "user"]
    assert noted(talk) == [("message", "empty answer", None, "left out")]


def test_an_order_to_remove_cannot_be_sent() -> None:
    with pytest.raises(InputError, match="RemoveMessage"):
        encoded([RemoveMessage("1")])


def test_text_beside_a_call_goes_back() -> None:
    message = AIMessage("Let me see.", tool_calls=[{"name": "look", "args": {"a": 1}, "id": "c1"}])
    assert contents([HumanMessage("?"), message])[1]["parts"] == [
        {"text": "Let me see."},
        {"functionCall": {"name": "look", "args": {"a": 1}, "id": "c1"}},
    ]


def test_results_of_parallel_calls_are_one_content() -> None:
    both = AIMessage("", tool_calls=[
        {"name": "a", "args": {}, "id": "1"}, {"name": "b", "args": {}, "id": "2"},
    ])  # fmt: skip
    talk = [
        HumanMessage("?"),
        both,
        ToolMessage("A", "1"),
        ToolMessage("B", "2"),
        HumanMessage("!"),
    ]
    assert contents(talk)[2:] == [
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "a", "id": "1", "response": {"output": "A"}}},
                {"functionResponse": {"name": "b", "id": "2", "response": {"output": "B"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "!"}]},
    ]


def test_calls_without_ids_are_paired_with_their_results_in_order() -> None:
    both = AIMessage("", tool_calls=[
        {"name": "a", "args": {}, "id": None}, {"name": "b", "args": {}, "id": None},
    ])  # fmt: skip
    talk = [HumanMessage("?"), both, ToolMessage("A", ""), ToolMessage("B", "")]
    found = contents(talk)
    assert [p["functionCall"] for p in found[1]["parts"]] == [
        {"name": "a", "args": {}}, {"name": "b", "args": {}},
    ]  # fmt: skip
    assert [p["functionResponse"] for p in found[2]["parts"]] == [
        {"name": "a", "response": {"output": "A"}}, {"name": "b", "response": {"output": "B"}},
    ]  # fmt: skip


def test_a_failed_tool_says_error() -> None:
    talk = [HumanMessage("?"), call(), ToolMessage("no city", "c1", status="error")]
    assert contents(talk)[2]["parts"][0]["functionResponse"]["response"] == {"error": "no city"}


def test_a_result_without_its_call_has_its_own_name() -> None:
    found = contents([HumanMessage("?"), ToolMessage("x", "c9", name="look")])
    assert found[1]["parts"][0]["functionResponse"]["name"] == "look"


def test_a_call_with_broken_arguments_goes_back_if_it_was_answered() -> None:
    bad = {"name": "look", "args": '{"a', "id": "c1", "error": "cut"}
    message = AIMessage("", invalid_tool_calls=[bad])
    talk = [HumanMessage("?"), message, ToolMessage("bad JSON", "c1", status="error")]
    assert contents(talk)[1]["parts"][0]["functionCall"]["args"] == {"arguments": '{"a'}
    assert [c["role"] for c in contents(talk[:2])] == ["user"]


def test_names_that_the_wire_forbids_are_spelled_otherwise_everywhere() -> None:
    tool = {"name": "look up!", "description": "", "parameters": {"type": "object"}}
    talk = [HumanMessage("?"), call("look up!"), ToolMessage("x", "c1")]
    sent = encoded(talk, tools=[tool], choice="look up!")
    named = [
        sent["tools"][0]["functionDeclarations"][0]["name"],
        sent["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"][0],
        sent["contents"][1]["parts"][0]["functionCall"]["name"],
        sent["contents"][2]["parts"][0]["functionResponse"]["name"],
    ]
    assert set(named) == {"look_up_"}


def test_an_image_in_a_result_stays_there_since_gemini_3() -> None:
    talk = [HumanMessage("?"), call(), ToolMessage(["See:", PNG], "c1")]
    found = contents(talk, model=GEMINI_3)
    answer = found[2]["parts"][0]["functionResponse"]
    assert answer["parts"] == [{"inlineData": {"mimeType": "image/png", "data": PNG["base64"]}}]
    assert answer["response"] == {"output": "See:"}
    assert len(found) == 3


def test_an_image_in_a_result_follows_it_before_gemini_3_and_is_noted() -> None:
    talk = [HumanMessage("?"), call(), ToolMessage([PNG], "c1"), HumanMessage("And?")]
    found = contents(talk)
    assert "parts" not in found[2]["parts"][0]["functionResponse"]
    assert found[3]["parts"][0] == {"text": "Shown by the tool call c1:"}
    assert "inlineData" in found[3]["parts"][1]
    assert noted(talk) == [("tool result", "media", "user message", "translated")]


def test_a_video_in_a_result_follows_it_always() -> None:
    video = {"type": "video", "base64": "AAAA", "mime_type": "video/mp4"}
    talk = [HumanMessage("?"), call(), ToolMessage([video], "c1")]
    assert "inlineData" in contents(talk, model=GEMINI_3)[3]["parts"][1]
