"""Marks for parameters that the model can neither see nor set."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin


class InjectedToolArg:
    """Annotated[T, InjectedToolArg]: a value that the caller gives, never the model.

    The caller gives it by `tool.bind(user=...)` or `tool.invoke(call, user=...)`; what
    arrives among the arguments of a call is refused.
    """


class InjectedToolCallId(InjectedToolArg):
    """Annotated[str, InjectedToolCallId]: the id of the tool call that is being answered."""


def mark_in(annotation: Any) -> type[InjectedToolArg] | None:
    """The mark that an annotation bears, as an instance or as its class."""
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
