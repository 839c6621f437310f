from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.messages import AIMessage, HumanMessage
from headrace.messages.blocks import STANDARD_FIELDS

PNG = {"base64": "AAAA", "mime_type": "image/png"}
CASES: list[tuple[Any, dict[str, Any]]] = [
    ("x", {"type": "text", "text": "x"}),
    ({"type": "text", "text": "x"}, {"type": "text", "text": "x"}),
    (
        {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "x", "extras": {"cache_control": {"type": "ephemeral"}}},
    ),
    ({"type": "input_text", "text": "x"}, {"type": "text", "text": "x"}),
    ({"type": "image_url", "image_url": "http://x/y"}, {"type": "image", "url": "http://x/y"}),
    (
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "image", **PNG, "extras": {"detail": "low"}},
    ),
    ({"type": "input_image", "file_id": "f"}, {"type": "image", "file_id": "f"}),
    (
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {"type": "audio", "base64": "AAAA", "mime_type": "audio/mpeg"},
    ),
    (
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA", "filename": "a"}},
        {"type": "file", "base64": "AA", "mime_type": "application/pdf", "filename": "a"},
    ),
    ({"type": "file", "file": {"file_id": "f"}}, {"type": "file", "file_id": "f"}),
    ({"type": "input_file", "file_url": "http://x"}, {"type": "file", "url": "http://x"}),
    ({"type": "file", "url": "http://x"}, {"type": "file", "url": "http://x"}),
    (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "image", **PNG},
    ),
    (
        {"type": "image", "source": {"type": "url", "url": "http://x"}, "cache_control": 1},
        {"type": "image", "url": "http://x", "extras": {"cache_control": 1}},
    ),
    (
        {"type": "document", "source": {"type": "text", "data": "x"}, "title": "t"},
        {"type": "text-plain", "text": "x", "mime_type": "text/plain", "title": "t"},
    ),
    (
        {"type": "document", "source": {"type": "file", "file_id": "f"}},
        {"type": "file", "file_id": "f"},
    ),
    (
        {"type": "image", "source_type": "base64", "data": "AAAA", "mime_type": "image/png"},
        {"type": "image", **PNG},
    ),
    (
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s"}},
    ),
    (
        {"type": "redacted_thinking", "data": "zz"},
        {"type": "reasoning", "reasoning": "", "extras": {"redacted_data": "zz"}},
    ),
    (
        {"type": "tool_result", "tool_use_id": "1", "content": "r", "is_error": True},
        {"type": "server_tool_result", "tool_call_id": "1", "status": "error", "output": "r",
         "extras": {"block_type": "tool_result"}},
    ),
    (
        {"type": "server_tool_use", "id": "1", "name": "web_search", "input": {"q": 1}},
        {"type": "server_tool_call", "id": "1", "name": "web_search", "args": {"q": 1}},
    ),
    ({"inline_data": {"mime_type": "image/png", "data": b"abc"}},
     {"type": "image", "base64": "YWJj", "mime_type": "image/png"}),
    ({"fileData": {"fileUri": "gs://x", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 1}},
     {"type": "video", "url": "gs://x", "mime_type": "video/mp4",
      "extras": {"videoMetadata": {"fps": 1}}}),
    ({"type": "media", "mime_type": "video/mp4", "file_uri": "gs://x"},
     {"type": "video", "url": "gs://x", "mime_type": "video/mp4"}),
    ({"text": "x"}, {"type": "text", "text": "x"}),
    ({"image": {"format": "png", "source": {"bytes": b"\x00\x00\x00"}}}, {"type": "image", **PNG}),
    (
        {"document": {"format": "pdf", "name": "a", "source": {"bytes": b"\x00\x00\x00"}}},
        {"type": "file", "base64": "AAAA", "mime_type": "application/pdf", "filename": "a"},
    ),
    (
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s"}},
    ),
    (
        {"reasoningContent": {"redactedContent": b"\x00\x00\x00"}},
        {"type": "reasoning", "reasoning": "", "extras": {"redactedContent": "AAAA"}},
    ),
    (
        {"image": {"source": {"s3Location": {"uri": "s3://b", "bucketOwner": "1"}}}},
        {"type": "image", "url": "s3://b", "extras": {"bucketOwner": "1"}},
    ),
    (
        {"toolUse": {"toolUseId": "1", "name": "f", "input": {}, "type": "server_tool_use"}},
        {"type": "server_tool_call", "id": "1", "name": "f", "args": {}},
    ),
    (
        {"toolResult": {"toolUseId": "1", "content": [], "type": "f_result"}},
        {"type": "server_tool_result", "tool_call_id": "1", "status": "success", "output": [],
         "extras": {"block_type": "f_result"}},
    ),
    ({"cachePoint": {"type": "default"}},
     {"type": "non_standard", "value": {"cachePoint": {"type": "default"}}}),
    ({"type": "novel", "x": 1}, {"type": "non_standard", "value": {"type": "novel", "x": 1}}),
    ({"type": "image"}, {"type": "image"}),
    ({"type": "image", "width": 3},
     {"type": "non_standard", "value": {"type": "image", "width": 3}}),
]  # fmt: skip


@pytest.mark.parametrize(("block", "expected"), CASES)
def test_a_known_shape_becomes_its_canonical_block(block: Any, expected: Any) -> None:
    before = copy.deepcopy(block)
    assert HumanMessage([block]).content_blocks == [expected]
    assert block == before


@pytest.mark.parametrize(
    ("block", "call"),
    [
        ({"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}, {"a": 1}),
        ({"toolUse": {"toolUseId": "1", "name": "f", "input": {"a": 1}}}, {"a": 1}),
        ({"type": "function_call", "call_id": "1", "name": "f", "arguments": '{"a":1}'}, {"a": 1}),
    ],
)
def test_calls_of_every_shape_are_tool_calls(block: Any, call: Any) -> None:
    message = AIMessage([block])
    expected = {"type": "tool_call", "name": "f", "args": call, "id": "1"}
    assert message.content_blocks == message.tool_calls == [expected]


@pytest.mark.parametrize(("block", "expected"), CASES)
def test_a_canonical_block_is_its_own_canonical_form(block: Any, expected: Any) -> None:
    assert HumanMessage([expected]).content_blocks == [expected]


junk = (
    st.none()
    | st.integers()
    | st.text(max_size=3)
    | st.dictionaries(st.text(max_size=3), st.none())
)
kinds = sorted({*STANDARD_FIELDS, *(b["type"] for b, _ in CASES if "type" in b and b != "x")})


@given(
    st.dictionaries(
        st.sampled_from(["source", "file", "image_url", "input_audio", "url", "text", "image",
                         "toolUse", "toolResult", "reasoningContent", "document", "name"]),
        junk,
    ),
    st.none() | st.sampled_from(kinds),
)  # fmt: skip
def test_no_malformed_block_makes_reading_fail(fields: Any, kind: Any) -> None:
    block = {**fields, "type": kind} if kind else fields
    (found,) = HumanMessage([block]).content_blocks
    assert found["type"] in STANDARD_FIELDS
