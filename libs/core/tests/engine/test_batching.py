from __future__ import annotations

import threading

import pytest

from headrace.engine.batching import Batcher


def test_what_comes_while_a_batch_is_at_work_is_done_together() -> None:
    batches: list[list[int]] = []
    began, go = threading.Event(), threading.Event()

    def work(items: list[int]) -> None:
        began.set()
        go.wait()
        batches.append(items)

    batcher = Batcher(work)
    batcher.post(1)
    began.wait()
    for number in (2, 3):
        batcher.post(number)
    go.set()
    batcher.put(4)
    assert batches[0] == [1]
    assert [item for batch in batches for item in batch] == [1, 2, 3, 4]


def test_who_waits_gets_the_error_and_the_next_batch_is_done() -> None:
    seen: list[int] = []

    def work(items: list[int]) -> None:
        if 1 in items:
            raise ValueError("one")
        seen.extend(items)

    batcher = Batcher(work)
    with pytest.raises(ValueError, match="one"):
        batcher.put(1)
    batcher.put(2)
    assert seen == [2]
