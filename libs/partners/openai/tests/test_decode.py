from __future__ import annotations

from typing import Any

import pytest
from chat_events import called, calls, event, response, total_of

from headrace.messages import message_chunk_to_message
from headrace_openai.decode import Decoder, decode_response


def test_plain_text_is_a_str_and_keeps_its_newlines() -> None:
    message = decode_response(response({"content": "\n\nhi \n"}))
    assert message.content == "\n\nhi \n"


def test_what_the_provider_says_of_the_answer_is_metadata() -> None:
    body = response({"content": "x"}, created=5, system_fingerprint="fp", service_tier=None)
    message = decode_response(body, provider="groq", request_id="q")
    assert message.id == "r1"
    assert message.response_metadata == {
        "model_provider": "groq",
        "model_name": "m-1",
        "created": 5,
        "system_fingerprint": "fp",
        "request_id": "q",
        "finish_reason": "stop",
        "finish_reason_raw": "stop",
    }


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("pause_turn", "pause"),
        ("brand_new", "unknown"),
        ("", "unknown"),
    ],
)
def test_finish_reasons_are_ours_with_the_raw_word_beside(raw: str, ours: str) -> None:
    meta = decode_response(response({"content": "x"}, raw)).response_metadata
    assert (meta["finish_reason"], meta["finish_reason_raw"]) == (ours, raw)
    meta = total_of(event({"content": "x"}, raw)).response_metadata
    assert (meta["finish_reason"], meta["finish_reason_raw"]) == (ours, raw)


def test_no_finish_reason_is_unknown() -> None:
    assert total_of(event({"content": "x"})).response_metadata["finish_reason"] == "unknown"


def test_a_refusal_is_a_block_and_the_reason_to_stop() -> None:
    message = decode_response(response({"content": None, "refusal": "No."}))
    assert message.content == [{"type": "refusal", "refusal": "No."}]
    assert message.text == ""
    assert message.response_metadata["finish_reason"] == "refusal"


def test_a_streamed_refusal_is_one_block() -> None:
    message = total_of(event({"refusal": "N"}), event({"refusal": "o."}), event({}, "stop"))
    assert message.content == [{"type": "refusal", "refusal": "No."}]
    assert message.response_metadata["finish_reason"] == "refusal"


@pytest.mark.parametrize("arguments", ["", None, "{}", {}])
def test_no_arguments_mean_an_empty_object(arguments: Any) -> None:
    tool = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    assert called(decode_response(response({"tool_calls": [tool]}))) == [("c", "f", {})]


def test_arguments_sent_as_an_object_are_taken() -> None:
    tool = {"id": "c", "function": {"name": "f", "arguments": {"a": [1]}}}
    assert called(decode_response(response({"tool_calls": [tool]}))) == [("c", "f", {"a": [1]})]


def test_broken_arguments_are_an_invalid_call_that_says_why() -> None:
    tool = {"id": "c", "function": {"name": "f", "arguments": '{"a": '}}
    message = decode_response(response({"tool_calls": [tool]}, "length"))
    assert message.tool_calls == []
    (bad,) = message.invalid_tool_calls
    assert (bad["id"], bad["args"]) == ("c", '{"a": ')
    assert "token limit" in str(bad["error"])


def test_provider_extras_of_a_call_ride_along() -> None:
    sign = {"google": {"thought_signature": "s"}}
    tool = {"id": "c", "function": {"name": "f", "arguments": "{}"}, "extra_content": sign}
    whole = decode_response(response({"tool_calls": [tool]}))
    streamed = total_of(event({"tool_calls": [tool]}, "stop"))
    for message in (whole, streamed):
        assert message.tool_calls[0]["extras"] == {"extra_content": sign}


def test_the_retired_function_call_is_a_call_without_id() -> None:
    old = {"name": "f", "arguments": '{"a": 1}'}
    whole = decode_response(response({"function_call": old}, "function_call"))
    parts = [{"name": "f", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ": 1}"}]
    streamed = total_of(*(event({"function_call": part}) for part in parts))
    assert called(whole) == called(streamed) == [(None, "f", {"a": 1})]


def test_a_custom_tool_call_holds_its_free_text_as_input() -> None:
    tool = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": 'a "b"\n'}}
    whole = decode_response(response({"tool_calls": [tool]}, "tool_calls"))
    opening = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "sql", "input": ""}}
    parts = [{"index": 0, "custom": {"input": text}} for text in ('a "', 'b"\n')]
    streamed = total_of(*(event(calls(part)) for part in (opening, *parts)), event({}, "stop"))
    assert called(whole) == called(streamed) == [("c", "sql", {"input": 'a "b"\n'})]
    assert whole.tool_calls[0]["extras"] == {"type": "custom"}


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_comes_before_the_text(field: str) -> None:
    whole = decode_response(response({field: "hm", "content": "42"}))
    streamed = total_of(
        event({field: "h"}), event({field: "m", "content": ""}), event({"content": "42"}, "stop")
    )
    blocks = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "42"}]
    assert whole.content == streamed.content == blocks


def test_reasoning_said_in_two_fields_is_taken_once() -> None:
    delta = {"reasoning": "hm", "reasoning_content": "hm", "content": "x"}
    assert len(total_of(event(delta, "stop")).content) == 2


def test_reasoning_details_are_joined_and_kept_to_go_back() -> None:
    pieces = [
        {"type": "reasoning.text", "text": "a", "index": 0},
        {"type": "reasoning.text", "text": "b", "index": 0},
        {"type": "reasoning.text", "signature": "s", "index": 0},
        {"type": "reasoning.encrypted", "data": "e", "index": 1, "id": "i"},
    ]
    streamed = total_of(
        *(event({"reasoning_details": [piece]}) for piece in pieces),
        event({"content": "x"}, "stop"),
    )
    text = {"type": "reasoning.text", "index": 0, "signature": "s", "text": "ab"}
    extras = {"reasoning_details": [text, pieces[3]]}
    assert streamed.content_blocks[0] == {"type": "reasoning", "reasoning": "ab", "extras": extras}
    whole = decode_response(
        response({"reasoning": "ab", "reasoning_details": [text, pieces[3]], "content": "x"})
    )
    assert whole.content_blocks == streamed.content_blocks


def test_mistral_thinking_chunks_are_reasoning() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True}
    message = decode_response(response({"content": [thinking, {"type": "text", "text": "42"}]}))
    block = {"type": "reasoning", "reasoning": "hm", "extras": {"closed": True}}
    assert message.content == [block, {"type": "text", "text": "42"}]


def test_an_unknown_part_of_the_content_is_kept() -> None:
    part = {"type": "reference", "reference_ids": [1]}
    message = decode_response(response({"content": ["a", part]}))
    assert message.text == "a"
    assert message.content_blocks[1] == {"type": "non_standard", "value": part}


def test_web_sources_are_annotations_of_the_text() -> None:
    source = {"url": "u", "title": "t", "start_index": 0, "end_index": 2, "content": "c"}
    notes = [{"type": "url_citation", "url_citation": source}]
    whole = decode_response(response({"content": "hi", "annotations": notes}))
    citation = {
        "type": "citation", "url": "u", "title": "t", "start_index": 0, "end_index": 2,
        "cited_text": "c",
    }  # fmt: skip
    assert whole.content == [{"type": "text", "text": "hi", "annotations": [citation]}]
    decoder = Decoder(annotated=True)
    events = [
        event({"content": "h"}),
        event({"content": "i"}),
        event({"annotations": notes}, "stop"),
    ]
    chunks = [chunk for item in events for chunk in decoder.feed(item)]
    total = message_chunk_to_message(sum([*chunks, *decoder.finish()]))  # type: ignore[arg-type]
    assert total.content == [{"type": "text", "annotations": [citation], "text": "hi"}]


def test_perplexity_citations_get_their_titles() -> None:
    rest: Any = {"citations": ["u", "v"], "search_results": [{"url": "v", "title": "V"}]}
    notes = [{"type": "citation", "url": "u"}, {"type": "citation", "url": "v", "title": "V"}]
    whole = decode_response(response({"content": "hi"}, **rest))
    streamed = total_of(event({"content": "h"}, **rest), event({"content": "i"}, "stop", **rest))
    assert whole.content == streamed.content == [
        {"type": "text", "text": "hi", "annotations": notes}
    ]  # fmt: skip


def test_spoken_output_is_an_audio_block() -> None:
    audio = {"id": "a1", "data": "QUJD", "transcript": "ab", "expires_at": 9}
    whole = decode_response(response({"content": None, "audio": audio}))
    block = {
        "type": "audio", "id": "a1", "base64": "QUJD", "transcript": "ab",
        "extras": {"expires_at": 9},
    }  # fmt: skip
    assert whole.content == [block]
    parts = [{"id": "a1", "transcript": "a"}, {"data": "QUJD"}, {"transcript": "b"}]
    streamed = total_of(
        *(event({"audio": part}) for part in parts), event({"audio": {"expires_at": 9}}, "stop")
    )
    assert streamed.content_blocks == [block]


def test_images_of_an_answer_are_image_blocks() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    for message in (
        decode_response(response({"content": "x", "images": [image]})),
        total_of(event({"content": "x"}), event({"images": [image]}, "stop")),
    ):
        assert message.content_blocks[1] == {
            "type": "image", "base64": "QUJD", "mime_type": "image/png",
        }  # fmt: skip


def test_tools_that_the_service_ran_are_a_call_and_its_result() -> None:
    begun = {"index": 0, "type": "search", "arguments": '{"q": 1}'}
    ended = {**begun, "output": "found"}
    whole = decode_response(response({"content": "x", "executed_tools": [ended]}))
    streamed = total_of(
        event({"executed_tools": [begun]}), event({"executed_tools": [ended]}),
        event({"content": "x"}, "stop"),
    )  # fmt: skip
    call_block = {
        "type": "server_tool_call", "id": "executed_tool_0", "name": "search", "args": {"q": 1},
    }  # fmt: skip
    result = {
        "type": "server_tool_result", "tool_call_id": "executed_tool_0", "status": "success",
        "output": "found",
    }  # fmt: skip
    text = {"type": "text", "text": "x"}
    assert whole.content == streamed.content == [call_block, result, text]
