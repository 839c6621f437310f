"""Embedding models: texts in, vectors and usage out."""

from typing import TYPE_CHECKING, Any

from headrace.embeddings.model import Embeddings
from headrace.embeddings.raw import EmbeddingExchange, RawEmbeddings
from headrace.embeddings.result import EmbeddingResult, EmbeddingSettings, Purpose
from headrace.engine.hooks import provide_lazily, reach

if TYPE_CHECKING:
    from headrace.init import init_embeddings  # upward: it stands here by name

__all__ = [
    "EmbeddingExchange",
    "EmbeddingResult",
    "EmbeddingSettings",
    "Embeddings",
    "Purpose",
    "RawEmbeddings",
    "init_embeddings",
]

provide_lazily("init_embeddings", "headrace.init")


def __getattr__(name: str) -> Any:
    """`init_embeddings` stands above this package: it is imported when first asked for."""
    if name == "init_embeddings":
        return reach("init_embeddings")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
