"""Attributes of spans and metrics, from what listeners are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from headrace.otel import names

if TYPE_CHECKING:
    from headrace.callbacks import ModelRequest
    from headrace.engine.events import Event

Attributes = dict[str, Any]

_CONVERSATION = ("conversation_id", "session_id", "thread_id")
_PORTS = {"https": 443, "http": 80}


def identity(operation: str, request: ModelRequest) -> Attributes:
    """What was asked of whom: for spans, at their creation, and for metrics."""
    found: Attributes = {
        names.OPERATION: operation,
        names.PROVIDER: names.PROVIDERS.get(request.provider, request.provider),
        names.REQUEST_MODEL: request.model,
    }
    if request.base_url:
        parts = urlsplit(request.base_url)
        if parts.hostname:
            found[names.SERVER_ADDRESS] = parts.hostname
            found[names.SERVER_PORT] = parts.port or _PORTS.get(parts.scheme, 443)
    return found


def asked(request: ModelRequest, event: Event) -> Attributes:
    """The parameters of a request."""
    found: Attributes = {}
    for name, (attribute, double) in names.PARAMETERS.items():
        value = request.params.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[attribute] = float(value) if double else value
    if (choices := request.params.get("n")) not in (None, 1):
        found[names.CHOICES] = choices
    if isinstance(dimensions := request.params.get("dimensions"), int):
        found[names.DIMENSIONS] = dimensions
    if request.stop:
        found[names.STOP] = list(request.stop)
    if request.format:
        found[names.OUTPUT_TYPE] = request.format
    if request.streamed:
        found[names.STREAM] = True
    for name in _CONVERSATION:
        if (value := event.metadata.get(name)) is not None:
            found[names.CONVERSATION] = str(value)
            break
    return found


def answered(answer: Any, usage: Mapping[str, Any] | None) -> Attributes:
    """What an answer says of itself: who gave it, why it ended, what it took."""
    about = getattr(answer, "response_metadata", None) or {}
    found: Attributes = {}
    if served := about.get("model_name"):
        found[names.RESPONSE_MODEL] = str(served)
    if id := getattr(answer, "id", None):
        found[names.RESPONSE_ID] = str(id)
    if reason := about.get("finish_reason"):
        found[names.FINISH_REASONS] = [str(reason)]
    if (cost := about.get("cost_usd")) is not None:
        found[names.COST] = float(cost)
    if about.get("cached"):
        found[names.CACHED] = True
    for path, attribute in names.USAGE:
        figure: Any = usage
        for key in path:
            figure = figure.get(key) if isinstance(figure, Mapping) else None
        if figure is not None:
            found[attribute] = int(figure)
    return found


def failure(error: BaseException) -> str:
    """The class of an error, by which telemetry groups."""
    return type(error).__name__
