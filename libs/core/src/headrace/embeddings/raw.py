"""RawEmbeddings: an embedding model over an SDK's unread response."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headrace.chat_models.wire import parse
from headrace.embeddings.model import Embeddings
from headrace.embeddings.result import EmbeddingResult, EmbeddingSettings
from headrace.transport import Door, Gate, RawModel

if TYPE_CHECKING:
    from headrace.engine.run import Run


class EmbeddingExchange(Door):
    """One request for vectors to one service, and its codec."""

    @abstractmethod
    def encode(self, texts: list[str], settings: EmbeddingSettings) -> dict[str, Any]:
        """The body of the request."""

    @abstractmethod
    def decode(self, body: Any, headers: Mapping[str, str]) -> EmbeddingResult:
        """The vectors in the parsed JSON of a response, in the order of the texts."""


class RawEmbeddings(RawModel, Embeddings, abstract=True):
    """An embedding model whose partner writes `_exchange`, and `_warm` for an SDK slow to load."""

    def _exchange(self) -> EmbeddingExchange:
        raise NotImplementedError

    async def _embed(
        self, texts: list[str], settings: EmbeddingSettings, run: Run
    ) -> EmbeddingResult:
        exchange, watch = self._exchange(), settings.watch
        body = exchange.encode(texts, settings)
        with Gate(exchange, watch) as gate:
            data, headers = await self._read(exchange, body, gate, watch, run)
            result = exchange.decode(parse(data), headers)
        return result
