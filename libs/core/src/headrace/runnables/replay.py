"""The input of a step that may be tried again, or by another step, before its first chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.engine.drive import Once

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator


class Replay:
    """Chunks that `read()` gives from the first one again, until `settle()`.

    `failed` says that the input itself raised: nobody who reads it can do better.
    """

    __slots__ = ("_chunks", "_kept", "failed")

    def __init__(self, chunks: AsyncIterator[Any]) -> None:
        self._chunks = chunks
        self._kept: list[Any] | None = []
        self.failed = False

    def read(self) -> AsyncIterator[Any]:
        if isinstance(self._chunks, Once):
            return Once(self._chunks.value)
        return self._again()

    def settle(self) -> None:
        """Says that nobody will read from the first chunk again; it need not be kept."""
        self._kept = None

    async def _again(self) -> AsyncGenerator[Any, None]:
        for chunk in list(self._kept or ()):
            yield chunk
        try:
            async for chunk in self._chunks:
                if self._kept is not None:
                    self._kept.append(chunk)
                yield chunk
        except Exception:
            self.failed = True
            raise
