"""Output parsers: from a model's text to a value, chunk by chunk where that is possible."""

from headrace.output_parsers.base import BaseOutputParser
from headrace.output_parsers.json import JsonOutputParser
from headrace.output_parsers.objects import PydanticOutputParser
from headrace.output_parsers.text import StrOutputParser

__all__ = ["BaseOutputParser", "JsonOutputParser", "PydanticOutputParser", "StrOutputParser"]
