"""An embedding model that needs no key and no network: `offline:words`. Deterministic.

It hashes words and pieces of words into a vector of length 1, so that texts which share words
are near each other. It understands nothing.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from math import sqrt
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from headrace.embeddings import EmbeddingResult, Embeddings, EmbeddingSettings
from headrace.embeddings.batches import estimate
from headrace.profiles import ModelProfile

if TYPE_CHECKING:
    from headrace.engine.run import Run

LENGTH = 256
FACTS: dict[str, Any] = {
    "name": "Offline embeddings",
    "text_inputs": True,
    "text_outputs": False,
    "max_input_tokens": 128_000,
    "embedding_dimensions": LENGTH,
    "max_batch_size": 100,
    "parameters": {"dimensions": {"minimum": 1, "maximum": 4096}},
}
_WORD = re.compile(r"\w+")
_PIECE = 3  # letters of a piece of a word
_PIECE_WEIGHT = 0.25


class OfflineEmbeddings(Embeddings):
    """Makes vectors by rule, without a provider; usage is estimated."""

    provider: ClassVar[str] = "offline"
    model: str = Field(default="words", description="Any name.")

    def _known_facts(self) -> ModelProfile:
        sources = dict.fromkeys(FACTS, "offline")
        return ModelProfile(FACTS, sources, provider=self.provider, model=self.model)

    async def _embed(
        self, texts: list[str], settings: EmbeddingSettings, run: Run
    ) -> EmbeddingResult:
        length = settings.params.get("dimensions", LENGTH)
        tokens = sum(estimate(text) for text in texts)
        return EmbeddingResult(
            [vector_of(text, length) for text in texts],
            {"input_tokens": tokens, "output_tokens": 0, "total_tokens": tokens},
            {"model_provider": self.provider, "model_name": self.model},
        )


def vector_of(text: str, length: int) -> list[float]:
    """A vector of length 1 (all zeros for a text without words): the same on every machine."""
    numbers = [0.0] * length
    for word in _WORD.findall(text.casefold()):
        _add(numbers, word, 1.0)
        for at in range(len(word) - _PIECE + 1):
            _add(numbers, f"~{word[at : at + _PIECE]}", _PIECE_WEIGHT)
    size = sqrt(sum(number * number for number in numbers))
    return [number / size for number in numbers] if size else numbers


def _add(numbers: list[float], word: str, weight: float) -> None:
    digest = blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    numbers[int.from_bytes(digest) % len(numbers)] += weight
