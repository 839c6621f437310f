"""Answers and streams of Converse as messages."""

from __future__ import annotations

from typing import Any

import pytest
from converse_events import body, end, frame, payloads, text

from headrace.errors import (
    ModelAPIError,
    ModelInvalidRequestError,
    ModelRateLimitError,
    StreamInterruptedError,
    WireError,
)
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace_aws.decode import Decoder, decode_response
from headrace_aws.finish import finish_reason


def whole(content: list[Any], **more: Any) -> AIMessage:
    return decode_response(
        {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8},
            "metrics": {"latencyMs": 12},
            **more,
        },
        model="m",
        request_id="r-1",
    )


def streamed(events: list[Any], *, annotated: bool = False) -> AIMessage:
    decoder = Decoder(model="m", request_id="r-1", annotated=annotated)
    chunks = [chunk for event in payloads(body(events)) for chunk in decoder.read(event)]
    chunks += [*decoder.finish(), AIMessageChunk(chunk_position="last")]
    message = message_chunk_to_message(sum(chunks))  # type: ignore[arg-type]  # chunks add up
    assert isinstance(message, AIMessage)
    return message


def delta(index: int, value: Any) -> tuple[str, Any]:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": value}


def start(index: int, value: Any) -> tuple[str, Any]:
    return "contentBlockStart", {"contentBlockIndex": index, "start": value}


def stop(index: int) -> tuple[str, Any]:
    return "contentBlockStop", {"contentBlockIndex": index}


def test_an_answer_says_who_gave_it_and_how_it_ended() -> None:
    for message in (whole([{"text": "hi"}]), streamed([*text("h", "i"), *end()])):
        assert message.content == "hi"
        assert message.response_metadata == {
            "model_provider": "bedrock_converse",
            "model_name": "m",
            "request_id": "r-1",
            "finish_reason": "stop",
            "finish_reason_raw": "end_turn",
            "metrics": {"latencyMs": 12},
        }


def test_what_else_an_answer_says_is_kept_under_its_own_names() -> None:
    more = {
        "trace": {"guardrail": {"actionReason": "Guardrail blocked."}},
        "performanceConfig": {"latency": "optimized"},
        "serviceTier": {"type": "flex"},
        "additionalModelResponseFields": {"stop_sequence": "|"},
    }
    found = whole([{"text": "hi"}], **more).response_metadata
    assert {name: found[name] for name in more} == more


def test_a_prompt_router_names_the_model_that_answered() -> None:
    trace = {"promptRouter": {"invokedModelId": "arn:aws:bedrock:::foundation-model/x"}}
    message = whole([{"text": "hi"}], trace=trace)
    assert message.response_metadata["model_name"] == "arn:aws:bedrock:::foundation-model/x"


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"), ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"), ("content_filtered", "content_filter"),
        ("malformed_model_output", "unknown"), (None, "unknown"),
    ],
)  # fmt: skip
def test_reasons_to_stop_are_ours(raw: Any, ours: str) -> None:
    assert finish_reason(raw) == ours


def test_input_includes_cached_tokens() -> None:
    usage = {
        "inputTokens": 3, "outputTokens": 5, "totalTokens": 38, "cacheReadInputTokens": 10,
        "cacheWriteInputTokens": 20, "cacheDetails": [{"ttl": "1h", "inputTokens": 20}],
    }  # fmt: skip
    message = whole([{"text": "hi"}], usage=usage)
    assert message.usage_metadata == {
        "input_tokens": 33,
        "output_tokens": 5,
        "total_tokens": 38,
        "input_token_details": {"cache_read": 10, "cache_creation": 20},
    }
    assert message.response_metadata["raw_usage"]["cacheDetails"][0]["ttl"] == "1h"


def test_calls_are_read_whole_and_streamed_alike() -> None:
    call = {"toolUseId": "t1", "name": "add", "input": {"a": 1}}
    events = [
        start(0, {"toolUse": {"toolUseId": "t1", "name": "add"}}),
        delta(0, {"toolUse": {"input": '{"a"'}}),
        delta(0, {"toolUse": {"input": ": 1}"}}),
        stop(0),
        *end("tool_use"),
    ]
    for message in (whole([{"toolUse": call}]), streamed(events)):
        assert [(c["id"], c["name"], c["args"]) for c in message.tool_calls] == [
            ("t1", "add", {"a": 1})
        ]


def test_arguments_that_are_no_object_are_an_invalid_call() -> None:
    message = whole([{"toolUse": {"toolUseId": "t1", "name": "add", "input": "oops"}}])
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == "oops"


def test_a_call_without_arguments_has_none() -> None:
    events = [start(0, {"toolUse": {"toolUseId": "t1", "name": "now"}}), stop(0), *end("tool_use")]
    assert streamed(events).tool_calls[0]["args"] == {}


def test_reasoning_keeps_its_signature_and_what_is_encrypted() -> None:
    events = [
        delta(0, {"reasoningContent": {"text": "Let me "}}),
        delta(0, {"reasoningContent": {"text": "see."}}),
        delta(0, {"reasoningContent": {"signature": "sig"}}),
        stop(0),
        delta(1, {"reasoningContent": {"redactedContent": "AAAA"}}),
        delta(1, {"reasoningContent": {"redactedContent": "BBBB"}}),
        stop(1),
        *text("4", index=2),
        *end(),
    ]
    message = streamed(events)
    blocks: Any = message.content_blocks
    assert [block["type"] for block in blocks] == ["reasoning", "reasoning", "text"]
    assert (blocks[0]["reasoning"], blocks[0]["extras"]) == ("Let me see.", {"signature": "sig"})
    assert blocks[1]["extras"] == {"redactedContent": "AAAABBBB"}
    assert message.text == "4"


SOURCE = {
    "title": "doc",
    "sourceContent": [{"text": "the source"}],
    "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 9}},
}
NOTE = {
    "type": "citation",
    "title": "doc",
    "cited_text": "the source",
    "extras": {"location": SOURCE["location"]},
}


@pytest.mark.parametrize("annotated", [True, False])
def test_citations_stand_on_the_text_they_are_for(annotated: bool) -> None:
    events = [
        *text("Well, ", index=0),
        delta(1, {"citation": SOURCE}),
        delta(1, {"text": "so "}),
        delta(1, {"text": "it is"}),
        delta(1, {"citation": SOURCE}),
        stop(1),
        *end(),
    ]
    message = streamed(events, annotated=annotated)
    blocks: Any = message.content_blocks
    assert [block["text"] for block in blocks] == ["Well, ", "so it is"]
    assert blocks[1]["annotations"] == [NOTE, NOTE]


def test_a_citation_of_the_web_has_its_url() -> None:
    source = {"title": "t", "location": {"web": {"url": "https://x.org", "domain": "x.org"}}}
    cited = {"citationsContent": {"content": [{"text": "so"}], "citations": [source]}}
    block: Any = whole([cited]).content_blocks[0]
    assert block["annotations"][0]["url"] == "https://x.org"


def test_tools_of_the_service_are_calls_and_results_of_their_own() -> None:
    call = {"toolUseId": "s1", "name": "nova_code_interpreter", "type": "server_tool_use"}
    result = {"toolUseId": "s1", "type": "nova_code_interpreter_result", "status": "success"}
    output = [{"json": {"stdOut": "4"}}]
    events = [
        start(0, {"toolUse": call}),
        delta(0, {"toolUse": {"input": '{"snippet": "2+2"}'}}),
        stop(0),
        start(1, {"toolResult": result}),
        delta(1, {"toolResult": output}),
        stop(1),
        *end(),
    ]
    content = [
        {"toolUse": {**call, "input": {"snippet": "2+2"}}},
        {"toolResult": {**result, "content": output}},
    ]
    for message in (whole(content), streamed(events)):
        assert message.tool_calls == []
        assert message.content_blocks == [
            {"type": "server_tool_call", "id": "s1", "name": "nova_code_interpreter",
             "args": {"snippet": "2+2"}},
            {"type": "server_tool_result", "tool_call_id": "s1", "status": "success",
             "output": output, "extras": {"block_type": "nova_code_interpreter_result"}},
        ]  # fmt: skip


def test_an_image_that_came_in_pieces_is_one() -> None:
    events = [
        start(0, {"image": {"format": "png"}}),
        delta(0, {"image": {"source": {"bytes": "AAAA"}}}),
        delta(0, {"image": {"source": {"bytes": "BBBB"}}}),
        stop(0),
        *end(),
    ]
    block: Any = streamed(events).content_blocks[0]
    assert (block["type"], block["base64"], block["mime_type"]) == (
        "image", "AAAABBBB", "image/png",
    )  # fmt: skip


def test_unknown_blocks_survive_and_unknown_events_are_counted() -> None:
    message = whole([{"hologram": {"shape": "cube"}}])
    assert message.content_blocks == [
        {"type": "non_standard", "value": {"hologram": {"shape": "cube"}}}
    ]
    streaming = streamed([("weather", {"rain": True}), *text("hi"), *end()])
    assert streaming.response_metadata["skipped_events"] == 1


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttlingException", ModelRateLimitError),
        ("modelStreamErrorException", ModelAPIError),
        ("internalServerException", ModelAPIError),
        ("serviceUnavailableException", ModelAPIError),
        ("validationException", ModelInvalidRequestError),
    ],
)
def test_an_exception_in_a_stream_is_raised_by_its_kind(kind: str, error: Any) -> None:
    said = {"message": "no", "originalMessage": "why"}
    decoder = Decoder(request_id="r-1")
    with pytest.raises(error, match="no: why") as raised:
        decoder.read(payloads(frame(kind, said, failed=True))[0])
    assert raised.value.status == 200
    assert raised.value.code == kind[0].upper() + kind[1:]
    assert raised.value.request_id == "r-1"


@pytest.mark.parametrize("events", [[], text("half an ans")])
def test_a_stream_without_its_end_is_no_answer(events: Any) -> None:
    decoder = Decoder()
    for event in payloads(body(events)):
        decoder.read(event)
    with pytest.raises(StreamInterruptedError):
        decoder.finish()


def test_usage_may_come_before_the_end() -> None:
    told, usage = end()
    decoder = Decoder()
    for event in payloads(body([*text("hi"), usage, told])):
        decoder.read(event)
    assert decoder.ended


@pytest.mark.parametrize("event", [None, 1, [], {}, {"contentBlockIndex": "x", "delta": {}}])
def test_a_broken_event_is_a_wire_error(event: Any) -> None:
    with pytest.raises(WireError):
        Decoder().read(payloads(frame("contentBlockDelta", event))[0])


@pytest.mark.parametrize("answer", [None, [], {}, {"output": {}}, {"output": {"message": 1}}])
def test_what_is_no_answer_is_a_wire_error(answer: Any) -> None:
    with pytest.raises(WireError):
        decode_response(answer)
