"""What a prompt gives: text or messages, each readable as the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.messages import BaseMessage, HumanMessage, get_buffer_string

if TYPE_CHECKING:
    from collections.abc import Sequence


class PromptValue:
    """A prompt with its variables filled in; models take it as it is."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # it holds messages, which are mutable

    def to_messages(self) -> list[BaseMessage]:
        """The prompt as messages, in a list of the caller's own."""
        raise NotImplementedError

    def to_string(self) -> str:
        """The prompt as one text."""
        raise NotImplementedError


class StringPromptValue(PromptValue):
    """A prompt that is one text; as a message, the user says it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def to_messages(self) -> list[BaseMessage]:
        return [HumanMessage(self.text)]

    def to_string(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StringPromptValue) and self.text == other.text

    def __repr__(self) -> str:
        return f"StringPromptValue({self.text!r})"


class ChatPromptValue(PromptValue):
    """A prompt that is a list of messages."""

    __slots__ = ("messages",)

    def __init__(self, messages: Sequence[BaseMessage]) -> None:
        self.messages = list(messages)

    def to_messages(self) -> list[BaseMessage]:
        return list(self.messages)

    def to_string(self) -> str:
        return get_buffer_string(self.messages)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChatPromptValue) and self.messages == other.messages

    def __repr__(self) -> str:
        return f"ChatPromptValue({self.messages!r})"
