"""Whether a request has room in its model, by an estimate of its tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from headrace.errors import ContextOverflowError
from headrace.messages import BaseMessage, count_tokens_approximately

if TYPE_CHECKING:
    from headrace.chat_models.settings import Settings

Misfit = Literal["raise", "warn"]


def tokens_of(
    messages: Sequence[BaseMessage], settings: Settings, chars_per_token: float = 4.0
) -> int:
    """About how many tokens of input a request has, its tools and schema included."""
    tools = list(settings.tools)
    form = settings.response_format
    if form is not None and form.schema is not None:
        tools.append({"name": form.name, "parameters": form.schema})
    return count_tokens_approximately(messages, tools=tools, chars_per_token=chars_per_token)


def fits(tokens: int, reserved: int | None, facts: Mapping[str, Any]) -> bool | None:
    """Whether input and reserved output are within the limits; None where none is known."""
    left = room_left(tokens, reserved, facts)
    return None if left is None else left >= 0


def room_left(tokens: int, reserved: int | None, facts: Mapping[str, Any]) -> int | None:
    """Tokens of input that still fit, less than 0 if these do not; None where no limit is known."""
    total = tokens + (reserved or 0)
    bounds = ((tokens, facts.get("max_input_tokens")), (total, facts.get("context_size")))
    return min((bound - size for size, bound in bounds if bound), default=None)


def misfit(model: str, tokens: int, reserved: int | None, facts: Mapping[str, Any]) -> str | None:
    """What to tell of a request that has no room; None for one that has, or may have."""
    if fits(tokens, reserved, facts) is not False:
        return None
    most, context = facts.get("max_input_tokens"), facts.get("context_size")
    if most and tokens > most:
        told = f"takes at most {most} tokens of input, and there are about {tokens}"
    else:
        told = (
            f"has room for {context} tokens, and there are about {tokens} of input and "
            f"{reserved or 0} reserved by `max_tokens`"
        )
    return f"`{model}` {told}; shorten the messages (`trim_messages`), or ask another model"


def check_room(
    messages: Sequence[BaseMessage], settings: Settings, facts: Mapping[str, Any], model: str
) -> None:
    """Under `with_preflight`, ContextOverflowError or a warning for a request without room."""
    if settings.preflight is None:
        return
    tokens = tokens_of(messages, settings)
    told = misfit(model, tokens, settings.params.get("max_tokens"), facts)
    if told is None:
        return
    if settings.preflight == "raise":
        raise ContextOverflowError(f"{told}; no request was made")
    settings.notes.tell("context_size", told)
