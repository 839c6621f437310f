"""How many tokens a request has, and how many more there is room for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headrace.chat_models.fitting import fit, profile_for
from headrace.chat_models.room import room_left
from headrace.engine.run import open_run
from headrace.messages import convert_to_messages

if TYPE_CHECKING:
    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.settings import Call
    from headrace.engine.worlds import World


async def count(model: BaseChatModel, call: Call, input: Any, exact: bool, io: World) -> int:
    """Tokens of a bare text, or of messages with tools and schema as they would be sent."""
    if isinstance(input, str) and not exact and not call.tools:
        return model._text_tokens(input)
    settings = replace(model.settings(call), preflight=None)
    messages, settings = fit(model, convert_to_messages(input), settings, [])
    if not exact:
        return model._estimate_tokens(messages, settings)
    run = open_run(io, None)
    await model._prepare(run)
    return await model._count_tokens(messages, settings, run)


async def remaining(
    model: BaseChatModel, call: Call, input: Any, exact: bool, io: World
) -> int | None:
    """Tokens of input that there is room for beside this; None where no limit is known."""
    settings = model.settings(call)
    facts = profile_for(model, settings).facts
    tokens = await count(model, call, convert_to_messages(input), exact, io)
    return room_left(tokens, settings.params.get("max_tokens"), facts)
