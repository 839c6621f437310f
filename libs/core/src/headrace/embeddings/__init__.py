"""Embedding models: texts in, vectors and usage out."""

from headrace.embeddings.model import Embeddings
from headrace.embeddings.raw import EmbeddingExchange, RawEmbeddings
from headrace.embeddings.result import EmbeddingResult, EmbeddingSettings, Purpose

__all__ = [
    "EmbeddingExchange",
    "EmbeddingResult",
    "EmbeddingSettings",
    "Embeddings",
    "Purpose",
    "RawEmbeddings",
]
