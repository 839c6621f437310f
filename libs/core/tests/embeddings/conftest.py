"""An embedding model that does what a test says, and the doors in both worlds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Lock
from typing import Any, ClassVar

import pytest
from pydantic import PrivateAttr

from headrace.embeddings import EmbeddingResult, Embeddings


class Recorded(Embeddings):
    """The vector of a text is [its number]; `fails` is asked before each request."""

    provider: ClassVar[str] = "recorded"
    model: str = "numbers"
    flavour: str | None = None
    _calls: list[Any] = PrivateAttr(default_factory=list)
    _fails: Any = PrivateAttr(default=None)
    _working: int = PrivateAttr(default=0)
    _most: int = PrivateAttr(default=0)
    _lock: Any = PrivateAttr(default_factory=Lock)

    async def _embed(self, texts: list[str], settings: Any, run: Any) -> EmbeddingResult:
        with self._lock:
            self._calls.append((list(texts), dict(settings.params), settings.purpose))
            self._working += 1
            self._most = max(self._most, self._working)
        await run.io.sleep(0.002)
        with self._lock:
            self._working -= 1
        if self._fails is not None and (error := self._fails(texts)):
            raise error
        length = settings.params.get("dimensions", 1)
        return EmbeddingResult(
            [[float(text)] * length for text in texts],
            {"input_tokens": len(texts), "output_tokens": 0, "total_tokens": len(texts)},
            {"model_name": self.model, "request_ids": [texts[0]]},
        )


@pytest.fixture
def make() -> Callable[..., Recorded]:
    def made(fails: Any = None, **params: Any) -> Recorded:
        model = Recorded(**{"profile": {"embedding_dimensions": 1}, **params})
        if fails is not None:
            model._fails = fails
        return model

    return made


@pytest.fixture
def embed(world: Any) -> Callable[..., EmbeddingResult]:
    """`embed(model, texts, …)` by the sync or the async door."""

    def asked(model: Embeddings, texts: Any, *more: Any, **options: Any) -> EmbeddingResult:
        if world.is_async:
            return asyncio.run(model.aembed(texts, *more, **options))
        return model.embed(texts, *more, **options)

    return asked


@pytest.fixture
def events() -> Any:
    """A listener to everything, with what it has `seen`."""

    class Everything:
        wants = frozenset({"started", "ended", "failed", "noted"})
        raise_errors = True

        def __init__(self) -> None:
            self.seen: list[Any] = []

        def handle(self, event: Any) -> None:
            self.seen.append(event)

    return Everything()
