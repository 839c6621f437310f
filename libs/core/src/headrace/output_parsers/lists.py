"""Parsers of lists that a model writes as text; items are streamed as they are finished."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from headrace.errors import OutputParserError
from headrace.output_parsers.base import BaseOutputParser, Spoken, shown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run
    from headrace.messages import BaseMessage


class _LinesParser(BaseOutputParser[list[str]], abstract=True):
    """One item a line, after a mark; a line without one goes on with the item before."""

    __slots__ = ()
    _mark: re.Pattern[str]
    _form = ""

    def parse(self, text: str) -> list[str]:
        items: list[list[str]] = []
        for line in text.splitlines():
            found = self._mark.match(line)
            if found:
                items.append([found.group(1).strip()])
            elif items and line.strip() and line[:1].isspace():
                items[-1].append(line.strip())
        if not items and text.strip():
            raise OutputParserError(f"there is no {self._form} list in the text {shown(text)}")
        return [" ".join(part for part in item if part) for item in items]

    async def _transform(
        self, chunks: AsyncIterator[BaseMessage | str], run: Run
    ) -> AsyncGenerator[list[str], None]:
        """Lists of the items that are finished: those before the last mark."""
        text, given, came = "", 0, False
        spoken = Spoken()
        async for chunk in chunks:
            came = True
            piece = spoken.read(chunk)
            text, given = ("", 0) if spoken.anew else (text + piece, given)
            if "\n" not in piece:
                continue
            lines = text.splitlines(keepends=True)
            whole = lines if text.endswith("\n") else lines[:-1]
            marks = [at for at, line in enumerate(whole) if self._mark.match(line)]
            done = self.parse("".join(lines[: marks[-1]])) if len(marks) > 1 else []
            if len(done) > given:
                yield done[given:]
                given = len(done)
        text += spoken.rest()
        if came and (len(rest := self.parse(text)) > given or not given):
            yield rest[given:]

    def get_format_instructions(self) -> str:
        """Words for a prompt that say what to answer with."""
        return f"Answer with a {self._form} list, one item a line, and nothing else."


class NumberedListOutputParser(_LinesParser):
    """The items of a numbered list: `1. one` or `1) one`."""

    __slots__ = ()
    _mark = re.compile(r"\s*\d+[.)]\s+(.*)")
    _form = "numbered"


class MarkdownListOutputParser(_LinesParser):
    """The items of a bulleted list: `- one`, `* one` or `+ one`."""

    __slots__ = ()
    _mark = re.compile(r"\s*[-*+]\s+(.*)")
    _form = "bulleted"


class CommaSeparatedListOutputParser(BaseOutputParser[list[str]]):
    """Items with commas between them, as in CSV: one with a comma stands in double quotes."""

    __slots__ = ()

    def parse(self, text: str) -> list[str]:
        rows = csv.reader(text.strip().splitlines(), skipinitialspace=True)
        try:
            return [item.strip() for row in rows for item in row if item.strip()]
        except csv.Error as error:
            raise OutputParserError(
                f"no comma-separated list: {error}; found {shown(text)}"
            ) from error

    def get_format_instructions(self) -> str:
        """Words for a prompt that say what to answer with."""
        return 'Answer with the items alone, with commas between them: one, "two, three", four'
