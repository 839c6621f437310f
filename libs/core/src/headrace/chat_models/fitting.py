"""A request as it will be sent: what was asked, brought to what the model takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.chat_models.adapting import adapt
from headrace.chat_models.carrying import carry
from headrace.chat_models.lifecycle import ageing, served_other
from headrace.chat_models.notes import Notes
from headrace.chat_models.prompt_caching import without_marks
from headrace.chat_models.room import check_room
from headrace.chat_models.settings import Settings
from headrace.chat_models.shaping import shaped
from headrace.messages import BaseMessage

if TYPE_CHECKING:
    from headrace.chat_models.base import BaseChatModel
    from headrace.profiles import ModelProfile


def profile_for(model: BaseChatModel, settings: Settings) -> ModelProfile:
    """What is known of the model that a request names, which a call may have changed."""
    name = settings.params.get("model", model.model)
    if name == model.model:
        return model.profile
    other: BaseChatModel = model.model_copy(update={"model": name})
    return other.profile


def fit(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    settings: Settings,
    warned: list[str] | None = None,
) -> tuple[list[BaseMessage], Settings]:
    """Messages and settings to send, with their notes; warnings go to `warned` if it is given.

    Raises UnsupportedParameterError or UnsupportedContentError as the model's policies say, and
    ContextOverflowError under `with_preflight`.
    """
    facts, wire = profile_for(model, settings).facts, model._wire_for(settings)
    name = str(settings.params.get("model", model.model))
    notes = Notes(model.on_unsupported, model.on_unsupported_content, name, warned)
    told = ageing(name, facts)
    if told is not None:
        notes.tell("status", told)
    messages = shaped(messages, settings.shape, notes)
    settings = adapt(settings, facts, wire, name, notes)
    messages, settings = without_marks(messages, settings, wire)
    sent = carry(messages, facts, wire, notes)
    if warned is None:
        check_room(sent, settings, facts, name)
    return sent, settings


def remarks(model: BaseChatModel, settings: Settings, served: Any) -> Mapping[str, Any]:
    """What the metadata of an answer say of its request: `adapted`, and `model_asked`.

    `model_asked` is there only if the served model differs from the asked one.
    """
    found: dict[str, Any] = {}
    if settings.shape is not None:
        found["structured_output"] = settings.shape.report()
    if settings.notes.records:
        found["adapted"] = settings.notes.copy().records
    asked = settings.params.get("model")
    if asked is None or served is None or served == asked:
        return found
    if served_other(asked, served, profile_for(model, settings).model):
        found["model_asked"] = asked
    return found
