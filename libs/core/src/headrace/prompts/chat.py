"""ChatPromptTemplate: a prompt that is a list of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias, Union

from headrace.errors import InputError
from headrace.messages import BaseMessage
from headrace.prompts.base import BasePromptTemplate
from headrace.prompts.few_shot import FewShotChatMessagePromptTemplate
from headrace.prompts.fields import Text
from headrace.prompts.message import GivenMessage, MessagesPlaceholder, MessageTemplate, Part
from headrace.prompts.mustache import TemplateFormat
from headrace.prompts.value import ChatPromptValue

if TYPE_CHECKING:
    from collections.abc import Iterable

PromptPart: TypeAlias = Union[
    BaseMessage,
    MessageTemplate,
    MessagesPlaceholder,
    FewShotChatMessagePromptTemplate,
    "ChatPromptTemplate",
    tuple[str, Any],
    Mapping[str, Any],
    str,
]


class ChatPromptTemplate(BasePromptTemplate[ChatPromptValue]):
    """Messages with `{fields}` and placeholders for messages.

    A part is a (role, text or blocks) pair, a dict of `role` and `content`, a str (said by the
    user), ("placeholder", "{history}"), a MessagesPlaceholder, a message (which stands as it
    is), or another ChatPromptTemplate. Templates add up with `+`.
    """

    __slots__ = ("parts",)

    def __init__(
        self,
        messages: Iterable[PromptPart],
        partial_variables: Mapping[str, Any] | None = None,
        *,
        template_format: TemplateFormat = "f-string",
    ) -> None:
        if isinstance(messages, str | Mapping | BaseMessage):
            raise InputError(
                f"a ChatPromptTemplate takes a list of messages, not {messages!r}; "
                "`from_template` takes one text"
            )
        found: list[Part] = []
        partial: dict[str, Any] = {}
        for position, item in enumerate(messages):
            if isinstance(item, ChatPromptTemplate):
                found.extend(item.parts)
                partial.update(item.partial_variables)
                continue
            try:
                found.append(_part(item, template_format))
            except InputError as error:
                raise InputError(f"message {position} of the prompt: {error}") from error
        self.parts: tuple[Part, ...] = tuple(found)
        super().__init__({**partial, **(partial_variables or {})})

    @classmethod
    def from_template(
        cls, template: str, *, template_format: TemplateFormat = "f-string"
    ) -> ChatPromptTemplate:
        """One message of the user with this text."""
        return cls([("user", template)], template_format=template_format)

    @classmethod
    def from_messages(
        cls, messages: Iterable[PromptPart], *, template_format: TemplateFormat = "f-string"
    ) -> ChatPromptTemplate:
        """The template of these messages; the same as the class itself."""
        return cls(messages, template_format=template_format)

    def format_messages(self, **values: Any) -> list[BaseMessage]:
        """The messages with their variables filled in."""
        return self._filled_by_hand(values).messages

    def format(self, **values: Any) -> str:
        """The messages as one text."""
        return self._filled_by_hand(values).to_string()

    def _names(self) -> set[str]:
        return {name for part in self.parts for name in part.names()}

    def _optional(self) -> set[str]:
        return {name for part in self.parts for name in part.optional()}

    def _fill(self, values: Mapping[str, Any]) -> ChatPromptValue:
        return ChatPromptValue([m for part in self.parts for m in part.messages(values)])

    def _with(self, partial_variables: Mapping[str, Any]) -> Self:
        return self._of(self.parts, partial_variables)

    @classmethod
    def _of(cls, parts: tuple[Part, ...], partial_variables: Mapping[str, Any]) -> Self:
        new = cls.__new__(cls)
        new.parts = parts
        BasePromptTemplate.__init__(new, partial_variables)
        return new

    def __add__(self, other: PromptPart | Sequence[PromptPart]) -> ChatPromptTemplate:
        alone = isinstance(other, tuple | str) or not isinstance(other, Sequence)
        more = ChatPromptTemplate([other] if alone else other)  # type: ignore[arg-type, list-item]
        return self._of(
            (*self.parts, *more.parts), {**self.partial_variables, **more.partial_variables}
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChatPromptTemplate) and (
            (self.parts, self.partial_variables) == (other.parts, other.partial_variables)
        )

    def __hash__(self) -> int:
        return hash(self.parts)

    def __repr__(self) -> str:
        return f"ChatPromptTemplate([{', '.join(map(repr, self.parts))}])"


def _part(item: Any, form: TemplateFormat) -> Part:
    if isinstance(item, MessageTemplate | MessagesPlaceholder | FewShotChatMessagePromptTemplate):
        return item
    if isinstance(item, BaseMessage):
        return GivenMessage(item)
    if isinstance(item, str):
        return MessageTemplate("user", item, template_format=form)
    if isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], str):
        role, content = item
        if role == "placeholder":
            return _placeholder(content)
        return MessageTemplate(role, content, template_format=form)
    if isinstance(item, Mapping) and "role" in item and "content" in item:
        return MessageTemplate(**{"template_format": form, **item})
    raise InputError(
        "give a (role, text) pair, a dict of `role` and `content`, a str, a message, a "
        f"MessagesPlaceholder or a template, not {item!r}"
    )


def _placeholder(written: Any) -> MessagesPlaceholder:
    """The optional placeholder that ("placeholder", "{history}") stands for."""
    text, optional = written if isinstance(written, list | tuple) else (written, True)
    names = Text(text).names
    if len(names) != 1 or text != f"{{{names[0]}}}":
        raise InputError(f"a placeholder is one field, such as '{{history}}', not {text!r}")
    return MessagesPlaceholder(names[0], optional=bool(optional))
