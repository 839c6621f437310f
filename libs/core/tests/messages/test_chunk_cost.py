"""What sums cost: steps are counted, never timed."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from headrace.messages import AIMessageChunk, sum_chunks
from headrace.messages.joining import Fold

Chunk = AIMessageChunk
MAKERS: dict[str, Callable[[int], AIMessageChunk]] = {
    "text": lambda n: Chunk("ab"),
    "arguments": lambda n: Chunk(tool_call_chunks=[{"args": "ab", "index": 0}]),
    "blocks": lambda n: Chunk([{"type": "image", "url": f"http://x/{n}"}]),
    "indexed": lambda n: Chunk([{"type": "text", "text": "ab", "index": n % 3}]),
}


class Steps:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        feed = Fold.feed

        def counted(fold: Fold, chunk: Any) -> None:
            self.count += 1
            feed(fold, chunk)

        monkeypatch.setattr(Fold, "feed", counted)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


def left_nested(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    return total


def right_nested(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    total = chunks[-1]
    for chunk in reversed(chunks[:-1]):
        total = chunk + total
    return total


def balanced(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    while len(chunks) > 1:
        pairs = [a + b for a, b in zip(chunks[::2], chunks[1::2], strict=False)]
        chunks = pairs + chunks[len(chunks) - len(chunks) % 2 :]
    return chunks[0]


NESTINGS = [left_nested, right_nested, balanced]


@pytest.mark.parametrize("nest", NESTINGS)
@pytest.mark.parametrize("kind", MAKERS)
def test_folding_takes_about_one_step_a_chunk(nest: Any, kind: str, steps: Steps) -> None:
    size = 20_000
    total = nest([MAKERS[kind](n) for n in range(size)])
    assert total.content is not None
    assert size <= steps.count <= 1.05 * size


@pytest.mark.parametrize("nest", NESTINGS)
def test_a_hundred_thousand_chunks_fold_in_linear_steps(nest: Any, steps: Steps) -> None:
    total = nest([Chunk("ab")] * 100_000)
    assert len(total.text) == 200_000
    assert steps.count <= 105_000


@pytest.mark.parametrize("kind", MAKERS)
def test_reading_each_total_costs_one_step_more(kind: str, steps: Steps) -> None:
    size = 500
    total = Chunk("")
    for n in range(size):
        total = total + MAKERS[kind](n)
        assert total.content is not None
    assert steps.count <= 2 * size


def test_reading_now_and_then_costs_what_is_new(steps: Steps) -> None:
    total = Chunk("")
    for n in range(20_000):
        total = total + Chunk("a")
        if n % 1000 == 0:
            assert len(total.text) == n + 1
    assert len(total.text) == 20_000
    assert steps.count <= 22_000


def test_a_second_read_costs_nothing(steps: Steps) -> None:
    total = Chunk("a") + Chunk("b")
    assert total.text == "ab"
    before = steps.count
    assert (total.content, total.id, total.tool_calls) == ("ab", None, [])
    assert steps.count == before


def test_reading_calls_on_the_way_costs_one_step_more(steps: Steps) -> None:
    total = Chunk("")
    for _ in range(500):
        total = total + Chunk([{"type": "image", "url": "u"}])
        assert total.tool_calls == []
    assert steps.count <= 1001


def test_totals_read_between_loose_chunks_are_not_folded_again(steps: Steps) -> None:
    read = Chunk("a") + Chunk("b")
    assert read.text == "ab"
    before = steps.count
    total = Chunk("")
    for _ in range(1000):
        total = total + read + Chunk("c")
    assert total.text == "abc" * 1000
    assert steps.count - before <= 4010


def test_adding_does_not_fold(steps: Steps) -> None:
    total = left_nested([Chunk("a")] * 100)
    assert steps.count == 0
    assert total.text == "a" * 100


def count_chunks() -> int:
    return sum(1 for found in gc.get_objects() if found.__class__ is AIMessageChunk)


@pytest.mark.parametrize("nest", [left_nested, right_nested])
def test_the_collector_finds_few_chunks_under_a_long_unread_total(nest: Any) -> None:
    gc.collect()
    before = count_chunks()
    total = nest([Chunk("a") for _ in range(20_000)])
    assert count_chunks() - before < 1000
    assert len(total.text) == 20_000


@pytest.mark.parametrize("nest", NESTINGS)
def test_a_deep_total_is_freed_without_recursion(nest: Any) -> None:
    freed: list[bool] = []

    def run() -> None:
        total = nest([Chunk("a") for _ in range(100_000)])
        del total
        freed.append(True)

    previous = threading.stack_size(256 * 1024)  # a recursion would crash here
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(previous)
    assert freed == [True]


def test_a_chain_held_link_by_link_is_freed_without_recursion() -> None:
    links = [Chunk("a")]
    for _ in range(200_000):
        links.append(links[-1] + Chunk("a"))
    last = links[-1]
    del links
    assert len(last.text) == 200_001


class Payload(dict[str, Any]):
    """A dict that can be watched."""


def test_an_old_total_does_not_hold_what_was_added_later() -> None:
    payload = Payload(type="image", url="u")
    chunk = Chunk("later")
    chunk.additional_kwargs["held"] = payload
    watched = weakref.ref(payload)
    old = Chunk("a") + Chunk("b")
    new = old + chunk
    assert new.text == "ablater"
    del payload, chunk, new
    gc.collect()
    assert watched() is None
    assert old.text == "ab"


def test_a_read_total_does_not_hold_its_chunks() -> None:
    payload = Payload(type="image", url="u")
    chunk = Chunk("a")
    chunk.response_metadata["logprobs"] = payload
    watched = weakref.ref(payload)
    total = chunk + Chunk("b", response_metadata={"logprobs": None})
    assert total.text == "ab"
    total.response_metadata.clear()
    del payload, chunk
    assert (total + Chunk("c")).response_metadata == {}
    gc.collect()
    assert watched() is None


def test_sum_chunks_folds_each_chunk_once(steps: Steps) -> None:
    assert sum_chunks([Chunk("a")] * 1000).text == "a" * 1000
    assert steps.count == 1000
