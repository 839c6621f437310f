"""Parsers of one value: a member of an enum, a date and time."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from headrace.errors import InputError, OutputParserError, suggestion
from headrace.output_parsers.base import BaseOutputParser, shown

E = TypeVar("E", bound=Enum)


class EnumOutputParser(BaseOutputParser[E]):
    """The member of an enum whose value, else whose name, the text is; case is no matter."""

    __slots__ = ("enum",)

    def __init__(self, enum: type[E]) -> None:
        given: Any = enum
        if not (isinstance(given, type) and issubclass(given, Enum)):
            raise InputError(f"an EnumOutputParser takes an Enum class, not {enum!r}")
        self.enum = enum

    def parse(self, text: str) -> E:
        said = text.strip().strip("`\"'.*").strip()
        for key in (lambda m: str(m.value), lambda m: m.name):
            exact = [m for m in self.enum if key(m) == said]
            close = exact or [m for m in self.enum if key(m).casefold() == said.casefold()]
            if len(close) == 1:
                return close[0]
        known = [str(member.value) for member in self.enum]
        raise OutputParserError(
            f"{shown(text)} is no {self.enum.__name__}{suggestion(said, known)}; "
            f"it is one of {', '.join(known)}"
        )

    def get_format_instructions(self) -> str:
        """Words for a prompt that say what to answer with."""
        return f"Answer with one of these and nothing else: {', '.join(self._values())}"

    def _values(self) -> list[str]:
        return [str(member.value) for member in self.enum]

    def __repr__(self) -> str:
        return f"EnumOutputParser({self.enum.__name__})"


class DatetimeOutputParser(BaseOutputParser[datetime]):
    """A date and time: ISO 8601, or by a format of `strptime`; aware only if the text is."""

    __slots__ = ("format",)

    def __init__(self, format: str | None = None) -> None:
        self.format = format

    def parse(self, text: str) -> datetime:
        said = text.strip().strip("`\"'").strip()
        try:
            if self.format is None:
                return datetime.fromisoformat(said)
            return datetime.strptime(said, self.format)
        except ValueError as error:
            raise OutputParserError(
                f"{shown(text)} is no date and time ({self.format or 'ISO 8601'}): {error}"
            ) from error

    def get_format_instructions(self) -> str:
        """Words for a prompt that say what to answer with."""
        form = self.format or "%Y-%m-%dT%H:%M:%S"
        example = datetime(2026, 3, 14, 15, 9, 26).strftime(form)
        return f"Answer with one date and time, such as {example}, and nothing else."

    def __repr__(self) -> str:
        return f"DatetimeOutputParser({'' if self.format is None else repr(self.format)})"
