"""Prompts with examples: given ones, or those that a function selects for the input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from headrace.errors import InputError
from headrace.prompts.base import BasePromptTemplate
from headrace.prompts.fields import check_given
from headrace.prompts.text import PromptTemplate
from headrace.prompts.value import ChatPromptValue, StringPromptValue

if TYPE_CHECKING:
    from headrace.messages import BaseMessage

Example = Mapping[str, Any]
Selector = Callable[[Mapping[str, Any]], Iterable[Example]]


class Examples:
    """Examples for an input: `given` ones, or what `select` returns for its variables."""

    __slots__ = ("given", "reads", "select")

    def __init__(
        self, given: Iterable[Example] | None, select: Selector | None, reads: Iterable[str]
    ) -> None:
        if (given is None) == (select is None):
            raise InputError("give either `examples` or an `example_selector`")
        self.given = None if given is None else [dict(example) for example in given]
        self.select, self.reads = select, tuple(reads)
        if self.reads and select is None:
            raise InputError("`input_variables` are for an `example_selector` to read")

    def of(self, values: Mapping[str, Any], needed: Iterable[str]) -> list[Example]:
        """The examples for these values; InputError for one that misses a variable."""
        if self.select is None:
            found: list[Example] = list(self.given or ())
        else:
            read = {name: values[name] for name in self.reads} if self.reads else dict(values)
            found = [dict(example) for example in self.select(read)]
        for number, example in enumerate(found):
            check_given(f"example {number}", needed, example)
        return found


class FewShotChatMessagePromptTemplate(BasePromptTemplate[ChatPromptValue]):
    """Each example as the messages of `example_prompt`; a step, or a part of a chat prompt.

    `example_selector` is called with the variables named in `input_variables` (all if none is)
    and gives the examples to show.
    """

    __slots__ = ("_examples", "example_prompt")

    def __init__(
        self,
        example_prompt: BasePromptTemplate[ChatPromptValue],
        examples: Iterable[Example] | None = None,
        *,
        example_selector: Selector | None = None,
        input_variables: Iterable[str] = (),
        partial_variables: Mapping[str, Any] | None = None,
    ) -> None:
        self.example_prompt = example_prompt
        self._examples = Examples(examples, example_selector, input_variables)
        super().__init__(partial_variables)

    def names(self) -> set[str]:
        return self._names()

    def optional(self) -> set[str]:
        return set()

    def messages(self, values: Mapping[str, Any]) -> list[BaseMessage]:
        """The messages of the examples, as a chat prompt takes them in."""
        prompt = self.example_prompt
        found = self._examples.of(values, prompt.input_variables)
        return [m for example in found for m in prompt._filled_by_hand(example).to_messages()]

    def _names(self) -> set[str]:
        return set(self._examples.reads)

    def _fill(self, values: Mapping[str, Any]) -> ChatPromptValue:
        return ChatPromptValue(self.messages(values))

    def _with(self, partial_variables: Mapping[str, Any]) -> Self:
        examples = self._examples
        return type(self)(
            self.example_prompt,
            examples.given,
            example_selector=examples.select,
            input_variables=examples.reads,
            partial_variables=partial_variables,
        )

    def __repr__(self) -> str:
        return f"FewShotChatMessagePromptTemplate({self.example_prompt!r})"


class FewShotPromptTemplate(BasePromptTemplate[StringPromptValue]):
    """One text: `prefix`, each example by `example_prompt`, `suffix`, with separators between."""

    __slots__ = ("_examples", "_prefix", "_suffix", "example_prompt", "example_separator")

    def __init__(
        self,
        example_prompt: PromptTemplate | str,
        suffix: str,
        examples: Iterable[Example] | None = None,
        *,
        prefix: str = "",
        example_selector: Selector | None = None,
        input_variables: Iterable[str] = (),
        example_separator: str = "\n\n",
        partial_variables: Mapping[str, Any] | None = None,
    ) -> None:
        prompt = PromptTemplate(example_prompt) if isinstance(example_prompt, str) else None
        self.example_prompt: Any = example_prompt if prompt is None else prompt
        self._prefix, self._suffix = PromptTemplate(prefix), PromptTemplate(suffix)
        self._examples = Examples(examples, example_selector, input_variables)
        self.example_separator = example_separator
        super().__init__(partial_variables)

    def format(self, **values: Any) -> str:
        """The text with its variables filled in."""
        return self._filled_by_hand(values).text

    def _names(self) -> set[str]:
        return {*self._prefix._names(), *self._suffix._names(), *self._examples.reads}

    def _fill(self, values: Mapping[str, Any]) -> StringPromptValue:
        prompt = self.example_prompt
        found = self._examples.of(values, prompt.input_variables)
        shown = [prompt._filled_by_hand(example).text for example in found]
        parts = [self._prefix._fill(values).text, *shown, self._suffix._fill(values).text]
        return StringPromptValue(self.example_separator.join(part for part in parts if part))

    def _with(self, partial_variables: Mapping[str, Any]) -> Self:
        examples = self._examples
        return type(self)(
            self.example_prompt,
            self._suffix.template,
            examples.given,
            prefix=self._prefix.template,
            example_selector=examples.select,
            input_variables=examples.reads,
            example_separator=self.example_separator,
            partial_variables=partial_variables,
        )

    def __repr__(self) -> str:
        return f"FewShotPromptTemplate({self.example_prompt!r})"
