from __future__ import annotations

import pytest

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    HumanMessage,
    ToolMessage,
    get_buffer_string,
)

CALL = {"name": "f", "args": {"city": "Oslo"}, "id": "1"}


def test_a_message_is_shown_under_a_title(capsys: pytest.CaptureFixture[str]) -> None:
    HumanMessage("hello", name="ann").pretty_print()
    title, name, text = capsys.readouterr().out.splitlines()
    assert title.strip("=") == " Human Message "
    assert len(title) == 80
    assert (name, text) == ("Name: ann", "hello")


def test_calls_reasoning_and_media_are_shown() -> None:
    bad = {"name": "g", "args": "{", "id": "2", "error": "cut"}
    content = [
        {"type": "reasoning", "reasoning": "hm"}, "hi", {"type": "refusal", "refusal": "no"},
        {"type": "image", "base64": "A" * 1000, "mime_type": "image/png"},
    ]  # fmt: skip
    shown = AIMessage(content, tool_calls=[CALL], invalid_tool_calls=[bad]).pretty_repr()
    assert shown.splitlines()[1:] == [
        "(reasoning) hm", "hi", "(refusal) no", "[image image/png]", "Tool Calls:", "  f (1)",
        "    city: Oslo", "  g (2) [invalid]", "    Error: cut", "    {",
    ]  # fmt: skip


def test_an_unfinished_total_is_shown() -> None:
    chunk = AIMessageChunk(
        "a", tool_call_chunks=[{"name": "f", "args": "{", "id": "1", "index": 0}]
    )
    assert "f (1)" in chunk.pretty_repr()


CHAT = [
    HumanMessage("<b> & so"), AIMessage("x", tool_calls=[CALL]), ToolMessage("r", tool_call_id="1"),
    ChatMessage("c", role="critic"),
]  # fmt: skip


def test_a_transcript_has_a_line_a_message() -> None:
    assert get_buffer_string(CHAT, human_prefix="User").splitlines() == [
        "User: <b> & so", 'AI: x f({"city":"Oslo"})', "Tool: r", "critic: c",
    ]  # fmt: skip


def test_an_xml_transcript_escapes_what_people_say() -> None:
    assert get_buffer_string(CHAT[:2], format="xml").splitlines() == [
        '<message type="human">&lt;b&gt; &amp; so</message>',
        '<message type="ai">x<tool_call id="1" name="f">{"city":"Oslo"}</tool_call></message>',
    ]
    with pytest.raises(InputError, match="'html'"):
        get_buffer_string(CHAT, format="html")  # type: ignore[arg-type]  # the point of the test


def test_a_transcript_never_prints_media() -> None:
    image = {"type": "image", "base64": "A" * 1000, "mime_type": "image/png"}
    for format in ("prefix", "xml"):
        text = get_buffer_string([HumanMessage([image])], format=format)  # type: ignore[arg-type]
        assert "[image image/png]" in text
        assert "AAAA" not in text
