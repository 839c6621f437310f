"""OpenAIEmbeddings: vectors from OpenAI and from every compatible service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from headrace.embeddings import EmbeddingExchange, EmbeddingResult, EmbeddingSettings, RawEmbeddings
from headrace.transport import request_id_of
from headrace_openai.account import OpenAIAccount, also
from headrace_openai.exchange import Placed
from headrace_openai.vectors import decode_vectors, encode_texts


class EmbeddingsExchange(Placed, EmbeddingExchange):
    """The embeddings path of the place."""

    path = "/embeddings"

    def encode(self, texts: list[str], settings: EmbeddingSettings) -> dict[str, Any]:
        return self._deployed(encode_texts(texts, settings, self._place.dialect))

    def decode(self, body: Any, headers: Mapping[str, str]) -> EmbeddingResult:
        id = request_id_of(headers)
        return decode_vectors(body, provider=self._place.dialect.id, request_id=id)


class OpenAIEmbeddings(OpenAIAccount, RawEmbeddings):
    """An embedding model of OpenAI, or of a service that speaks like it; see ChatOpenAI.

    Ranges: https://developers.openai.com/api/reference/resources/embeddings (read 2026-11)
    """

    plumbing: ClassVar[frozenset[str]] = OpenAIAccount.plumbing | RawEmbeddings.plumbing

    batch_size: int | None = Field(
        default=None, ge=1, description="Most texts in one request; the model's own bound holds.",
        validation_alias=also("batch_size", "chunk_size"),
    )  # fmt: skip
    user: str | None = Field(default=None, description="Your end user.")

    def _exchange(self) -> EmbeddingsExchange:
        return EmbeddingsExchange(self, self._place())
