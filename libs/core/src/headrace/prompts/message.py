"""The parts of a chat prompt: templates of one message, given messages, and placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self

from headrace.errors import InputError
from headrace.messages import (
    BaseMessage,
    DeveloperMessage,
    HumanMessage,
    SystemMessage,
    convert_to_messages,
)
from headrace.prompts.fields import Text
from headrace.prompts.mustache import Mustache, TemplateFormat, written

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = (SystemMessage, DeveloperMessage, HumanMessage)  # content is all there is to them


class Part(Protocol):
    """Some messages of a prompt, made from variables."""

    def names(self) -> set[str]: ...
    def optional(self) -> set[str]: ...
    def messages(self, values: Mapping[str, Any]) -> list[BaseMessage]: ...


class MessageTemplate:
    """One message by `role`; fields in its text, and in the texts of its blocks, are filled in."""

    __slots__ = ("_compiled", "_kind", "content", "fields", "role", "template_format")

    def __init__(
        self,
        role: str,
        content: Any,
        *,
        template_format: TemplateFormat = "f-string",
        **fields: Any,
    ) -> None:
        if not isinstance(content, str | list | tuple):
            raise InputError(
                f"the template of a `{role}` message is a str or a list of blocks, not {content!r}"
            )
        self.role, self.content, self.fields = role, content, fields
        self.template_format = template_format
        self._compiled = _compile(content, template_format)
        # Made once for the errors it may raise: an unknown role, a missing `tool_call_id`.
        self._kind = type(self._convert("")[0])

    def names(self) -> set[str]:
        return set(_names(self._compiled))

    def optional(self) -> set[str]:
        return set()

    def messages(self, values: Mapping[str, Any]) -> list[BaseMessage]:
        content = _fill(self._compiled, values)
        if self._kind in _PLAIN and not self.fields and isinstance(content, str):
            return [self._kind(content)]
        return self._convert(content)

    def _convert(self, content: Any) -> list[BaseMessage]:
        return convert_to_messages({**self.fields, "role": self.role, "content": content})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MessageTemplate) and (
            (self._kind, self.content, self.fields, self.template_format)
            == (other._kind, other.content, other.fields, other.template_format)
        )

    def __hash__(self) -> int:
        return hash(self.role)

    def __repr__(self) -> str:
        return f"({self.role!r}, {self.content!r})"


class _RoleTemplate(MessageTemplate):
    __slots__ = ()
    _role = ""

    def __init__(self, content: Any, **fields: Any) -> None:
        super().__init__(self._role, content, **fields)

    @classmethod
    def from_template(cls, template: Any, **fields: Any) -> Self:
        """The template of a message with this text or these blocks."""
        return cls(template, **fields)


class SystemMessagePromptTemplate(_RoleTemplate):
    """A system message with fields."""

    __slots__ = ()
    _role = "system"


class HumanMessagePromptTemplate(_RoleTemplate):
    """A user's message with fields."""

    __slots__ = ()
    _role = "user"


class AIMessagePromptTemplate(_RoleTemplate):
    """A model's message with fields, for examples."""

    __slots__ = ()
    _role = "assistant"


class GivenMessage:
    """A message that stands as it is; its braces are text. Each prompt gets a copy."""

    __slots__ = ("message",)

    def __init__(self, message: BaseMessage) -> None:
        self.message = message

    def names(self) -> set[str]:
        return set()

    def optional(self) -> set[str]:
        return set()

    def messages(self, values: Mapping[str, Any]) -> list[BaseMessage]:
        return [self.message.model_copy(deep=True)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GivenMessage) and self.message == other.message

    def __hash__(self) -> int:
        return hash(self.message.type)

    def __repr__(self) -> str:
        return repr(self.message)


class MessagesPlaceholder:
    """Where the messages of a variable stand: all of them, or the last `n_messages`.

    With `optional` the variable may be missing, which is as good as no messages.
    """

    __slots__ = ("is_optional", "n_messages", "variable_name")

    def __init__(
        self, variable_name: str, *, optional: bool = False, n_messages: int | None = None
    ) -> None:
        if not variable_name:
            raise InputError("a MessagesPlaceholder needs the name of a variable")
        if n_messages is not None and n_messages < 1:
            raise InputError(f"`n_messages` is at least 1, not {n_messages!r}")
        self.variable_name, self.n_messages = variable_name, n_messages
        self.is_optional = optional

    def names(self) -> set[str]:
        return set() if self.is_optional else {self.variable_name}

    def optional(self) -> set[str]:
        return {self.variable_name} if self.is_optional else set()

    def messages(self, values: Mapping[str, Any]) -> list[BaseMessage]:
        given = values.get(self.variable_name)
        if given is None and self.is_optional:
            return []
        try:
            messages = convert_to_messages(given)
        except InputError as error:
            raise InputError(f"variable `{self.variable_name}`: {error}") from error
        return messages if self.n_messages is None else messages[-self.n_messages :]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MessagesPlaceholder) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(self.variable_name)

    def __repr__(self) -> str:
        more = ", optional=True" if self.is_optional else ""
        if self.n_messages is not None:
            more += f", n_messages={self.n_messages}"
        return f"MessagesPlaceholder({self.variable_name!r}{more})"


def _compile(content: Any, form: TemplateFormat) -> Any:
    if isinstance(content, str):
        return written(content, form)
    if isinstance(content, list | tuple):
        return [_compile(item, form) for item in content]
    if isinstance(content, Mapping):
        return {key: _compile(value, form) for key, value in content.items()}
    return content


def _fill(compiled: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(compiled, Text | Mustache):
        return compiled.format(values)
    if isinstance(compiled, list):
        return [_fill(item, values) for item in compiled]
    if isinstance(compiled, dict):
        return {key: _fill(value, values) for key, value in compiled.items()}
    return compiled


def _names(compiled: Any) -> Iterator[str]:
    if isinstance(compiled, Text | Mustache):
        yield from compiled.names
    elif isinstance(compiled, list | dict):
        for item in compiled.values() if isinstance(compiled, dict) else compiled:
            yield from _names(item)
