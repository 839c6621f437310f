"""Answers and their streams as messages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google_said import decoded, response, streamed

from headrace.errors import ModelAPIError, ModelRateLimitError, StreamInterruptedError, WireError
from headrace.messages import message_chunk_to_message
from headrace_google.decode import Decoder, decode_response
from headrace_google.finish import finish_reason

WEB = {"web": {"uri": "https://a.example", "title": "A"}}
GROUNDING = {
    "webSearchQueries": ["why"],
    "searchEntryPoint": {"renderedContent": "<div>"},
    "groundingChunks": [WEB, {"retrievedContext": {"text": "T", "fileSearchStore": "s"}}],
    "groundingSupports": [
        {
            "segment": {"startIndex": 4, "endIndex": 8, "text": "blue"},
            "groundingChunkIndices": [0], "confidenceScores": [0.5],
        },
    ],
}  # fmt: skip


def test_text_alone_is_a_str() -> None:
    message = decoded({"text": "a"}, {"text": "b\n"})
    assert message.content == "ab\n"
    assert message.id == "r1"
    assert message.response_metadata["model_name"] == "m"
    assert message.response_metadata["finish_reason"] == "stop"


def test_thoughts_are_reasoning() -> None:
    message = decoded({"text": "Hm.", "thought": True}, {"text": "Yes."})
    assert message.content == [
        {"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Yes."},
    ]  # fmt: skip


def test_calls_are_parallel_with_or_without_ids() -> None:
    message = decoded(
        {"functionCall": {"name": "a", "args": {"x": 1}}},
        {"functionCall": {"name": "b", "id": "7"}},
    )
    assert [(c["name"], c["args"], c["id"]) for c in message.tool_calls] == [
        ("a", {"x": 1}, None), ("b", {}, "7"),
    ]  # fmt: skip
    assert message.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("mime", "kind"),
    [("image/png", "image"), ("audio/L16;rate=24000", "audio"), ("video/mp4", "video"),
     ("application/pdf", "file")],
)  # fmt: skip
def test_media_of_an_answer_are_blocks(mime: str, kind: str) -> None:
    message = decoded({"inlineData": {"mimeType": mime, "data": "AAAA"}})
    assert message.content == [{"type": kind, "base64": "AAAA", "mime_type": mime}]


def test_code_that_ran_is_a_call_and_a_result() -> None:
    message = decoded(
        {"executableCode": {"language": "PYTHON", "code": "1/0"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "Zero"}},
        {"text": "No."},
    )
    call, result, text = message.content_blocks
    assert call == {
        "type": "server_tool_call", "id": "code_execution_0", "name": "code_execution",
        "args": {"language": "PYTHON", "code": "1/0"},
    }  # fmt: skip
    assert result["type"] == "server_tool_result"
    assert (result["tool_call_id"], result["status"], result["output"]) == (
        "code_execution_0", "error", "Zero",
    )  # fmt: skip
    assert text == {"type": "text", "text": "No."}


def test_a_web_search_is_a_call_a_result_and_a_text_with_its_sources() -> None:
    message = decoded({"text": "Sky blue."}, groundingMetadata=GROUNDING)
    call, result, text = message.content_blocks
    assert call["type"] == "server_tool_call"
    assert call["args"] == {"queries": ["why"]}
    assert result["type"] == "server_tool_result"
    assert result["output"]["search_entry_point"] == "<div>"
    assert text["type"] == "text"
    first, second = text["annotations"]
    assert first["type"] == second["type"] == "citation"
    assert first["url"] == "https://a.example"
    assert (first["start_index"], first["end_index"], first["cited_text"]) == (4, 8, "blue")
    assert first["extras"]["supports"][0]["confidence"] == 0.5
    assert second["extras"] == {
        "kind": "retrievedContext", "source": {"text": "T", "fileSearchStore": "s"},
    }  # fmt: skip
    assert message.response_metadata["grounding_metadata"] == GROUNDING


def test_offsets_in_bytes_become_offsets_in_characters() -> None:
    text = "é😀 blue."
    start = len("é😀 ".encode())
    segment = {"startIndex": start, "endIndex": start + 4, "text": "blue"}
    support = {"segment": segment, "groundingChunkIndices": [0]}
    found = {"groundingChunks": [WEB], "groundingSupports": [support]}
    message = decoded({"text": text}, groundingMetadata=found)
    (note,) = message.content_blocks[0]["annotations"]  # type: ignore[typeddict-item]  # a text
    assert text[note["start_index"] : note["end_index"]] == "blue"


def test_a_grounded_stream_ends_with_one_text_that_has_the_sources() -> None:
    total = streamed(
        response({"text": "Sky "}, finish=None),
        response({"text": "blue."}, groundingMetadata=GROUNDING),
        grounded=True,
    )
    assert total.text == "Sky blue."
    texts = [block for block in total.content_blocks if block["type"] == "text"]
    assert [len(text["annotations"]) for text in texts] == [2]
    kinds = [block["type"] for block in total.content_blocks]
    assert sorted(kinds) == ["server_tool_call", "server_tool_result", "text"]


def test_sources_that_were_quoted_are_citations() -> None:
    source = {"startIndex": 0, "endIndex": 3, "uri": "https://b.example", "license": "mit"}
    message = decoded({"text": "Sky blue."}, citationMetadata={"citationSources": [source]})
    (note,) = message.content_blocks[0]["annotations"]  # type: ignore[typeddict-item]  # a text
    assert note == {
        "type": "citation", "url": "https://b.example", "start_index": 0, "end_index": 3,
        "cited_text": "Sky", "extras": {"license": "mit"},
    }  # fmt: skip


def test_log_probabilities_are_tokens_in_order() -> None:
    token = {"token": "a", "logProbability": -0.5, "tokenId": 7}
    result = {
        "chosenCandidates": [token, {"token": "b"}],
        "topCandidates": [{"candidates": [token]}],
    }
    message = decoded({"text": "ab"}, logprobsResult=result, avgLogprobs=-0.2)
    found = {"token": "a", "logprob": -0.5, "token_id": 7}
    assert message.response_metadata["logprobs"] == {
        "content": [{**found, "top_logprobs": [found]}, {"token": "b", "logprob": 0.0}]
    }
    assert message.response_metadata["avg_logprobs"] == -0.2


def test_usage_is_the_last_word_of_a_stream() -> None:
    def event(out: int, **more: Any) -> dict[str, Any]:
        counts = {"promptTokenCount": 9, "candidatesTokenCount": out, "totalTokenCount": 9 + out}
        return {**response({"text": "x"}, finish=more.pop("finish", None)),
                "usageMetadata": {**counts, **more}}  # fmt: skip

    total = streamed(
        event(1), event(5), event(8, finish="STOP", thoughtsTokenCount=4, totalTokenCount=33,
                                  toolUsePromptTokenCount=12, cachedContentTokenCount=3),
    )  # fmt: skip
    assert total.usage_metadata == {
        "input_tokens": 21, "output_tokens": 12, "total_tokens": 33,
        "input_token_details": {"cache_read": 3, "tool_use": 12},
        "output_token_details": {"reasoning": 4},
    }  # fmt: skip


def test_tokens_are_told_apart_by_medium() -> None:
    rows = [{"modality": "TEXT", "tokenCount": 4}, {"modality": "AUDIO", "tokenCount": 96}]
    usage = {"promptTokenCount": 100, "promptTokensDetails": rows, "serviceTier": "flex"}
    message = decode_response({**response({"text": "x"}), "usageMetadata": usage})
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_token_details"] == {"audio": 96}
    assert message.response_metadata["service_tier"] == "flex"


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"), ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"), ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"), ("MODEL_ARMOR", "content_filter"),
        ("LANGUAGE", "content_filter"), ("CONTINUATION", "pause"), ("OTHER", "unknown"),
        ("MALFORMED_FUNCTION_CALL", "unknown"), ("UNEXPECTED_TOOL_CALL", "unknown"),
        ("MISSING_THOUGHT_SIGNATURE", "unknown"), ("TOO_MANY_TOOL_CALLS", "unknown"),
        ("SOMETHING_NEW", "unknown"), (None, "unknown"), (7, "unknown"),
    ],
)  # fmt: skip
def test_each_reason_to_stop_has_its_word(raw: Any, ours: str) -> None:
    assert finish_reason(raw) == ours
    assert finish_reason(raw, calls=True) == ("tool_calls" if ours == "stop" else ours)


def test_what_went_wrong_stands_beside_the_reason() -> None:
    message = decoded(finish="MALFORMED_FUNCTION_CALL", finishMessage="Malformed: look(")
    meta = message.response_metadata
    assert (meta["finish_reason"], meta["finish_reason_raw"]) == (
        "unknown", "MALFORMED_FUNCTION_CALL",
    )  # fmt: skip
    assert meta["finish_message"] == "Malformed: look("


@pytest.mark.parametrize("whole", [True, False])
def test_a_blocked_prompt_is_an_empty_answer_that_was_filtered(whole: bool) -> None:
    event = {"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": [{"blocked": True}]}}
    message = decode_response(event) if whole else message_chunk_to_message(streamed(event))
    assert message.content == ""
    assert message.response_metadata["finish_reason"] == "content_filter"
    assert message.response_metadata["finish_reason_raw"] == "SAFETY"
    assert message.response_metadata["prompt_feedback"]["safetyRatings"] == [{"blocked": True}]


@pytest.mark.parametrize("whole", [True, False])
def test_further_candidates_stand_apart(whole: bool) -> None:
    second = {"index": 1, "content": {"parts": [{"text": "B"}]}, "finishReason": "MAX_TOKENS"}
    event = response({"text": "A"})
    event["candidates"].append(second)
    message = decode_response(event) if whole else message_chunk_to_message(streamed(event))
    assert message.content == "A"
    (other,) = message.response_metadata["choices"]
    assert (other["content"], other["response_metadata"]["finish_reason"]) == ("B", "length")
    assert other["response_metadata"]["index"] == 1


def test_arguments_that_are_streamed_come_together() -> None:
    def piece(*args: Any, more: bool = True, **head: Any) -> dict[str, Any]:
        call = {**head, "partialArgs": list(args)}
        part = {"functionCall": {**call, "willContinue": True} if more else call}
        return response(part, finish=None)

    total = streamed(
        piece(name="look", id="c1"),
        piece({"jsonPath": "$.city", "stringValue": "New ", "willContinue": True}),
        piece(
            {"jsonPath": "$.city", "stringValue": "York"}, {"jsonPath": "$.days", "numberValue": 3}
        ),
        piece(
            {"jsonPath": "$.tags[0].a", "boolValue": True},
            {"jsonPath": "$['x']", "nullValue": "NULL_VALUE"},
        ),
        response({"functionCall": {}}, finish=None),
        response(),
    )
    message = message_chunk_to_message(total)
    (call,) = message.tool_calls  # type: ignore[attr-defined]  # an AIMessage
    assert (call["name"], call["id"]) == ("look", "c1")
    assert call["args"] == {"city": "New York", "days": 3, "tags": [{"a": True}], "x": None}


def test_a_stream_may_come_as_one_json_array() -> None:
    events = [response({"text": "a"}, finish=None), response({"text": "b"})]
    decoder = Decoder()
    chunks = [*decoder.read(json.dumps(events).encode()), *decoder.finish()]
    assert sum(chunks).text == "ab"  # type: ignore[attr-defined]  # chunks add up


@pytest.mark.parametrize("events", [[], [response({"text": "a"}, finish=None)]])
def test_a_stream_without_its_end_is_an_error(events: list[Any]) -> None:
    with pytest.raises(StreamInterruptedError, match="not complete"):
        streamed(*events)


def test_an_error_in_a_stream_is_raised_as_it_comes() -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    decoder = Decoder(request_id="q1")
    decoder.feed(response({"text": "a"}, finish=None))
    with pytest.raises(ModelAPIError, match="overloaded") as caught:
        decoder.feed(error)
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (
        200, "UNAVAILABLE", "q1",
    )  # fmt: skip


def test_an_error_in_a_list_is_raised_too() -> None:
    error = [{"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}]
    with pytest.raises(ModelRateLimitError, match="slow down"):
        Decoder().read(json.dumps(error).encode())


def test_events_of_unknown_form_are_skipped_and_counted() -> None:
    total = streamed({"somethingNew": 1}, response({"text": "a"}))
    assert total.text == "a"
    assert total.response_metadata["skipped_events"] == 1


@pytest.mark.parametrize(
    "body",
    [[], 7, "x", {}, {"candidates": 1}, {"candidates": [{"content": {"parts": [{"text": 1}]}}]}],
)
def test_what_is_no_answer_is_a_wire_error(body: Any) -> None:
    with pytest.raises(WireError):
        decode_response(body)


def test_an_answer_without_candidates_is_an_error_of_the_service() -> None:
    with pytest.raises(ModelAPIError, match="without a candidate") as caught:
        decode_response({"usageMetadata": {"promptTokenCount": 3}, "modelVersion": "m"})
    assert caught.value.is_retryable


def test_a_reason_that_is_not_yet_known_ends_no_stream() -> None:
    early = response({"text": "a"}, finish="FINISH_REASON_UNSPECIFIED")
    with pytest.raises(StreamInterruptedError):
        streamed(early)
    assert streamed(early, response({"text": "b"})).text == "ab"


def test_a_call_between_other_parts_keeps_its_place() -> None:
    parts = [
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"functionCall": {"name": "look", "args": {}}},
        {"text": "Wait."},
    ]
    kinds = ["server_tool_call", "tool_call", "text"]
    assert [block["type"] for block in decoded(*parts).content_blocks] == kinds
    total = streamed(*(response(part, finish=None) for part in parts), response())
    message = message_chunk_to_message(total)
    assert [block["type"] for block in message.content_blocks] == kinds
