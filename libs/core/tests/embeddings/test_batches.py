from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headrace.embeddings.batches import batches, estimate

TEXTS = st.lists(st.text(min_size=1, max_size=60), max_size=40)


@given(TEXTS, st.integers(1, 9), st.none() | st.integers(1, 40))
def test_all_texts_are_there_once_in_order_and_each_request_is_within_its_bounds(
    texts: list[str], size: int, tokens: int | None
) -> None:
    cut = batches(texts, size, tokens)
    assert [text for batch in cut for text in batch] == texts
    for batch in cut:
        assert 1 <= len(batch) <= size
        weight = sum(estimate(text) for text in batch)
        assert tokens is None or weight <= tokens or len(batch) == 1


@given(TEXTS, st.integers(1, 9), st.integers(1, 40))
def test_a_request_ends_only_where_the_next_text_would_not_fit(
    texts: list[str], size: int, tokens: int
) -> None:
    cut = batches(texts, size, tokens)
    for batch, after in pairwise(cut):
        weight = sum(estimate(text) for text in (*batch, after[0]))
        assert len(batch) == size or weight > tokens


def test_the_estimate_is_rather_too_high() -> None:
    assert estimate("word " * 100) >= 100
    assert estimate("\u6587\u5b57" * 50) == 100
