"""StrOutputParser: a model's text as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.output_parsers.base import BaseOutputParser, Spoken, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run
    from headrace.messages import BaseMessage


class StrOutputParser(BaseOutputParser[str]):
    """The text of a message, without reasoning and calls; streams it piece by piece.

    Of the stream of a loop it gives what the model says. Chunks without text are passed over,
    but a stream in which there is no text at all gives one empty str, so that the sum is what
    `invoke` gives.
    """

    __slots__ = ()

    def parse(self, text: str) -> str:
        return text

    async def _invoke(self, input: BaseMessage | str, run: Run) -> str:
        return text_of(input)

    async def _transform(
        self, chunks: AsyncIterator[BaseMessage | str], run: Run
    ) -> AsyncGenerator[str, None]:
        came = spoke = False
        spoken = Spoken()
        async for chunk in chunks:
            came = True
            if text := spoken.read(chunk):
                spoke = True
                yield text
        if (rest := spoken.rest()) or (came and not spoke):
            yield rest
