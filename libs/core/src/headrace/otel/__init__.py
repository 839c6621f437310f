"""OpenTelemetry: spans and metrics of requests, tools and embeddings. Extra: `headrace[otel]`."""

from __future__ import annotations

from importlib.util import find_spec

from headrace.errors import MissingPackageError

if find_spec("opentelemetry") is None:
    raise MissingPackageError(
        "`headrace.otel` needs the API of OpenTelemetry; run `pip install 'headrace[otel]'`"
    )

from headrace.otel.handler import OpenTelemetryHandler
from headrace.otel.switch import instrument, uninstrument

__all__ = ["OpenTelemetryHandler", "instrument", "uninstrument"]
