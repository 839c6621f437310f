"""What an answer cost, as its metadata say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headrace.chat_models.fitting import profile_for
from headrace.messages import AIMessageChunk, sum_chunks
from headrace.messages.chunks import telling
from headrace.profiles import cost_of, find_profile, mode_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.settings import Settings


def charge(
    model: BaseChatModel, settings: Settings, usage: Any, about: Mapping[str, Any]
) -> Mapping[str, Any]:
    """`cost_usd` of an answer by its usage and metadata; nothing where it is not known.

    A cost that the provider says itself stands. The prices are those of the model that served,
    in the mode it says it ran in, else in the one that was asked for.
    """
    if not usage or "cost_usd" in about:
        return {}
    facts = profile_for(model, settings).facts
    if "model_asked" in about and "cost" not in (model.profile_overrides or {}):
        served = str(about.get("model_name"))
        facts = find_profile(model.provider, served, packages=model.profiles, warn=False).facts
    sent = settings.sent
    if about.get("service_tier") is not None:
        sent = {**sent, "service_tier": about["service_tier"]}
    cost = cost_of(usage, facts, mode=mode_of(sent, facts))
    return {} if cost is None else {"cost_usd": cost.total}


_SAID = ("model_name", "service_tier", "cost_usd")


def usage_and_facts(chunks: Sequence[AIMessageChunk]) -> tuple[Any, dict[str, Any]]:
    """The usage of chunks, and the metadata that `charge` reads, without adding up the rest."""
    said: dict[str, Any] = {}
    used: list[AIMessageChunk] = []
    for chunk in telling(chunks):
        if about := chunk.response_metadata:
            said.update((name, about[name]) for name in _SAID if about.get(name) is not None)
        if chunk.usage_metadata:
            used.append(chunk)
    if len(used) < 2:
        return (used[0].usage_metadata if used else None), said
    bare = [
        AIMessageChunk("", usage_metadata=chunk.usage_metadata, usage_kind=chunk.usage_kind)
        for chunk in used
    ]
    return sum_chunks(bare).usage_metadata, said
