"""Thought signatures: back unchanged to their own service, and never to another."""

from __future__ import annotations

from typing import Any

import pytest
from google_said import GEMINI_2, GEMINI_3, contents, decoded, noted, response, streamed

from headrace.messages import AIMessage, HumanMessage, ToolMessage, message_chunk_to_message
from headrace_google.history import DUMMY

CALL = {"functionCall": {"name": "look", "args": {"a": 1}}}
PARTS: list[Any] = [
    {"text": "I think.", "thought": True},
    {"text": "Answer.", "thoughtSignature": "sig+/0="},
    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "sig1"},
    {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "sig2"},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
    {"executableCode": {"language": "PYTHON", "code": "2", "id": "x7"}},
    {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "id": "x7"}},
    {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "id": "t1", "args": {"queries": ["a"]}},
     "thoughtSignature": "sig3"},
    {"toolResponse": {"toolType": "GOOGLE_SEARCH_WEB", "id": "t1", "response": {"b": 1}}},
    {"inlineData": {"mimeType": "image/png", "data": "BBBB"}, "thought": True},
    {"somethingNew": {"a": 1}, "thoughtSignature": "sig4"},
    {**CALL, "thoughtSignature": "sig5"},
    {"functionCall": {"name": "look", "args": {}, "id": "c2"}},
]  # fmt: skip


def back(message: AIMessage, model: str = GEMINI_3, **more: Any) -> list[Any]:
    """The parts of an answer as they go back in the next request."""
    found: list[Any] = contents([HumanMessage("?"), message], model=model, **more)[1]["parts"]
    return found


def test_an_answer_goes_back_part_by_part_as_it_came() -> None:
    assert back(decoded(*PARTS)) == PARTS


def test_a_streamed_answer_goes_back_as_it_came() -> None:
    events = [response(part, finish=None) for part in PARTS]
    total = streamed(*events, response())
    assert back(message_chunk_to_message(total)) == PARTS  # type: ignore[arg-type]  # an AIMessage


def test_a_signature_at_the_end_of_a_stream_keeps_its_own_empty_part() -> None:
    end = response({"text": "", "thoughtSignature": "sig"})
    total = streamed(
        response({"text": "a"}, finish=None), response({"text": "b"}, finish=None), end
    )
    assert total.text == "ab"
    assert back(total) == [{"text": "ab"}, {"text": "", "thoughtSignature": "sig"}]


def test_signatures_survive_json() -> None:
    message = decoded(*PARTS)
    assert back(AIMessage.model_validate_json(message.model_dump_json())) == PARTS


def foreign(**more: Any) -> AIMessage:
    return AIMessage(
        [{"type": "reasoning", "reasoning": "hm", "extras": {"signature": "theirs"}},
         {"type": "text", "text": "Hi."}],
        tool_calls=[{"name": "look", "args": {}, "id": "c1", "extras": {"thought_signature": "x"}},
                    {"name": "look", "args": {}, "id": "c2"}],
        response_metadata={"model_provider": "anthropic"}, **more,
    )  # fmt: skip


def test_calls_of_another_model_get_the_documented_stand_in_on_the_first() -> None:
    text, first, second = back(foreign())
    assert text == {"text": "Hi."}
    assert first["thoughtSignature"] == DUMMY
    assert "thoughtSignature" not in second
    names = [record[0] for record in noted([HumanMessage("?"), foreign()], model=GEMINI_3)]
    assert names == ["reasoning block", "thought_signature", "thought signature"]


def test_before_gemini_3_nothing_stands_in() -> None:
    assert all("thoughtSignature" not in part for part in back(foreign(), GEMINI_2))


def test_calls_of_earlier_turns_need_no_stand_in() -> None:
    talk = [HumanMessage("?"), foreign(), ToolMessage("x", "c1"), ToolMessage("y", "c2"),
            AIMessage("So."), HumanMessage("And?")]  # fmt: skip
    found = contents(talk, model=GEMINI_3)
    assert "thoughtSignature" not in repr(found)


def test_each_step_of_the_current_turn_gets_its_own_stand_in() -> None:
    step = AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "c3"}])
    talk = [HumanMessage("?"), foreign(), ToolMessage("x", "c1"), ToolMessage("y", "c2"), step,
            ToolMessage("z", "c3")]  # fmt: skip
    assert repr(contents(talk, model=GEMINI_3)).count(DUMMY) == 2


def test_a_signed_call_is_never_signed_again() -> None:
    (part,) = back(decoded({**CALL, "thoughtSignature": "sig"}))
    assert part["thoughtSignature"] == "sig"


def test_vertex_ai_is_another_service_than_the_gemini_api() -> None:
    found = back(decoded({**CALL, "thoughtSignature": "sig"}), provider="google_vertexai")
    assert found[0]["thoughtSignature"] == DUMMY


@pytest.mark.parametrize(
    "name", ["gemini-3-pro-preview", "models/gemini-3.8-flash", "gemini-10-flash"]
)
def test_the_number_in_a_name_says_whether_signatures_are_wanted(name: str) -> None:
    assert back(foreign(), name)[1]["thoughtSignature"] == DUMMY


def test_marks_of_others_on_text_are_left_out_and_noted() -> None:
    block = {"type": "text", "text": "Hi.", "extras": {"cache_control": {"type": "ephemeral"}}}
    talk = [HumanMessage("?"), AIMessage([block])]
    assert contents(talk)[1]["parts"] == [{"text": "Hi."}]
    assert noted(talk) == [("cache_control", {"type": "ephemeral"}, None, "left out")]


def test_a_server_tool_that_is_not_the_services_own_is_left_out_and_noted() -> None:
    block = {"type": "server_tool_call", "id": "s1", "name": "web_search", "args": {}}
    talk = [HumanMessage("?"), AIMessage([block, {"type": "text", "text": "Hi."}])]
    assert contents(talk)[1]["parts"] == [{"text": "Hi."}]
    assert [note[0] for note in noted(talk)] == ["server_tool_call block"]


def test_a_search_that_only_metadata_told_of_goes_nowhere_without_a_word() -> None:
    message = decoded({"text": "Hi."}, groundingMetadata={"webSearchQueries": ["a"]})
    assert back(message) == [{"text": "Hi."}]
    assert noted([HumanMessage("?"), message]) == []
