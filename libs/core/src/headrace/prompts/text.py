"""PromptTemplate: a prompt that is one text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from headrace.errors import InputError
from headrace.prompts.base import BasePromptTemplate
from headrace.prompts.mustache import TemplateFormat, written
from headrace.prompts.reading import read_text
from headrace.prompts.value import StringPromptValue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class PromptTemplate(BasePromptTemplate[StringPromptValue]):
    """A text with `{fields}`, such as "Translate {text}"; `{{` and `}}` are braces.

    `template_format="mustache"`: `{{fields}}` and sections instead, by the extra `mustache`.
    """

    __slots__ = ("_text",)

    def __init__(
        self,
        template: str,
        partial_variables: Mapping[str, Any] | None = None,
        *,
        template_format: TemplateFormat = "f-string",
    ) -> None:
        self._text = written(template, template_format)
        super().__init__(partial_variables)

    @classmethod
    def from_template(
        cls, template: str, *, template_format: TemplateFormat = "f-string"
    ) -> PromptTemplate:
        """The template of this text."""
        return cls(template, template_format=template_format)

    @classmethod
    def from_file(cls, path: str | Path, **options: Any) -> PromptTemplate:
        """The template whose text is that of a file, in UTF-8."""
        return cls(read_text(path), **options)

    @property
    def template_format(self) -> TemplateFormat:
        """How the text is written."""
        return self._text.format_name

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
        return type(self)(self.template, partial_variables, template_format=self.template_format)

    def __add__(self, other: PromptTemplate | str) -> PromptTemplate:
        form = self.template_format
        more = (
            other
            if isinstance(other, PromptTemplate)
            else PromptTemplate(other, template_format=form)
        )
        if more.template_format != form:
            raise InputError(f"a {form} template and a {more.template_format} one do not add up")
        partial = {**self.partial_variables, **more.partial_variables}
        return PromptTemplate(self.template + more.template, partial, template_format=form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PromptTemplate) and (
            (self.template, self.template_format, self.partial_variables)
            == (other.template, other.template_format, other.partial_variables)
        )

    def __hash__(self) -> int:
        return hash(self.template)

    def __repr__(self) -> str:
        return f"PromptTemplate({self.template!r})"
