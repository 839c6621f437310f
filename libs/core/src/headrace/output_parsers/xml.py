"""XMLOutputParser: the XML in a model's text as dicts, without entities."""

from __future__ import annotations

import re
from typing import Any

from headrace.deferred import expat
from headrace.errors import OutputParserError
from headrace.output_parsers.base import BaseOutputParser, shown

_FENCE = re.compile(r"```(?:xml)?[ \t]*\n(.*?)\n?```", re.DOTALL | re.IGNORECASE)
_BARE = re.compile(r"&(?!(?:\w+|#\d+|#x[\da-fA-F]+);)(?![^<]*\]\]>)")  # a plain ampersand
_BEGINNING = re.compile(r"<[\w?!]")
_DEEPEST = 100  # elements within elements: what a model writes, not what brings a parser down


class XMLOutputParser(BaseOutputParser[dict[str, Any]]):
    """{tag: text}, or {tag: [{child: …}, …]} for an element with children; attributes are left.

    The XML may stand in a fence or after words. A document type, and with it every entity of
    its own, is refused: nothing is expanded and nothing is fetched.
    """

    __slots__ = ("tags",)

    def __init__(self, tags: list[str] | None = None) -> None:
        self.tags = list(tags or [])

    def parse(self, text: str) -> dict[str, Any]:
        fence = _FENCE.search(text)
        inside = fence.group(1) if fence else text
        begin = _BEGINNING.search(inside)
        if begin is None:
            raise OutputParserError(f"there is no XML in the text {shown(text)}")
        document = inside[begin.start() :]
        document = _BARE.sub("&amp;", document[: document.rfind(">") + 1])
        try:
            return _Tree().read(document)
        except (expat.ExpatError, ValueError) as error:
            raise OutputParserError(f"the XML cannot be read: {error}; in {shown(text)}") from error

    def get_format_instructions(self) -> str:
        """Words for a prompt that say what to answer with."""
        tags = f" Use the tags {', '.join(self.tags)}." if self.tags else ""
        return f"Answer with one XML element, every tag closed, and nothing else.{tags}"

    def __repr__(self) -> str:
        return f"XMLOutputParser({self.tags or ''})"


class _Tree:
    def __init__(self) -> None:
        self._open: list[tuple[str, list[Any], list[str]]] = [("", [], [])]

    def read(self, document: str) -> dict[str, Any]:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(document.encode(), True)
        found: dict[str, Any] = self._open[0][1][0]
        return found

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) > _DEEPEST:
            raise ValueError(f"elements stand more than {_DEEPEST} deep in each other")
        self._open.append((tag, [], []))

    def _end(self, tag: str) -> None:
        _, children, text = self._open.pop()
        self._open[-1][1].append({tag: children or "".join(text).strip()})

    def _text(self, data: str) -> None:
        self._open[-1][2].append(data)


def _refuse(*_: Any) -> None:
    raise ValueError("a document type or an entity of its own is not taken")
