from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    message_chunk_to_message,
    tool_call,
)

Chunk = AIMessageChunk


def piece(**fields: Any) -> AIMessageChunk:
    return Chunk(tool_call_chunks=[fields])


def test_chunks_add_up_by_plus_sum_and_list() -> None:
    a, b, c = Chunk("a"), Chunk("b"), Chunk("c")
    assert (a + b + c).text == sum([a, b, c]).text == (a + [b, c]).text == "abc"  # noqa: RUF005


def test_totals_add_to_totals() -> None:
    assert ((Chunk("a") + Chunk("b")) + (Chunk("c") + Chunk("d"))).text == "abcd"


@pytest.mark.parametrize("other", ["text", 1, None, HumanMessage("x"), ["x"]])
def test_adding_anything_else_is_a_type_error(other: Any) -> None:
    with pytest.raises(TypeError):
        Chunk("a") + other


def test_only_the_zero_of_sum_adds_from_the_left() -> None:
    with pytest.raises(TypeError):
        1 + Chunk("a")


def test_a_chunk_is_an_ai_message_of_its_own_type() -> None:
    assert isinstance(Chunk("a"), AIMessage)
    assert Chunk("a").type == "AIMessageChunk"


def test_chunks_compare_by_value_and_cannot_be_hashed() -> None:
    assert Chunk("a") + Chunk("b") == Chunk("ab") != Chunk("a")
    assert Chunk("a") != AIMessage("a")
    with pytest.raises(TypeError):
        hash(Chunk("a"))


def test_repr_of_a_total_is_a_constructor_call() -> None:
    total = Chunk("a", id="1") + Chunk([{"type": "image", "url": "u"}], chunk_position="last")
    assert eval(repr(total)) == total
    assert repr(Chunk("a") + Chunk("b")) == "AIMessageChunk('ab')"


def test_a_total_pickles_and_copies_folded() -> None:
    total = Chunk("a", usage_metadata={"input_tokens": 1}) + Chunk("b", usage_kind="snapshot")
    for twin in (pickle.loads(pickle.dumps(total)), copy.copy(total), copy.deepcopy(total)):
        assert twin == total
        assert (twin + Chunk("c")).text == "abc"
    assert len(pickle.dumps(sum([Chunk("a")] * 2000))) < 3000


def test_an_old_total_may_be_added_to_again() -> None:
    base = Chunk("a") + Chunk("b")
    left, right = base + Chunk("c"), base + Chunk("d")
    assert (left.text, right.text, base.text) == ("abc", "abd", "ab")
    assert ((left + Chunk("e")).text, (base + Chunk("f")).text) == ("abce", "abf")


def test_a_field_assigned_to_a_total_shows_in_later_sums() -> None:
    total = Chunk("a") + Chunk("b", response_metadata={"x": 1})
    total.id = "mine"
    total.content = "changed"
    total.response_metadata["y"] = 2
    later = total + Chunk("!")
    assert (later.id, later.text, later.response_metadata) == ("mine", "changed!", {"x": 1, "y": 2})


def test_every_field_of_an_unread_total_may_be_assigned() -> None:
    total = Chunk("a", usage_metadata={"input_tokens": 1}) + Chunk("b")
    total.usage_kind = "snapshot"
    total.additional_kwargs = {"k": 1}
    total.chunk_position = "last"
    total.tool_call_chunks = []
    total.tool_calls = [tool_call(name="f", args={})]
    total.invalid_tool_calls = []
    assert total.tool_calls == [tool_call(name="f", args={})]
    later = total + Chunk("c")
    assert (later.text, later.usage_kind, later.chunk_position) == ("abc", "snapshot", "last")
    assert later.additional_kwargs == {"k": 1}


def test_a_chunk_of_a_subclass_adds_as_a_chunk() -> None:
    class Mine(AIMessageChunk):
        pass

    assert (Chunk("a") + Mine("b")) == (Mine("a") + Chunk("b")) == Chunk("ab")


def test_a_block_appended_to_a_read_total_shows_in_later_sums() -> None:
    image = {"type": "image", "url": "u"}
    total = Chunk([image]) + Chunk([image])
    total.content.append(image)  # type: ignore[union-attr]  # a list here
    assert len((total + Chunk([image])).content) == 4


def test_metadata_made_by_reading_a_chunk_stays_with_it() -> None:
    chunk = Chunk("a")
    chunk.response_metadata["k"] = 1
    chunk.additional_kwargs["l"] = 2
    assert (chunk + Chunk("b")).response_metadata == {"k": 1}
    assert (chunk + Chunk("b")).additional_kwargs == {"l": 2}


def test_a_constructor_does_not_keep_the_callers_dicts() -> None:
    meta = {"k": 1}
    chunk = Chunk("a", response_metadata=meta)
    chunk.response_metadata["k"] = 2
    assert meta == {"k": 1}


@pytest.mark.parametrize(
    "fields", [{"chunk_position": "first"}, {"usage_kind": "total"}, {"content": 3}]
)
def test_a_wrong_word_is_an_input_error(fields: Any) -> None:
    with pytest.raises(InputError, match="not"):
        Chunk(**fields)


def test_an_unfinished_call_is_in_neither_list() -> None:
    total = piece(name="f", id="1", index=0, args='{"a":') + piece(args=" 1", index=0)
    assert (total.tool_calls, total.invalid_tool_calls) == ([], [])
    assert total.content_blocks == total.tool_call_chunks
    assert total.tool_call_chunks == [
        {"type": "tool_call_chunk", "name": "f", "args": '{"a": 1', "id": "1", "index": 0}
    ]


def test_a_complete_call_shows_before_the_end() -> None:
    total = piece(name="f", id="1", index=0, args='{"a":') + piece(args=" 1}", index=0)
    assert total.tool_calls == [{"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "1"}]


def test_at_the_end_no_arguments_mean_an_empty_dict() -> None:
    total = piece(name="f", id="1", index=0)
    assert total.tool_calls == []
    assert (total + Chunk(chunk_position="last")).tool_calls[0]["args"] == {}


@pytest.mark.parametrize(
    "args", ['{"path": "/etc', "{", "[1]", '"x"', "null", "{'a': 1}", '{"a": NaN}']
)
def test_at_the_end_broken_arguments_make_an_invalid_call(args: str) -> None:
    total = piece(name="f", id="1", index=0, args=args) + Chunk(chunk_position="last")
    assert total.tool_calls == []
    (bad,) = total.invalid_tool_calls
    assert (bad["args"], bad["id"], bad["name"]) == (args, "1", "f")
    assert "JSON" in (bad["error"] or "")
    assert total.content_blocks == [bad]


def test_a_call_cut_at_the_token_limit_says_so() -> None:
    end = Chunk(chunk_position="last", response_metadata={"finish_reason": "length"})
    (bad,) = (piece(name="f", id="1", index=0, args='{"a') + end).invalid_tool_calls
    assert "finish_reason `length`" in (bad["error"] or "")


def test_a_call_without_a_name_is_invalid() -> None:
    (bad,) = (piece(id="1", index=0, args="{}") + Chunk(chunk_position="last")).invalid_tool_calls
    assert "no name" in (bad["error"] or "")


def test_extras_of_a_call_survive() -> None:
    total = piece(name="f", id="1", index=0, args="{}", extras={"signature": "s"}) + Chunk("")
    assert total.tool_calls[0]["extras"] == {"signature": "s"}
    answer = message_chunk_to_message(total)
    assert isinstance(answer, AIMessage)
    assert answer.tool_calls[0]["extras"] == {"signature": "s"}


def test_a_complete_call_in_the_content_counts() -> None:
    call = {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "1"}
    assert (Chunk("say") + Chunk([call])).tool_calls == [call]


def test_calls_keep_their_place_between_texts() -> None:
    part = {"type": "tool_call_chunk", "name": "f", "args": "{", "id": "1", "index": 1}
    total = Chunk("before") + Chunk([part]) + Chunk([{**part, "args": "}"}]) + Chunk("after")
    assert [block["type"] for block in total.content_blocks] == ["text", "tool_call_chunk", "text"]
    answer = message_chunk_to_message(total)
    assert [block["type"] for block in answer.content_blocks] == ["text", "tool_call", "text"]


def test_a_finished_total_becomes_the_message_of_invoke() -> None:
    usage: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    total = (
        Chunk("Hel", id="m1", name="bot")
        + Chunk("lo", response_metadata={"finish_reason": "stop"})
        + piece(name="f", id="1", index=0, args="{}")
        + Chunk(usage_metadata=usage, chunk_position="last")
    )
    assert message_chunk_to_message(total) == AIMessage(
        "Hello",
        tool_calls=[{"name": "f", "args": {}, "id": "1"}],
        usage_metadata=usage,
        response_metadata={"finish_reason": "stop"},
        id="m1",
        name="bot",
    )


def test_places_in_the_stream_are_not_part_of_the_message() -> None:
    parts = [
        {"type": "reasoning", "reasoning": "hm", "index": 0},
        {"type": "text", "text": "a", "index": 1},
    ]
    total = Chunk(parts) + Chunk([{"type": "text", "text": "b", "index": 1}])
    assert message_chunk_to_message(total).content == [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "text", "text": "ab"},
    ]
    assert (
        message_chunk_to_message(Chunk([{"type": "text", "text": "a", "index": 0}])).content == "a"
    )


def test_a_stream_broken_off_makes_invalid_calls_of_cut_ones() -> None:
    answer = message_chunk_to_message(piece(name="f", id="1", index=0, args='{"a'))
    assert isinstance(answer, AIMessage)
    assert "ended early" in (answer.invalid_tool_calls[0]["error"] or "")


def test_another_message_passes_through_the_conversion() -> None:
    message = HumanMessage("x")
    assert message_chunk_to_message(message) is message


def test_a_dump_with_a_piece_in_content_and_list_is_not_doubled() -> None:
    part = {"type": "tool_call_chunk", "name": "f", "args": "{}", "id": "1", "index": 0}
    total = Chunk([part]) + Chunk("x")
    again = AIMessageChunk.model_validate(total.model_dump())
    assert again == total
    assert len((again + Chunk("y")).tool_call_chunks) == 1


def test_many_threads_may_add_to_and_read_one_total() -> None:
    base = sum([Chunk("a")] * 50)
    totals = [base]
    for _ in range(300):
        totals.append(totals[-1] + Chunk("b"))

    def work(seed: int) -> bool:
        order = totals[seed:] + totals[:seed]
        texts = [(t + Chunk("!")).text for t in order]
        return sorted(map(len, texts)) == list(range(51, 352)) and all(
            t.text == "a" * 50 + "b" * (len(t.text) - 50) for t in order
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(0, 300, 7)))
