"""What a local model writes, as messages: calls, reasoning, stop words. No torch is needed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.messages import AIMessage, message_chunk_to_message
from headrace_huggingface.local.calls import Called, CallReader
from headrace_huggingface.local.decode import Begun, Decoder, Ended
from headrace_huggingface.local.words import Detokenizer, StopWords

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
}
TOOLS = {"get_weather": WEATHER, "ping": {}}
OSLO = Called("get_weather", '{"city":"Oslo"}')

FORMS: dict[str, tuple[str, list[str | Called]]] = {
    "hermes": (
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>', [OSLO],
    ),
    "hermes, twice, after a text": (
        ('I look.\n<tool_call>{"name": "ping", "arguments": {}}</tool_call>\n'
        '<tool_call>{"name": "get_weather", "arguments": {"city":"Oslo"}}</tool_call>\n'),
        ["I look.", Called("ping", "{}"), OSLO],
    ),
    "text after a call": (
        '<tool_call>{"name": "ping"}</tool_call>\n\nDone.', [Called("ping", "{}"), "Done."],
    ),
    "arguments as a string": (
        '<tool_call>{"name": "ping", "arguments": "{\\"a\\": 1}"}</tool_call>',
        [Called("ping", '{"a": 1}')],
    ),
    "qwen3-coder": (
        ("<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n"
        "<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>"),
        [Called("get_weather", '{"city":"Oslo","days":3}')],
    ),
    "mistral, a list": (
        ('[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Oslo"}}, '
        '{"name": "ping", "arguments": {}}]'),
        [OSLO, Called("ping", "{}")],
    ),
    "mistral, by name": (
        '[TOOL_CALLS]get_weather[ARGS]{"city":"Oslo"}[TOOL_CALLS]ping[CALL_ID]abc[ARGS]{}',
        [OSLO, Called("ping", "{}")],
    ),
    "llama, bare": (
        '{"name": "get_weather", "parameters": {"city": "Oslo"}}', [OSLO],
    ),
    "llama, bare, two": (
        ('\n{"name": "ping", "parameters": {}}; {"name": "get_weather", "parameters": '
        '{"city": "Oslo"}}'),
        [Called("ping", "{}"), OSLO],
    ),
    "llama, a bare list": ('[\n {"name": "ping"}]', [Called("ping", "{}")]),
    "llama, python tag": (
        '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Oslo"}}', [OSLO],
    ),
    "llama, function": ('<function=get_weather>{"city":"Oslo"}</function>', [OSLO]),
    "openai's own shape": (
        ('<tool_call>{"type": "function", "function": {"name": "ping", "arguments": {}}}'
        "</tool_call>"),
        [Called("ping", "{}")],
    ),
    "cut off": (
        '<tool_call>{"name": "get_weather", "arguments": {"city": "Os',
        [Called("get_weather", '{"city": "Os')],
    ),
    "no call": ("a < b, [TOOL] <tool> and {x}\n", ["a < b, [TOOL] <tool> and {x}\n"]),
    "json that calls nobody": ('{"name": "Ann", "age": 7}', ['{"name": "Ann", "age": 7}']),
    "a call without a name": (
        "<tool_call>what?</tool_call>", ["<tool_call>what?</tool_call>"],
    ),
    "white space alone": ("\n\n ", ["\n\n "]),
    "a list in words": ("[1] is a note", ["[1] is a note"]),
}  # fmt: skip


def read(pieces: list[str]) -> list[str | Called]:
    """All that a reader finds, texts that follow one another joined."""
    reader = CallReader(TOOLS)
    found: list[str | Called] = []
    for item in [*(i for piece in pieces for i in reader.feed(piece)), *reader.flush()]:
        last = found[-1] if found else None
        if isinstance(item, str) and isinstance(last, str):
            found[-1] = last + item
        else:
            found.append(item)
    return found


@pytest.mark.parametrize("form", list(FORMS))
def test_each_form_of_a_call_is_read(form: str) -> None:
    text, expected = FORMS[form]
    assert read([text]) == expected


@given(st.sampled_from(list(FORMS)), st.lists(st.integers(0, 200), max_size=6))
def test_how_the_text_is_cut_makes_no_difference(form: str, cuts: list[int]) -> None:
    text, expected = FORMS[form]
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    assert read(pieces) == expected
    assert read(list(text)) == expected


@given(st.text(alphabet='<>tool_call{}[]/ \nTOLCAS"name:,1'), st.integers(1, 5))
def test_whatever_is_written_is_read_and_no_text_is_lost(text: str, size: int) -> None:
    found = read([text[at : at + size] for at in range(0, len(text), size)])
    if not any(isinstance(item, Called) for item in found):
        assert "".join(map(str, found)) == text


def answer(
    *texts: str,
    thinking: bool = False,
    channels: bool = False,
    tools: Any = TOOLS,
    reason: str = "eos_token",
) -> Any:
    decoder = Decoder("org/m", tools)
    items = [Begun(7, thinking, channels), *texts, Ended(5, reason)]
    chunks = [chunk for item in items for chunk in decoder.feed(item)]
    message: Any = message_chunk_to_message(sum(chunks[1:], chunks[0]))
    return message


def test_a_whole_answer_has_thought_text_call_usage_and_reason() -> None:
    message: AIMessage = answer("<think>Hm.</th", "ink>\n\nI look.\n", FORMS["hermes"][0])
    kinds = [block["type"] for block in message.content_blocks]
    assert kinds == ["reasoning", "text", "tool_call"]
    assert message.text == "I look."
    assert message.tool_calls[0]["args"] == {"city": "Oslo"}
    assert len(message.tool_calls[0]["id"] or "") == 9
    assert message.usage_metadata == {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
    assert message.response_metadata == {
        "model_provider": "huggingface", "model_name": "org/m",
        "finish_reason": "tool_calls", "finish_reason_raw": "eos_token",
    }  # fmt: skip


def test_a_call_that_was_cut_off_is_none() -> None:
    message = answer(FORMS["cut off"][0], reason="length")
    assert message.tool_calls == []
    assert [call["name"] for call in message.invalid_tool_calls] == ["get_weather"]
    assert message.response_metadata["finish_reason"] == "length"


def test_a_thought_that_the_prompt_opened_needs_no_opening_tag() -> None:
    message = answer("Hm.</think>Yes.", thinking=True)
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]


def test_without_tools_a_call_is_text() -> None:
    text = FORMS["hermes"][0]
    assert answer(text, tools={}).text == text


@given(
    st.text(alphabet="abEND \n"), st.integers(1, 4), st.sampled_from([["END"], ["EN", "ND"], []])
)
def test_a_text_goes_on_to_the_first_stop_word(text: str, size: int, stops: list[str]) -> None:
    words = StopWords(stops)
    shown = ""
    for at in range(0, len(text), size):
        shown += words.feed(text[at : at + size])
        if words.found is not None:
            break
    shown += words.flush()
    ends = [text.find(stop) for stop in stops if stop in text]
    assert (words.found is None) == (not ends)
    # Of two words that overlap, the one that is whole first ends the text.
    assert text.startswith(shown)
    if len(stops) < 2:
        assert shown == text[: min(ends, default=len(text))]


class Bytes:
    """A tokenizer whose tokens are bytes; 300 is special, 301 opens a call."""

    all_special_ids = (300, 301)
    all_special_tokens = ("<|end|>", "<tool_call>")

    def decode(self, ids: list[int], **_: Any) -> str:
        raw = b"".join(b"<tool_call>" if id == 301 else bytes([id]) for id in ids)
        return raw.decode("utf-8", "replace")


@given(st.text())
def test_tokens_of_parts_of_characters_come_as_whole_ones(text: str) -> None:
    tokens = Detokenizer(Bytes(), [])
    pieces = [tokens.feed(id) for id in text.encode()]
    assert "".join(pieces) + tokens.flush() == text
    assert all("\ufffd" not in piece for piece in pieces) or "\ufffd" in text


def test_special_tokens_leave_no_text_but_those_of_calls() -> None:
    tokens = Detokenizer(Bytes(), [33], ["<tool_call>"])
    assert [tokens.feed(id) for id in (65, 300, 301, 33, 66)] == ["A", "", "<tool_call>", "", "B"]


def test_bytes_that_are_no_character_are_shown_at_the_end() -> None:
    tokens = Detokenizer(Bytes(), [])
    assert [tokens.feed(id) for id in (65, 0xE2)] == ["A", ""]
    assert tokens.flush() == "\ufffd"


def test_bytes_that_never_become_a_character_are_not_waited_for() -> None:
    tokens = Detokenizer(Bytes(), [])
    pieces = [tokens.feed(0x80) for _ in range(100)]
    assert "".join(pieces) + tokens.flush() == "\ufffd" * 100
    assert sum(map(bool, pieces)) > 10


CHANNELS = (
    "<|channel|>analysis<|message|>Weather? Call it.<|end|><|start|>assistant<|channel|>commentary"
    "<|message|>I look.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather "
    '<|constrain|>json<|message|>{"city":"Oslo"}'
)


@given(st.integers(1, 40))
def test_channels_are_thoughts_texts_and_calls_however_they_are_cut(size: int) -> None:
    pieces = [CHANNELS[at : at + size] for at in range(0, len(CHANNELS), size)]
    message = answer(*pieces, channels=True)
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "text", "tool_call"]
    assert message.content_blocks[0]["reasoning"] == "Weather? Call it."
    assert message.text == "I look."
    assert message.tool_calls[0]["args"] == {"city": "Oslo"}
    assert message.response_metadata["finish_reason"] == "tool_calls"


def test_the_final_channel_is_the_text() -> None:
    said = (
        "<|channel|>analysis<|message|>2 + 2.<|end|>",
        "<|start|>assistant<|channel|>final<|message|>It is <4>.<|return|>",
    )
    message = answer(*said, channels=True)
    assert message.text == "It is <4>."
    assert message.content_blocks[0]["reasoning"] == "2 + 2."


def test_a_recipient_may_stand_before_the_channel() -> None:
    said = (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant to=functions.ping<|channel|>"
        "commentary json<|message|>{}<|call|>"
    )
    assert [call["name"] for call in answer(said, channels=True).tool_calls] == ["ping"]


def test_a_call_that_a_channel_cuts_off_is_none() -> None:
    message = answer(CHANNELS[:-4], channels=True, reason="length")
    assert message.tool_calls == []
    assert [call["name"] for call in message.invalid_tool_calls] == ["get_weather"]
