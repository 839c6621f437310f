"""`with_reasoning_tags`: reasoning that a model writes in tags, as reasoning blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.chat_models.model import Layer, Model
from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.output_parsers.reasoning import ReasoningSplitter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.chat_models.settings import Call
    from headrace.engine.run import Run


class SplitReasoning(Layer):
    """Splits what comes out of the model inside; chunks go on as they come."""

    __slots__ = ("splitter",)

    def __init__(self, tags: tuple[str, ...], inside: bool) -> None:
        self.splitter = ReasoningSplitter(*tags, inside=inside)

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        return self.splitter.split(await inner._ask(input, call, run))

    async def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        chunks = inner._ask_stream(input, call, run)
        items = self.splitter._transform(chunks, run)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)
            await close(chunks)

    def __repr__(self) -> str:
        return f"with_reasoning_tags({', '.join(map(repr, self.splitter.tags))})"


provide("reasoning_layer", SplitReasoning)
