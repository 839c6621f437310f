"""Who says a message, at services that know users, models and the system alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.errors import InputError
from headrace.messages import (
    BaseMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    SystemMessage,
)

if TYPE_CHECKING:
    from headrace.chat_models import Notes


def role_of(message: BaseMessage, service: str, notes: Notes) -> str:
    """The role of what a user, a developer or the system says; InputError for others.

    A developer speaks as the system does; that, and a name that goes nowhere, is noted.
    """
    match message:
        case ChatMessage():
            return message.role
        case HumanMessage():
            return "user"
        case SystemMessage():
            return "system"
        case DeveloperMessage():
            reason = f"{service} has no such role"
            notes.record("developer message", "developer", "system", "translated", reason)
            return "system"
    raise unsendable(message)


def leave_name_out(message: BaseMessage, service: str, notes: Notes) -> None:
    """Notes that a service takes no names, if there is one."""
    if message.name is not None:
        reason = f"{service} takes no names"
        notes.change("name", message.name, None, "left out", reason, apart=True)


def unsendable(message: BaseMessage) -> InputError:
    """The error for a message that says nothing to a model, such as a removal."""
    return InputError(
        f"a {type(message).__name__} cannot be sent to a model; apply it to the conversation first"
    )
