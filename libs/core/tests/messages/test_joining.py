from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from headrace.messages import AIMessageChunk

Chunk = AIMessageChunk


def total(*contents: Any) -> AIMessageChunk:
    return sum((Chunk(content) for content in contents), Chunk())


def calls(*pieces: dict[str, Any]) -> list[Any]:
    found = sum((Chunk(tool_call_chunks=[piece]) for piece in pieces), Chunk())
    return [(call["id"], call["name"], call["args"]) for call in found.tool_call_chunks]


def test_text_and_plain_text_blocks_make_one_run() -> None:
    joined = total("a", [{"type": "text", "text": "b"}], ["c", "d"], "", "e")
    assert joined.content == "abcde"


def test_another_block_ends_a_run_of_text() -> None:
    image = {"type": "image", "url": "u"}
    assert total("a", [image], "b", "c").content == [
        {"type": "text", "text": "a"}, image, {"type": "text", "text": "bc"},
    ]  # fmt: skip


def test_reasoning_without_index_joins_the_run_it_touches() -> None:
    think = [{"type": "reasoning", "reasoning": "x"}]
    assert total(think, think, "a", think).content == [
        {"type": "reasoning", "reasoning": "xx"},
        {"type": "text", "text": "a"},
        {"type": "reasoning", "reasoning": "x"},
    ]


def test_reasoning_joins_by_index_and_keeps_its_signature() -> None:
    def think(text: str, **more: Any) -> list[Any]:
        return [{"type": "reasoning", "reasoning": text, "index": 0, **more}]

    assert total(think("a"), "x", think("b"), think("", extras={"signature": "s"})).content == [
        {"type": "reasoning", "index": 0, "reasoning": "ab", "extras": {"signature": "s"}},
        {"type": "text", "text": "x"},
    ]


def test_text_that_carries_more_stands_alone() -> None:
    cited = {"type": "text", "text": "b", "annotations": [{"type": "citation"}]}
    assert total("a", [cited], "c").content == [
        {"type": "text", "text": "a"}, cited, {"type": "text", "text": "c"},
    ]  # fmt: skip


def test_annotations_of_one_indexed_text_are_collected() -> None:
    def text(part: str, note: int) -> list[Any]:
        return [{"type": "text", "text": part, "index": 0, "annotations": [note]}]

    assert total(text("a", 1), text("b", 2)).content == [
        {"type": "text", "text": "ab", "index": 0, "annotations": [1, 2]}
    ]


def test_media_without_index_are_never_joined() -> None:
    image = {"type": "image", "base64": "AA==", "mime_type": "image/png"}
    assert total([image], [image]).content == [image, image]


def test_sound_with_an_index_is_joined_as_bytes() -> None:
    def sound(data: bytes) -> list[Any]:
        return [{"type": "audio", "base64": b64encode(data).decode(), "index": 0}]

    (block,) = total(sound(b"a"), sound(b"bcd"), sound(b"ef")).content
    assert block["base64"] == b64encode(b"abcdef").decode()


def test_sound_that_is_not_base64_is_joined_as_text() -> None:
    sound = {"type": "audio", "base64": "!", "index": 0}
    (block,) = total([sound], [sound]).content
    assert block["base64"] == "!!"


def test_for_other_fields_of_a_joined_block_the_last_wins() -> None:
    image = {"type": "image", "index": 0, "url": "a"}
    assert total([image], [{**image, "url": "b"}]).content == [{**image, "url": "b"}]


def test_a_piece_without_id_continues_the_call_at_its_index() -> None:
    assert calls(
        {"id": "x", "name": "f", "args": "{", "index": 0},
        {"id": "y", "name": "g", "args": "[", "index": 1},
        {"args": "}", "index": 0},
        {"args": "]", "index": 1},
    ) == [("x", "f", "{}"), ("y", "g", "[]")]


def test_a_new_id_at_a_used_index_is_another_call() -> None:
    assert calls(
        {"id": "x", "name": "f", "args": "1", "index": 0},
        {"id": "y", "name": "g", "args": "2", "index": 0},
        {"args": "3", "index": 0},
    ) == [("x", "f", "1"), ("y", "g", "23")]


def test_pieces_without_index_are_never_joined() -> None:
    piece = {"id": "x", "name": "f", "args": "{}"}
    assert calls(piece, piece) == [("x", "f", "{}")] * 2


def test_a_repeated_id_and_name_are_not_doubled() -> None:
    piece = {"id": "x", "name": "f", "args": "1", "index": 0}
    assert calls(piece, piece) == [("x", "f", "11")]


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_id_or_name_is_none_at_all(empty: str | None) -> None:
    assert calls(
        {"id": "x", "name": "f", "args": "1", "index": 0},
        {"id": empty, "name": empty, "args": "2", "index": 0},
    ) == [("x", "f", "12")]


def test_string_indexes_join_like_numbers() -> None:
    assert calls({"id": "x", "args": "1", "index": "a"}, {"args": "2", "index": "a"}) == [
        ("x", None, "12")
    ]


def summed(*usages: tuple[str, dict[str, Any]]) -> Any:
    chunks = [Chunk(usage_metadata=u, usage_kind=k) for k, u in usages]  # type: ignore[arg-type]  # plain words
    return sum(chunks, Chunk())


def test_usage_deltas_add_field_by_field() -> None:
    one = {"input_tokens": 1, "input_token_details": {"cache_read": 2}}
    two = {"input_tokens": 3, "output_tokens": 4, "input_token_details": {"audio": 5}}
    found = summed(("delta", one), ("delta", two))
    assert found.usage_kind == "delta"
    assert found.usage_metadata == {
        "input_tokens": 4,
        "output_tokens": 4,
        "input_token_details": {"cache_read": 2, "audio": 5},
    }


def test_a_usage_snapshot_replaces_the_fields_it_has() -> None:
    found = summed(
        ("delta", {"input_tokens": 10, "output_tokens": 1}),
        ("snapshot", {"output_tokens": 7}),
        ("snapshot", {"output_tokens": 9}),
    )
    assert found.usage_metadata == {"input_tokens": 10, "output_tokens": 9}
    assert found.usage_kind == "snapshot"


def test_usage_may_hold_none_and_fractions() -> None:
    found = summed(("delta", {"a": None, "b": 0.5}), ("delta", {"a": 1, "b": 0.25}))
    assert found.usage_metadata == {"a": 1, "b": 0.75}


def test_metadata_is_never_summed_or_concatenated() -> None:
    first = {"seed": 7, "reason": "stop", "on": True, "score": 0.5, "model": "m", "d": {"a": 1}}
    second = {"seed": 8, "reason": "stop", "on": False, "score": 0.75, "model": None, "d": {"b": 2}}
    found = Chunk("", response_metadata=first) + Chunk("", response_metadata=second)
    assert found.response_metadata == {**second, "model": "m"}


def test_logprobs_are_concatenated() -> None:
    chunks = [
        Chunk("", response_metadata={"logprobs": {"content": [n], "refusal": None}})
        for n in range(3)
    ]
    found = sum(chunks, Chunk())
    assert found.response_metadata["logprobs"] == {"content": [0, 1, 2], "refusal": None}
    more = found + chunks[0]
    assert more.response_metadata["logprobs"]["content"] == [0, 1, 2, 0]
    assert found.response_metadata["logprobs"]["content"] == [0, 1, 2]


def test_the_first_id_and_name_stay_and_any_last_ends() -> None:
    found = (
        Chunk("") + Chunk("", id="a", name="n", chunk_position="last") + Chunk("", id="b", name="m")
    )
    assert (found.id, found.name, found.chunk_position) == ("a", "n", "last")


def test_blocks_of_a_total_are_not_those_of_its_chunks() -> None:
    image = {"type": "image", "url": "u"}
    chunk = Chunk([image])
    joined: Any = (chunk + Chunk("")).content
    joined[0]["url"] = "other"
    assert chunk.content == [image] == [{"type": "image", "url": "u"}]
