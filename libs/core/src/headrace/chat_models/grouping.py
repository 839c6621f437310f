"""Layers around which listeners see a run: those that may make several requests of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from headrace.chat_models.model import Layer, Model
from headrace.engine import observe
from headrace.engine.drive import Once, close

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.chat_models.settings import Call
    from headrace.engine.run import Run


class Grouping(Layer):
    """A layer with a run of its own, below which its requests and notes stand together."""

    __slots__ = ()
    word: ClassVar[str]  # what it is called after the name of the model

    async def _answer(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        """What `ask` gives."""
        raise NotImplementedError

    def _answer_stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        """What `stream` gives."""
        raise NotImplementedError

    async def ask(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        async def work(input: Any, run: Run) -> Any:
            return await self._answer(inner, input, call, run)

        if not run.observed:
            return await work(input, run)
        return await observe.value(run, self._name(inner), "chain", input, work)

    async def stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        def work(_: Any, run: Run) -> AsyncGenerator[Any, None]:
            return self._answer_stream(inner, input, call, run)

        if run.observed:
            items = observe.stream(run, self._name(inner), "chain", Once(input), work)
        else:
            items = work(input, run)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    def _name(self, inner: Model[Any]) -> str:
        return f"{inner.get_name()}.{self.word}"
