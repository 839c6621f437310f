"""What a request would be and cost, said without sending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headrace.chat_models.carrying import SEEN_BY, modalities
from headrace.chat_models.fitting import fit, profile_for
from headrace.chat_models.notes import Record
from headrace.chat_models.room import fits, misfit, tokens_of
from headrace.chat_models.settings import Settings
from headrace.errors import UnsupportedContentError, UnsupportedParameterError
from headrace.messages import BaseMessage, convert_to_messages
from headrace.profiles import cost_range, mode_of

if TYPE_CHECKING:
    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.settings import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """One request looked at before it is sent; None wherever nobody knows.

    `input_tokens` is an estimate; `output_tokens` what is reserved by `max_tokens`. `cost`: the
    least and the most in USD. `modalities`: kind used -> whether the model sees it.
    `tools_with_schema`: whether tools and an enforced schema are asked together. `adapted`: as
    in an answer's metadata. `errors`: what would be raised before any request.
    """

    provider: str
    model: str
    fits: bool | None
    input_tokens: int
    output_tokens: int | None
    limits: Mapping[str, int | None]
    modalities: Mapping[str, bool | None]
    tools: tuple[str, ...] = ()
    tools_with_schema: bool = False
    cost: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()
    adapted: tuple[Record, ...] = ()
    errors: tuple[str, ...] = ()
    request: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against sending it, as far as is known."""
        return not self.errors and self.fits is not False


def look_ahead(model: BaseChatModel, call: Call, input: Any) -> Preflight:
    """The report on a request that is not made."""
    messages, asked = convert_to_messages(input), model.settings(call)
    profile = profile_for(model, asked)
    warned: list[str] = []
    errors: list[str] = []
    request: Mapping[str, Any] | None = None
    sent, settings = messages, asked
    try:
        sent, settings = fit(model, messages, asked, warned)
        request = model._request(sent, settings)
    except (UnsupportedParameterError, UnsupportedContentError) as error:
        errors.append(str(error))
    facts = profile.facts
    tokens, reserved = tokens_of(sent, settings), settings.params.get("max_tokens")
    name = str(asked.params.get("model", model.model))
    if asked.preflight == "raise" and (told := misfit(name, tokens, reserved, facts)):
        errors.append(told)
    return Preflight(
        provider=model.provider,
        model=name,
        fits=fits(tokens, reserved, facts),
        input_tokens=tokens,
        output_tokens=reserved,
        limits={name: facts.get(name) for name in _LIMITS},
        modalities={kind: facts.get(SEEN_BY[kind]) for kind in sorted(modalities(messages))},
        tools=tuple(str(tool.get("name") or tool.get("type")) for tool in asked.tools),
        tools_with_schema=bool(asked.tools) and asked.response_format is not None,
        cost=cost_range(tokens, reserved, facts, mode=mode_of(settings.sent, facts)),
        warnings=tuple(warned) + _doubts(asked, messages, facts),
        adapted=tuple(settings.notes.records) if not errors else (),
        errors=tuple(errors),
        request=request,
    )


_LIMITS = ("context_size", "max_input_tokens", "max_output_tokens")


def _doubts(
    settings: Settings, messages: Sequence[BaseMessage], facts: Mapping[str, Any]
) -> tuple[str, ...]:
    """What nobody knows, and what some models do not take together."""
    doubts = []
    if settings.tools and settings.response_format is not None:
        doubts.append("tools and an enforced schema together: not every model takes both")
    doubts += [
        f"nobody knows whether the model sees {kind}"
        for kind in sorted(modalities(messages))
        if facts.get(SEEN_BY[kind]) is None
    ]
    return tuple(doubts)
