"""Output parsers: from a model's text to a value, chunk by chunk where that is possible."""

from headrace.output_parsers.base import BaseOutputParser
from headrace.output_parsers.json import JsonOutputParser
from headrace.output_parsers.lists import (
    CommaSeparatedListOutputParser,
    MarkdownListOutputParser,
    NumberedListOutputParser,
)
from headrace.output_parsers.objects import PydanticOutputParser
from headrace.output_parsers.reasoning import ReasoningSplitter
from headrace.output_parsers.text import StrOutputParser
from headrace.output_parsers.tools import ToolCallsOutputParser
from headrace.output_parsers.values import DatetimeOutputParser, EnumOutputParser
from headrace.output_parsers.xml import XMLOutputParser

__all__ = [
    "BaseOutputParser",
    "CommaSeparatedListOutputParser",
    "DatetimeOutputParser",
    "EnumOutputParser",
    "JsonOutputParser",
    "MarkdownListOutputParser",
    "NumberedListOutputParser",
    "PydanticOutputParser",
    "ReasoningSplitter",
    "StrOutputParser",
    "ToolCallsOutputParser",
    "XMLOutputParser",
]
