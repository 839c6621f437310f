"""Answers and events as messages: what each block becomes, and that nothing of it is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from claude_service import ANSWER, HEAD, events_of, streamed, text_block
from recorded import load_cases

from headrace.errors import StreamInterruptedError, WireError
from headrace.messages import AIMessage, HumanMessage, convert_to_messages
from headrace_anthropic import ChatAnthropic
from headrace_anthropic.decode import Decoder, decode_response

THOUGHT = {"type": "thinking", "thinking": "", "signature": ""}
SIGNED = [
    {"type": "thinking_delta", "thinking": "so"},
    {"type": "thinking_delta", "thinking": "me"},
    {"type": "signature_delta", "signature": "SIG"},
]


def whole(*content: Any, **more: Any) -> AIMessage:
    return decode_response({**ANSWER, "content": list(content), **more})


def test_text_alone_is_a_str() -> None:
    assert whole({"type": "text", "text": "a"}, {"type": "text", "text": "b"}).content == "ab"
    assert streamed(events_of(text_block("a"), text_block("b"))).content == "ab"


def test_reasoning_has_its_signature_with_it() -> None:
    expected = {"type": "reasoning", "reasoning": "some", "extras": {"signature": "SIG"}}
    raw = {"type": "thinking", "thinking": "some", "signature": "SIG"}
    text = {"type": "text", "text": "hi"}
    assert whole(raw, text).content_blocks == [expected, text]
    assert streamed(events_of((THOUGHT, SIGNED), text_block("hi"))).content_blocks == [
        expected, text,
    ]  # fmt: skip


def test_redacted_reasoning_is_kept() -> None:
    raw = {"type": "redacted_thinking", "data": "XYZ"}
    expected = [{"type": "reasoning", "reasoning": "", "extras": {"redacted_data": "XYZ"}}]
    assert whole(raw).content_blocks == expected
    assert streamed(events_of((raw, []))).content_blocks == expected


CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": [1]}}
PIECES = [{"type": "input_json_delta", "partial_json": part} for part in ("", '{"a"', ": [1]}")]


def test_calls_stand_where_they_were_made() -> None:
    text, after = {"type": "text", "text": "see"}, {"type": "text", "text": "so"}
    for message in (
        whole(text, CALL, after, stop_reason="tool_use"),
        streamed(
            events_of(
                text_block("see"), ({**CALL, "input": {}}, PIECES), text_block("so"),
                stop_reason="tool_use",
            )
        ),
    ):  # fmt: skip
        assert [block["type"] for block in message.content_blocks] == ["text", "tool_call", "text"]
        assert message.tool_calls == [
            {"type": "tool_call", "id": "toolu_1", "name": "look", "args": {"a": [1]}}
        ]
        assert message.response_metadata["finish_reason"] == "tool_calls"


def test_parallel_calls_do_not_mix() -> None:
    other = {**CALL, "id": "toolu_2", "input": {}}
    message = streamed(events_of(({**CALL, "input": {}}, PIECES), (other, PIECES)))
    assert [call["id"] for call in message.tool_calls] == ["toolu_1", "toolu_2"]
    assert [call["args"] for call in message.tool_calls] == [{"a": [1]}] * 2


def test_a_call_that_is_cut_off_is_invalid_with_the_reason() -> None:
    message = streamed(events_of(({**CALL, "input": {}}, PIECES[:2]), stop_reason="max_tokens"))
    assert message.tool_calls == []
    assert "token limit" in str(message.invalid_tool_calls[0]["error"])


def test_extras_of_a_call_come_and_go_back() -> None:
    caller = {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"}
    for message in (
        whole({**CALL, "caller": caller}),
        streamed(events_of(({**CALL, "input": {}, "caller": caller}, PIECES))),
    ):
        assert message.tool_calls[0]["extras"] == {"caller": caller}


SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
QUERY = [{"type": "input_json_delta", "partial_json": '{"query": "sky"}'}]
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "https://x.y", "title": "X"}],
}
SOURCE = {
    "type": "web_search_result_location",
    "cited_text": "blue",
    "url": "https://x.y",
    "title": "X",
    "encrypted_index": "E",
}


def test_a_web_search_is_a_call_a_result_and_a_text_with_its_source() -> None:
    cited = {"type": "text", "text": "It is blue.", "citations": [SOURCE]}
    start = {"type": "text", "text": "", "citations": []}
    deltas = [
        {"type": "citations_delta", "citation": SOURCE},
        {"type": "text_delta", "text": "It is blue."},
    ]
    for message in (
        whole({**SEARCH, "input": {"query": "sky"}}, FOUND, cited),
        streamed(events_of((SEARCH, QUERY), (FOUND, []), (start, deltas))),
    ):
        call, result, text = message.content_blocks
        assert call == {
            "type": "server_tool_call", "id": "srvtoolu_1", "name": "web_search",
            "args": {"query": "sky"},
        }  # fmt: skip
        assert result["type"] == "server_tool_result"
        assert (result["tool_call_id"], result["status"]) == ("srvtoolu_1", "success")
        assert result["output"] == FOUND["content"]
        assert text["type"] == "text"
        assert text["annotations"] == [
            {
                "type": "citation", "url": "https://x.y", "title": "X", "cited_text": "blue",
                "extras": {"type": "web_search_result_location", "encrypted_index": "E"},
            }
        ]  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [c for c in load_cases("anthropic") if "web_search_tool_result" in c["expected"]["blocks"]],
    ids=lambda case: str(case["id"]),
)
def test_recorded_web_searches_give_the_three_blocks(case: dict[str, Any]) -> None:
    body = case["body_text"]
    if case["stream"]:
        lines = [line[5:] for line in body.splitlines() if line.startswith("data:")]
        message = streamed(json.loads(line) for line in lines)
    else:
        message = decode_response(json.loads(body))
    kinds = [block["type"] for block in message.content_blocks if block["type"] != "reasoning"]
    assert kinds.index("server_tool_call") < kinds.index("server_tool_result")
    assert (
        sum(len(b.get("annotations", ())) for b in message.content_blocks)
        == (case["expected"]["citations"])
    )


FAILED = {**FOUND, "content": {"type": "web_search_tool_result_error", "error_code": "x"}}


def test_a_failed_server_tool_says_so() -> None:
    (block,) = whole(FAILED).content_blocks
    assert block["type"] == "server_tool_result"
    assert block["status"] == "error"


OWN = [
    {"type": "thinking", "thinking": "t", "signature": "S"},
    {"type": "redacted_thinking", "data": "D"},
    {**SEARCH, "input": {"query": "sky"}},
    FOUND,
    FAILED,
    {"type": "mcp_tool_use", "id": "m1", "name": "ask", "server_name": "s", "input": {"q": 1}},
    {
        "type": "mcp_tool_result", "tool_use_id": "m1", "is_error": True,
        "content": [{"type": "text", "text": "no"}],
    },
    {
        "type": "bash_code_execution_tool_result", "tool_use_id": "b1",
        "content": {"type": "bash_code_execution_result", "stdout": "1", "return_code": 0},
    },
    {"type": "tool_search_tool_result", "tool_use_id": "t1", "content": {"tool_references": []}},
    {"type": "container_upload", "file_id": "file_1"},
    {"type": "compaction", "content": "sum", "encrypted_content": "E"},
    {"type": "fallback", "from": "a", "to": "b"},
    {"type": "something_new", "data": {"x": [1]}},
    {"type": "text", "text": "blue", "citations": [SOURCE]},
    {
        "type": "text", "text": "page",
        "citations": [
            {
                "type": "page_location", "cited_text": "c", "document_index": 0,
                "document_title": None, "start_page_number": 1, "end_page_number": 2,
            }
        ],
    },
    {**CALL, "caller": {"type": "direct"}},
]  # fmt: skip


@pytest.mark.parametrize("raw", OWN, ids=lambda raw: str(raw["type"]))
def test_every_block_goes_back_as_it_came(raw: dict[str, Any]) -> None:
    message = whole(raw)
    again = AIMessage.model_validate_json(message.model_dump_json())
    model = ChatAnthropic(model="claude-opus-5", max_tokens=9)
    sent = model.preflight(["hi", again, HumanMessage("go on")]).request
    assert sent is not None
    assert sent["messages"][1]["content"] == [raw]


def test_native_blocks_are_read_the_same_way() -> None:
    raw = [block for block in OWN if block["type"] != "text"]
    (message,) = convert_to_messages([{"role": "assistant", "content": raw}])
    model = ChatAnthropic(model="claude-opus-5", max_tokens=9)
    sent = model.preflight(["hi", message, HumanMessage("go on")]).request
    assert sent is not None
    assert sent["messages"][1]["content"] == raw


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"), ("tool_use", "tool_calls"),
        ("pause_turn", "pause"), ("refusal", "refusal"), ("never_heard", "unknown"),
    ],
)  # fmt: skip
def test_each_reason_to_stop_has_our_word(raw: str, ours: str) -> None:
    for message in (whole(stop_reason=raw), streamed(events_of(stop_reason=raw))):
        assert message.response_metadata["finish_reason"] == ours
        assert message.response_metadata["finish_reason_raw"] == raw


def test_why_it_was_refused_is_in_the_metadata() -> None:
    told = {"type": "refusal", "category": "cyber", "explanation": "no"}
    for message in (
        whole(stop_reason="refusal", stop_details=told),
        streamed(events_of(stop_reason="refusal", stop_details=told)),
    ):
        assert message.response_metadata["stop_details"] == told


def test_usage_counts_the_cache_as_input_and_the_last_word_wins() -> None:
    usage = {
        "input_tokens": 10, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 5,
        "output_tokens": 1, "service_tier": "standard",
    }  # fmt: skip
    events = events_of(text_block("hi"))
    events[0]["message"]["usage"] = usage
    events[-2]["usage"] = {"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 4}}
    message = streamed(events)
    assert message.usage_metadata == {
        "input_tokens": 35,
        "output_tokens": 7,
        "total_tokens": 42,
        "input_token_details": {"cache_read": 20, "cache_creation": 5},
        "output_token_details": {"reasoning": 4},
    }
    assert message.response_metadata["raw_usage"]["service_tier"] == "standard"


def test_pings_say_nothing_and_unknown_events_are_counted() -> None:
    events = events_of(text_block("hi"))
    events[1:1] = [{"type": "ping"}, {"type": "weather"}]
    events[4:4] = [{"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta"}}]
    message = streamed(events)
    assert message.text == "hi"
    assert message.response_metadata["skipped_events"] == 2


def test_what_gateways_and_clouds_add_to_the_end_does_no_harm() -> None:
    events = events_of(text_block("hi"))
    events[-1]["amazon-bedrock-invocationMetrics"] = {"invocationLatency": 5}
    message = streamed(events)
    assert message.response_metadata["amazon-bedrock-invocationMetrics"] == {"invocationLatency": 5}
    decoder = Decoder()
    assert decoder.read(b"[DONE]") == []
    with pytest.raises(WireError):
        decoder.read(b"[DONE")


def test_sources_that_nothing_announced_are_kept() -> None:
    deltas = [
        {"type": "text_delta", "text": "It is "},
        {"type": "citations_delta", "citation": SOURCE},
        {"type": "text_delta", "text": "blue."},
    ]
    message = streamed(events_of(({"type": "text", "text": ""}, deltas)))
    assert message.text == "It is blue."
    assert sum(len(b.get("annotations", ())) for b in message.content_blocks) == 1


def test_a_stream_without_its_end_is_no_answer() -> None:
    decoder = Decoder()
    for event in events_of(text_block("hi"))[:-2]:
        decoder.feed(event)
    with pytest.raises(StreamInterruptedError, match="message_stop"):
        decoder.finish()


@pytest.mark.parametrize(
    "event",
    [
        [], "x", {"type": "content_block_delta"}, {"type": "message_start", "message": 1},
        {"type": "content_block_start", "index": "a", "content_block": {"type": "text"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 1}},
    ],
    ids=repr,
)  # fmt: skip
def test_an_event_of_broken_form_is_a_wire_error(event: Any) -> None:
    with pytest.raises(WireError, match="form of the Messages API"):
        Decoder().feed(event)


def test_an_answer_that_was_begun_has_its_beginning() -> None:
    body = {**HEAD, "content": [{"type": "text", "text": '"a": 1}'}], "stop_reason": "end_turn"}
    assert decode_response(body, prefix="{").text == '{"a": 1}'
    assert streamed(events_of(text_block('"a": 1}')), prefix="{").text == '{"a": 1}'
