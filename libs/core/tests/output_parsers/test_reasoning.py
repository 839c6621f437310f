from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import InputError
from headrace.messages import AIMessage, AIMessageChunk
from headrace.output_parsers import ReasoningSplitter
from headrace.output_parsers.reasoning import TagSplitter
from headrace.testing import ScriptedChatModel

SPLIT = ReasoningSplitter()


def parts(message: AIMessage) -> tuple[str, str]:
    """The text, and the reasoning, run together."""
    blocks = message.content_blocks
    return message.text, "".join(b["reasoning"] for b in blocks if b["type"] == "reasoning")


@pytest.mark.parametrize(
    ("text", "said", "thought"),
    [
        ("<think>hm</think>yes", "yes", "hm"),
        ("<think>\n  hm \n</think>\n\n  yes  ", "\n\n  yes  ", "\n  hm \n"),
        ("think hard about it", "think hard about it", ""),
        ("a <b> </b> 1 < 2", "a <b> </b> 1 < 2", ""),
        ("<think>cut", "", "cut"),
        ("a<think>b</think>c<think>d</think>e", "ace", "bd"),
        ("<think></think>yes", "yes", ""),
        ("yes <thi", "yes <thi", ""),
        ("<think>a < b</thi", "", "a < b</thi"),
        ("def f():\n    return  1", "def f():\n    return  1", ""),
    ],
)
def test_tags_go_and_every_other_character_stays(
    world: Any, text: str, said: str, thought: str
) -> None:
    assert parts(world.invoke(SPLIT, AIMessage(text))) == (said, thought)
    for size in (1, 3):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        chunks = [*map(AIMessageChunk, pieces), AIMessageChunk("", chunk_position="last")]
        assert parts(sum(world.transform(SPLIT, chunks))) == (said, thought)


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "think", " ", "\n", "x"])), st.data())
def test_runs_do_not_depend_on_where_the_text_is_cut(
    pieces: list[str], data: st.DataObject
) -> None:
    text = "".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(text))))
    ends = [0, *sorted(cuts), len(text)]
    assert joined([text[a:b] for a, b in pairwise(ends)]) == joined([text])


def joined(pieces: list[str]) -> list[tuple[str, str]]:
    splitter = TagSplitter()
    found: list[tuple[str, str]] = []
    for kind, text in [r for piece in pieces for r in splitter.feed(piece)] + splitter.flush():
        if found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1] + text)
        else:
            found.append((kind, text))
    return found


def test_one_delta_of_text_is_text(world: Any) -> None:
    (chunk,) = world.transform(SPLIT, [AIMessageChunk("hi", chunk_position="last")])
    assert (chunk.content, chunk.chunk_position) == ("hi", "last")


def test_text_held_back_is_given_when_a_stream_just_ends(world: Any) -> None:
    assert parts(sum(world.transform(SPLIT, [AIMessageChunk("1 <")]))) == ("1 <", "")


def test_other_tags_and_a_text_that_begins_inside(world: Any) -> None:
    both = ReasoningSplitter("thought", "think")
    assert parts(world.invoke(both, AIMessage("<thought>a</thought>b"))) == ("b", "a")
    inside = ReasoningSplitter(inside=True)
    assert parts(world.invoke(inside, AIMessage("a</think>b"))) == ("b", "a")
    for tag in ("", ["think"]):
        with pytest.raises(InputError, match="are names, such as"):
            ReasoningSplitter(tag)  # type: ignore[arg-type]  # a list of tags is none


def test_blocks_calls_and_metadata_stay(world: Any) -> None:
    image = {"type": "image", "url": "https://x/y.png"}
    call = {"name": "f", "args": {}, "id": "1"}
    message = AIMessage(["<think>a</think>", image], tool_calls=[call], id="m")
    found = world.invoke(SPLIT, message)
    assert [b["type"] for b in found.content_blocks] == ["reasoning", "image", "tool_call"]
    assert (found.id, message.content[0]) == ("m", "<think>a</think>")


def test_a_model_with_reasoning_tags_gives_reasoning_blocks(world: Any) -> None:
    model = ScriptedChatModel(["<seed>hm</seed>yes"] * 2, profile={"thinking_tags": ["seed"]})
    split = model.with_reasoning_tags()
    assert parts(world.invoke(split, "hi")) == ("yes", "hm")
    assert parts(sum(world.stream(split, "hi"))) == ("yes", "hm")


def test_a_schema_reads_past_the_reasoning(world: Any) -> None:
    model = ScriptedChatModel(['<think>{no}</think>{"value": 3}']).with_reasoning_tags()
    assert world.invoke(model.with_structured_output(int), "hi") == 3
