"""Telemetry for the whole process, switched on and off by one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.engine.run import listen_everywhere, stop_listening
from headrace.otel.handler import OpenTelemetryHandler

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

_current: OpenTelemetryHandler | None = None


def instrument(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    capture_content: bool | None = None,
) -> OpenTelemetryHandler:
    """Switches telemetry on for every call of this process, in all threads and tasks.

    Called again it replaces what was there. Options as of OpenTelemetryHandler.
    """
    global _current
    uninstrument()
    _current = OpenTelemetryHandler(
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        capture_content=capture_content,
    )
    listen_everywhere(_current)
    return _current


def uninstrument() -> None:
    """Switches it off; what is under way is told to its end."""
    global _current
    if _current is not None:
        stop_listening(_current)
        _current = None
