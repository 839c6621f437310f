"""Embeddings: the specification of an embedding model, and what a partner writes to make one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from headrace.chat_models import Specification
from headrace.embeddings.asking import embed
from headrace.embeddings.result import EmbeddingResult, EmbeddingSettings, Purpose, Vector
from headrace.engine.drive import drive
from headrace.engine.run import open_run
from headrace.engine.worlds import async_world, sync_world

if TYPE_CHECKING:
    from headrace.engine.run import Run, RunnableConfig


class Embeddings(Specification):
    """A model that makes vectors of texts: frozen parameters, like those of a chat model.

    A partner writes `async _embed(texts, settings, run)`, one request; all waiting goes through
    `run.io`. Batches, retries, timeouts and events are not its business.
    """

    kind: ClassVar[str] = "embedding_model"
    most_texts: ClassVar[int] = 256  # in a request, where the profile does not say
    plumbing: ClassVar[frozenset[str]] = Specification.plumbing | {"batch_size"}

    dimensions: int | None = Field(
        default=None, ge=1, description="Numbers in a vector, where the model can make fewer."
    )
    batch_size: int | None = Field(
        default=None, ge=1, description="Most texts in one request; the model's own bound holds."
    )

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if not kwargs.get("abstract") and cls._embed is Embeddings._embed:
            raise TypeError(
                f"class {cls.__name__} has no `async def _embed(self, texts, settings, run)`; "
                "write one"
            )

    async def _embed(
        self, texts: list[str], settings: EmbeddingSettings, run: Run
    ) -> EmbeddingResult:
        """The vectors of the texts of one request, in order; its usage and who answered."""
        raise NotImplementedError

    # What every embedding model offers.

    def embed(
        self,
        texts: Iterable[str],
        config: RunnableConfig | None = None,
        *,
        purpose: Purpose = "document",
    ) -> EmbeddingResult:
        """The vectors of texts, in order, and what they cost.

        They are sent in batches, at most `max_concurrency` (32) at once; the first error ends
        the rest and is raised.
        """
        run = open_run(sync_world(), config)
        return drive(embed(self, texts, purpose, run))

    async def aembed(
        self,
        texts: Iterable[str],
        config: RunnableConfig | None = None,
        *,
        purpose: Purpose = "document",
    ) -> EmbeddingResult:
        """As `embed`, awaited."""
        return await embed(self, texts, purpose, open_run(async_world(), config))

    def embed_documents(
        self, texts: Iterable[str], config: RunnableConfig | None = None
    ) -> list[Vector]:
        """A vector for each text: for what is searched."""
        return self.embed(texts, config).vectors

    async def aembed_documents(
        self, texts: Iterable[str], config: RunnableConfig | None = None
    ) -> list[Vector]:
        """As `embed_documents`, awaited."""
        return (await self.aembed(texts, config)).vectors

    def embed_query(self, text: str, config: RunnableConfig | None = None) -> Vector:
        """The vector of one text: for what is searched for."""
        return self.embed([text], config, purpose="query").vectors[0]

    async def aembed_query(self, text: str, config: RunnableConfig | None = None) -> Vector:
        """As `embed_query`, awaited."""
        return (await self.aembed([text], config, purpose="query")).vectors[0]

    @property
    def params(self) -> Mapping[str, Any]:
        """What is set of the parameters that shape the vectors."""
        return {
            name: value
            for name, value in self.__dict__.items()
            if value is not None and name not in type(self).plumbing
        }

    def __enter__(self) -> Embeddings:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Embeddings:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
