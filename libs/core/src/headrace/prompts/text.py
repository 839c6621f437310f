"""PromptTemplate: a prompt that is one text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from headrace.prompts.base import BasePromptTemplate
from headrace.prompts.fields import Text
from headrace.prompts.value import StringPromptValue

if TYPE_CHECKING:
    from collections.abc import Mapping


class PromptTemplate(BasePromptTemplate[StringPromptValue]):
    """A text with `{fields}`, such as "Translate {text}"; `{{` and `}}` are braces."""

    __slots__ = ("_text",)

    def __init__(self, template: str, partial_variables: Mapping[str, Any] | None = None) -> None:
        self._text = Text(template)
        super().__init__(partial_variables)

    @classmethod
    def from_template(cls, template: str) -> PromptTemplate:
        """The template of this text."""
        return cls(template)

    @property
    def template(self) -> str:
        """The text as written."""
        return self._text.template

    def format(self, **values: Any) -> str:
        """The text with its variables filled in."""
        return self._filled_by_hand(values).text

    def _names(self) -> set[str]:
        return set(self._text.names)

    def _fill(self, values: Mapping[str, Any]) -> StringPromptValue:
        return StringPromptValue(self._text.format(values))

    def _with(self, partial_variables: Mapping[str, Any]) -> Self:
        return type(self)(self.template, partial_variables)

    def __add__(self, other: PromptTemplate | str) -> PromptTemplate:
        more = other if isinstance(other, PromptTemplate) else PromptTemplate(other)
        partial = {**self.partial_variables, **more.partial_variables}
        return PromptTemplate(self.template + more.template, partial)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PromptTemplate) and (
            (self.template, self.partial_variables) == (other.template, other.partial_variables)
        )

    def __hash__(self) -> int:
        return hash(self.template)

    def __repr__(self) -> str:
        return f"PromptTemplate({self.template!r})"
