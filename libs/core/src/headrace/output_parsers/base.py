"""BaseOutputParser: a model's text in, a value out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.user import Seam
from headrace.errors import InputError
from headrace.messages import BaseMessage, ToolMessage
from headrace.runnables.base import Runnable

if TYPE_CHECKING:
    from headrace.engine.run import Run

Output = TypeVar("Output", covariant=True)


class BaseOutputParser(Runnable[BaseMessage | str, Output], abstract=True):
    """A step that reads the text of a message; a subclass writes `parse(text)`.

    `parse` raises OutputParserError for a text that it cannot read. A stream is parsed when
    it is complete; a parser that can do better writes `_transform` too.
    """

    __slots__ = ()
    run_type = "parser"

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(abstract=abstract, **kwargs)
        if not abstract and cls.parse is BaseOutputParser.parse:
            raise TypeError(f"class {cls.__name__} has no `def parse(self, text)`; write one")

    def parse(self, text: str) -> Output:
        """The value in a text."""
        raise NotImplementedError

    async def _invoke(self, input: BaseMessage | str, run: Run) -> Output:
        value: Output = Seam(run, self.get_name()).call(self.parse, text_of(input))
        return value

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def text_of(value: BaseMessage | str) -> str:
    """The text of a message or of one of its chunks; a str as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, BaseMessage):
        return value.text
    raise InputError(f"an output parser reads a message or a str, not {value!r}")


class Spoken:
    """The text of the chunks of a stream, in which results of tools may come too, as in a loop.

    A result only counts where it ends the stream, which then is the answer; after it the text
    of another answer begins: `anew`.
    """

    __slots__ = ("_last", "anew")

    def __init__(self) -> None:
        self._last, self.anew = "", False

    def read(self, chunk: BaseMessage | str) -> str:
        """The text that a chunk adds."""
        self.anew = isinstance(chunk, ToolMessage)
        self._last = text_of(chunk) if self.anew else ""
        return "" if self.anew else text_of(chunk)

    def rest(self) -> str:
        """The text of the result that ended the stream, if one did."""
        return self._last


def shown(text: str) -> str:
    """A model's text in an error message: in quotes, and not more than fits."""
    return repr(text if len(text) <= 500 else f"{text[:400]} … {text[-100:]}")
