"""Marks for parameters that the model can neither see nor set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

if TYPE_CHECKING:
    from headrace.engine.run import Run, RunnableConfig
    from headrace.messages import BaseMessage


class InjectedToolArg:
    """Annotated[T, InjectedToolArg]: a value that the caller gives, never the model.

    The caller gives it by `tool.bind(user=...)` or `tool.invoke(call, user=...)`; what
    arrives among the arguments of a call is refused.
    """


class InjectedToolCallId(InjectedToolArg):
    """Annotated[str, InjectedToolCallId]: the id of the tool call that is being answered."""


@dataclass(frozen=True, slots=True)
class ToolRuntime(InjectedToolArg):
    """A parameter `runtime: ToolRuntime`: what a tool may know of the call it answers.

    `config` goes on the run in calls made by hand. In a tool_loop `messages` is the
    conversation up to the call, and `state` a dict that the tools of one run share.
    """

    config: RunnableConfig
    run: Run
    tool_call_id: str | None = None
    messages: Sequence[BaseMessage] = ()
    state: dict[str, Any] = field(default_factory=dict)


def mark_in(annotation: Any) -> type[InjectedToolArg] | None:
    """The mark that an annotation bears, as an instance or as its class, or is itself."""
    if isinstance(annotation, type) and issubclass(annotation, InjectedToolArg):
        return annotation
    if get_origin(annotation) in (Union, UnionType):
        marks = (mark_in(part) for part in get_args(annotation))
        return next((mark for mark in marks if mark is not None), None)
    if get_origin(annotation) is not Annotated:
        return None
    return mark_among(get_args(annotation)[1:])


def mark_among(metadata: Any) -> type[InjectedToolArg] | None:
    """The first mark among what an annotation says of a type."""
    for item in metadata:
        kind = item if isinstance(item, type) else type(item)
        if issubclass(kind, InjectedToolArg):
            return kind
    return None
