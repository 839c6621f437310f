from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core import messages as lc

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from headrace_langchain import message_from_langchain, message_to_langchain
from headrace_langchain.incoming import chunk_from_langchain
from headrace_langchain.streaming import Writer

CALL = {"type": "tool_call", "name": "look", "args": {"a": 1}, "id": "c1"}
SIGNED = {**CALL, "extras": {"signature": "xyz"}}
BLOCKS: list[dict[str, Any]] = [
    {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "abc"}},
    {
        "type": "text",
        "text": "So it is.",
        "annotations": [{"type": "citation", "url": "u", "cited_text": "t", "extras": {"k": 1}}],
    },
    {"type": "server_tool_call", "name": "web_search", "args": {"query": "q"}, "id": "s1"},
    {"type": "server_tool_result", "tool_call_id": "s1", "status": "success", "output": [1]},
    {"type": "image", "base64": "AAAA", "mime_type": "image/png", "extras": {"detail": "low"}},
    {"type": "refusal", "refusal": "no"},
    {"type": "non_standard", "value": {"type": "odd", "x": 1}},
    SIGNED,
]

MESSAGES = {
    "system": SystemMessage("be brief", name="n"),
    "developer": DeveloperMessage("be brief"),
    "human": HumanMessage("hi", id="m1", additional_kwargs={"k": 1}),
    "media": HumanMessage(
        [
            {"type": "text", "text": "see", "extras": {"cache_control": {"type": "ephemeral"}}},
            {"type": "image", "url": "https://x/y.png"},
            {"type": "file", "base64": "AAAA", "mime_type": "application/pdf", "filename": "a.pdf"},
            {"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"},
            {"type": "video", "file_id": "f1"},
            {"type": "text-plain", "text": "doc", "mime_type": "text/plain", "title": "t"},
        ]
    ),
    "answer": AIMessage(
        "yes",
        id="r1",
        usage_metadata={
            "input_tokens": 1,
            "output_tokens": 2,
            "total_tokens": 3,
            "input_token_details": {"cache_read": 1},
        },
        response_metadata={"model_provider": "openai", "finish_reason": "stop", "logprobs": None},
    ),
    "calls": AIMessage("", tool_calls=[CALL]),
    "signed calls": AIMessage("so", tool_calls=[SIGNED]),
    "cut calls": AIMessage(
        "", invalid_tool_calls=[{"name": "look", "args": "{", "id": "c2", "error": "cut off"}]
    ),
    "blocks": AIMessage(BLOCKS, response_metadata={"model_provider": "anthropic"}),
    "result": ToolMessage("ok", "c1", name="look", artifact={"raw": 1}, status="error"),
    "result with an image": ToolMessage(
        [{"type": "text", "text": "a"}, {"type": "image", "url": "https://x/y.png"}], "c1"
    ),
    "another role": ChatMessage("hi", "critic"),
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_comes_back_from_langchain_as_it_was(kind: str) -> None:
    message = MESSAGES[kind]
    back = message_from_langchain(message_to_langchain(message))
    assert type(back) is type(message)
    assert back.content_blocks == message.content_blocks
    for field in ("id", "name", "additional_kwargs"):
        assert getattr(back, field) == getattr(message, field)
    for field in ("tool_calls", "invalid_tool_calls", "usage_metadata", "status", "artifact"):
        assert getattr(back, field, None) == getattr(message, field, None)
    assert message.response_metadata.items() <= {"logprobs": None, **back.response_metadata}.items()


def test_langchain_reads_our_blocks_as_its_standard_ones() -> None:
    found = message_to_langchain(MESSAGES["blocks"])
    assert [block["type"] for block in found.content_blocks] == [b["type"] for b in BLOCKS]
    assert found.tool_calls == [CALL]
    assert found.text == "So it is."


FOREIGN = {
    "anthropic": (
        [
            {"type": "thinking", "thinking": "hm", "signature": "abc"},
            {"type": "text", "text": "so", "citations": [{"type": "char_location"}]},
            {"type": "tool_use", "id": "c1", "name": "look", "input": {"a": 1}},
        ],
        ["reasoning", "text", "tool_call"],
    ),
    "openai": (
        [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "hm"}],
            },
            {"type": "text", "text": "so", "annotations": []},
        ],
        ["reasoning", "text"],
    ),
}


@pytest.mark.parametrize("provider", FOREIGN)
def test_what_an_integration_writes_its_own_way_is_read_by_langchain(provider: str) -> None:
    content, kinds = FOREIGN[provider]
    calls = [CALL] if "tool_call" in kinds else []
    given = lc.AIMessage(content, tool_calls=calls, response_metadata={"model_provider": provider})
    found = message_from_langchain(given)
    assert [block["type"] for block in found.content_blocks] == kinds
    assert found.content_blocks[0]["reasoning"] == "hm"
    assert found.text == "so"


def test_reasoning_beside_a_text_is_a_block() -> None:
    given = lc.AIMessage("so", additional_kwargs={"reasoning_content": "hm"})
    assert [b["type"] for b in message_from_langchain(given).content_blocks] == [
        "reasoning",
        "text",
    ]


@pytest.mark.parametrize(
    "image",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image", "source_type": "base64", "data": "AAAA", "mime_type": "image/png"},
        {"type": "image", "source": {"type": "base64", "data": "AAAA", "media_type": "image/png"}},
        {"type": "image", "base64": "AAAA", "mime_type": "image/png"},
    ],
)
def test_an_image_in_any_spelling_of_langchains_is_one_block(image: Any) -> None:
    [block] = message_from_langchain(lc.HumanMessage([image])).content_blocks
    assert block == {"type": "image", "base64": "AAAA", "mime_type": "image/png"}


@pytest.mark.parametrize(
    ("given", "reason", "raw"),
    [
        ({"finish_reason": "tool_calls"}, "tool_calls", "tool_calls"),
        ({"stop_reason": "end_turn"}, "stop", "end_turn"),
        ({"stopReason": "max_tokens"}, "length", "max_tokens"),
        ({"finish_reason": "SAFETY"}, "content_filter", "SAFETY"),
        ({"done_reason": "stop"}, "stop", "stop"),
        ({"finish_reason": "odd"}, "unknown", "odd"),
    ],
)
def test_reasons_are_in_our_words_beside_the_providers(given: Any, reason: str, raw: str) -> None:
    about = message_from_langchain(lc.AIMessage("x", response_metadata=given)).response_metadata
    assert (about["finish_reason"], about["finish_reason_raw"]) == (reason, raw)


def test_ids_that_langchain_made_up_are_no_ids() -> None:
    given = lc.AIMessage(
        content=[{"type": "text", "text": "x", "id": "lc_1"}, {"type": "text", "text": "y"}],
        id="lc_run--1",
        response_metadata={"output_version": "v1"},
    )
    found = message_from_langchain(given)
    assert found.id is None
    assert found.content_blocks[0] == {"type": "text", "text": "x"}


def test_usage_that_nobody_counted_is_none() -> None:
    nothing: Any = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    assert message_from_langchain(lc.AIMessage("x", usage_metadata=nothing)).usage_metadata is None
    half: Any = AIMessage("x", usage_metadata={"output_tokens": 3})
    assert message_to_langchain(half).usage_metadata is None


def test_a_kind_without_a_counterpart_is_an_error() -> None:
    with pytest.raises(InputError, match="no message like LangChain's FunctionMessage"):
        message_from_langchain(lc.FunctionMessage("x", name="f"))


def summed(chunks: Any, blocks: bool = False) -> Any:
    """LangChain's sum of our chunks."""
    writer = Writer(blocks)
    found = [out for chunk in chunks if (out := writer.write(chunk)) is not None]
    total: Any = writer.end() if not found else found[0]
    for chunk in (*found[1:], *([writer.end()] if found else [])):
        total = total + chunk
    return total


PIECES = st.one_of(
    st.text(max_size=4).map(AIMessageChunk),
    st.text(min_size=1, max_size=4).map(
        lambda said: AIMessageChunk([{"type": "reasoning", "reasoning": said}])
    ),
    st.tuples(st.integers(0, 1), st.text(max_size=3)).map(
        lambda found: AIMessageChunk(
            tool_call_chunks=[{"name": None, "id": None, "args": found[1], "index": found[0]}]
        )
    ),
    st.text(max_size=3).map(
        lambda said: AIMessageChunk(
            [{"type": "text", "text": said, "index": 3, "extras": {"k": 1}}]
        )
    ),
    st.floats(0, 9).map(lambda seconds: AIMessageChunk("", response_metadata={"s": seconds})),
    st.sampled_from(["delta", "snapshot"]).map(
        lambda kind: AIMessageChunk(
            "",
            usage_metadata={"input_tokens": 2, "output_tokens": 1, "total_tokens": 3},
            usage_kind=kind,
        )
    ),
)


@given(st.lists(PIECES, max_size=8), st.booleans())
def test_langchains_sum_of_our_chunks_is_ours(chunks: list[Any], blocks: bool) -> None:
    ours: Any = AIMessageChunk("")
    for chunk in chunks:
        ours = ours + chunk
    found = summed(chunks, blocks)
    assert found.text == ours.text
    usage = found.usage_metadata
    assert usage == (ours.usage_metadata or None)
    assert found.response_metadata.get("s") == ours.response_metadata.get("s")
    args = {piece["index"]: piece["args"] for piece in found.tool_call_chunks}
    assert args == {piece["index"]: piece["args"] for piece in ours.tool_call_chunks}
    said = [b["reasoning"] for b in ours.content_blocks if b["type"] == "reasoning"]
    if isinstance(found.content, list):
        parts = [b for b in found.content if isinstance(b, dict) and b["type"] == "reasoning"]
        assert "".join(b["reasoning"] for b in parts) == "".join(said)


def test_whole_blocks_of_a_stream_arrive_as_they_are() -> None:
    found = summed([AIMessageChunk(BLOCKS)])
    assert found.content_blocks[-1] == SIGNED
    back = message_from_langchain(found)
    assert back.content_blocks == AIMessage(BLOCKS).content_blocks
    assert back.tool_calls == [SIGNED]


def test_signed_calls_beside_a_text_keep_their_signature_through_a_stream() -> None:
    piece = {"name": "look", "args": '{"a": 1}', "id": "c1", "index": 0, "extras": {"s": "x"}}
    found = summed([AIMessageChunk("so"), AIMessageChunk(tool_call_chunks=[piece])])
    assert found.content == "so"
    assert message_from_langchain(found).tool_calls == [{**CALL, "extras": {"s": "x"}}]


def test_chunks_of_langchains_standard_blocks_add_up() -> None:
    chunks = [
        lc.AIMessageChunk(
            [{"type": "reasoning", "reasoning": part, "index": "lc_rs_0"}],
            response_metadata={"output_version": "v1"},
        )
        for part in ("h", "m")
    ]
    total: Any = sum(map(chunk_from_langchain, chunks))
    assert total.content_blocks[0]["reasoning"] == "hm"


def test_reasoning_beside_streamed_text_adds_up() -> None:
    chunks = [lc.AIMessageChunk("", additional_kwargs={"reasoning_content": s}) for s in "hm"]
    total: Any = sum(map(chunk_from_langchain, chunks))
    assert total.content_blocks == [{"type": "reasoning", "reasoning": "hm"}]
