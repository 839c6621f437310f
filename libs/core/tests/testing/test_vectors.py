from __future__ import annotations

import math

import pytest

from headrace import init_embeddings
from headrace.errors import ConfigurationError, UnsupportedParameterError
from headrace.registry import Provider
from headrace.testing import OfflineEmbeddings


def near(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def test_texts_that_share_words_are_nearer_than_others() -> None:
    model = init_embeddings("offline:words")
    rain, sun, query = model.embed_documents(
        ["Rain falls on the river.", "The stock market closed higher.", "river rain"]
    )
    assert near(rain, query) > 2 * near(sun, query)


def test_vectors_are_the_same_everywhere_and_of_length_one() -> None:
    (vector,) = OfflineEmbeddings(dimensions=8).embed_documents(["same"])
    assert [round(number, 4) for number in vector] == [
        0.0,
        0.2357,
        0.0,
        0.2357,
        0.0,
        0.9428,
        0.0,
        0.0,
    ]
    assert math.isclose(sum(number * number for number in vector), 1)


def test_its_lengths_are_facts_of_its_profile() -> None:
    model = OfflineEmbeddings()
    assert len(model.embed_query("a")) == model.profile["embedding_dimensions"]
    assert len(OfflineEmbeddings(dimensions=5).embed_query("a")) == 5
    with pytest.raises(UnsupportedParameterError, match="1 to 4096"):
        OfflineEmbeddings(dimensions=5000).embed_query("a")


def test_a_text_without_words_is_a_vector_of_zeros() -> None:
    assert set(OfflineEmbeddings().embed_query("?!")) == {0.0}


def test_a_provider_without_embedding_models_says_who_has_some() -> None:
    with pytest.raises(ConfigurationError, match=r"`none` has no embedding models.*`offline`"):
        Provider("none", "headrace.testing.offline:OfflineChatModel").make_embeddings(model="m")
