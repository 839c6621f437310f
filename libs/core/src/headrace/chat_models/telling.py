"""What listeners are told of a request beside its input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.callbacks.request import ModelRequest

if TYPE_CHECKING:
    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.settings import Settings
    from headrace.messages import BaseMessage


def told_of(
    model: BaseChatModel, messages: Sequence[BaseMessage], settings: Settings, streamed: bool
) -> Mapping[str, Any]:
    """What each event of a request carries: the request as it will be sent."""
    request = ModelRequest(
        provider=model.profile.provider or model.provider,
        model=str(settings.params.get("model", model.model)),
        messages=tuple(messages),
        params=settings.params,
        tools=settings.tools,
        tool_choice=settings.tool_choice,
        stop=settings.stop,
        format=None if settings.response_format is None else "json",
        streamed=streamed,
        base_url=model.base_url,
    )
    return {"request": request}
